package main

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/examples/internal/visit"
)

// start runs the program, and returns the first line that it says. rest is what it says
// afterwards, once it is over.
func start(t *testing.T, open func(string) error, args ...string) (first string, rest func() string) {
	said, out := io.Pipe()
	go func() {
		out.CloseWithError(run(t.Context(), func(string) string { return "" }, args, out, open))
	}()
	var b strings.Builder
	for one := make([]byte, 1); !strings.HasSuffix(b.String(), "\n"); {
		_, err := said.Read(one)
		require.NoError(t, err)
		b.Write(one)
	}
	return b.String(), func() string {
		all, err := io.ReadAll(said)
		require.NoError(t, err)
		return string(all)
	}
}

// TestBrowser is a person's way through it.
func TestBrowser(t *testing.T) {
	shown := make(chan string, 1)
	first, rest := start(t, func(address string) error { shown <- address; return nil })
	address := <-shown
	require.Equal(t, "If no browser opens, go to "+address+"\n", first)
	ada := visit.New(t)
	people := ada.Get(address)
	back := ada.Follow(people, "login_hint=ada")
	require.Contains(t, back.Body, "You can close this window")
	require.Regexp(t, `^Hello, "Ada Lovelace"\. You are "ada" at http://localhost:\d+\n$`, rest())
}

// TestDevice is one with a browser somewhere else.
func TestDevice(t *testing.T) {
	first, rest := start(t, func(string) error { return errors.New("there is no browser") }, "device")
	found := regexp.MustCompile(`^Open (\S+) on any device and type (\S+)\n$`).FindStringSubmatch(first)
	require.NotNil(t, found, first)
	lin := visit.New(t)
	people := lin.Get(found[1] + "?user_code=" + found[2])
	lin.Follow(people, "login_hint=linxiao")
	require.Contains(t, rest(), `Hello, "林晓"`)
}

func TestProblems(t *testing.T) {
	err := run(context.Background(), func(name string) string { return map[string]string{"ISSUER": "x"}[name] }, nil, io.Discard, nil)
	require.ErrorContains(t, err, "Issuer")
}
