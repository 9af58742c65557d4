// Package issuers_test signs people in at OpenID providers that are written in C, Go,
// Perl and Python, by HTTP, at a site that is configured by the environment alone.
package issuers_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e/issuers:", err)
		code = 1
	}
	os.Exit(code)
}

// run starts the site and, all at once, the servers. Each has a folder of its own, and
// is told where the site is.
func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "sallyport-issuers")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	defer server.Close()
	address = server.URL

	ctx, stop := context.WithCancel(context.Background())
	l := &launcher{ctx: ctx}
	defer func() { stop(); l.running.Wait() }()
	failed := make(chan error)
	starts := map[string]func(l *launcher, dir string) error{"glewlwyd": startGlewlwyd, "hydra": startHydra, "lemonldap": startLemonLDAP, "django": startDjango}
	for name, start := range starts {
		own := filepath.Join(dir, name)
		if err := os.Mkdir(own, 0o700); err != nil {
			return 1, err
		}
		go func() { failed <- start(l, own) }()
	}
	for range starts {
		err = errors.Join(err, <-failed)
	}
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// launcher runs programs until ctx ends.
type launcher struct {
	ctx     context.Context
	running sync.WaitGroup
}

// start runs a program in dir and waits until ready answers.
func (l *launcher) start(dir, ready string, environment []string, name string, args ...string) error {
	cmd := exec.CommandContext(l.ctx, name, args...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Dir, cmd.Env = dir, append(os.Environ(), environment...)
	// SIGTERM, which those that have workers hand on.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w (run e2e/setup)", err)
	}
	ended := make(chan error, 1)
	l.running.Go(func() { ended <- cmd.Wait() })
	client := http.Client{Timeout: 5 * time.Second}
	for began := time.Now(); time.Since(began) < time.Minute; {
		if resp, err := client.Get(ready); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-ended:
			return fmt.Errorf("%s ended: %v\n%s", name, err, output.String())
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s does not answer at %s", name, ready)
}

// do runs a program in dir to its end.
func (l *launcher) do(dir, name string, args ...string) error {
	cmd := exec.CommandContext(l.ctx, name, args...)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w (run e2e/setup)\n%s", name, err, text)
	}
	return nil
}

// installed is where e2e/setup has put a program.
func installed(name string) (string, error) {
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "sallyport", name), err
}

// freePort is a port of loopback that nobody has.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

const discovery = "/.well-known/openid-configuration"
