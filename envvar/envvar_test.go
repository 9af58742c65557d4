package envvar_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/envvar"
)

func Example() {
	env := map[string]string{"GITEA_CLIENT_ID": "app", "GITEA_ORGANIZATIONS": "ops, devs"}
	r := envvar.NewReader(func(name string) string { return env[name] })
	fmt.Println(r.Need("Gitea shows it under Applications", "GITEA_CLIENT_ID"))
	fmt.Println(r.List("GITEA_ORGANIZATIONS"))
	r.Need("it is the server's address, such as https://git.example.com", "GITEA_ISSUER", "AUTH_GITEA_ISSUER")
	fmt.Println(r.Err())
	// Output:
	// app
	// [ops devs]
	// auth: GITEA_ISSUER is not set: it is the server's address, such as https://git.example.com
}

func TestReaderReadsOn(t *testing.T) { // LG-06
	env := map[string]string{"A": " a", "B": `"b"`, "OLD": "c"}
	r := envvar.NewReader(func(name string) string { return env[name] })
	require.Equal(t, "c", r.Get("NEW", "OLD"), "the first that is set")
	require.NoError(t, r.Err())
	r.Get("A")
	r.Get("B")
	r.Need("it is d", "D", "DD")
	r.Problem(nil)
	r.Problem(errors.Join(&envvar.Error{Variable: "E", Problem: "is odd", Cure: "mend it"}, nil))
	require.EqualError(t, r.Err(), "auth: A begins or ends with white space: remove it; a value from a file often ends with a newline\n"+
		"auth: B is in quotes: remove them; docker --env-file keeps quotes as part of the value\n"+
		"auth: D is not set: it is d\n"+
		"auth: E is odd: mend it")
	var problem *envvar.Error
	require.ErrorAs(t, r.Err(), &problem)
	require.Equal(t, "A", problem.Variable)
}

func TestCheck(t *testing.T) {
	for _, good := range []string{"", "a", `"`, `'`, `a"`, `"a`, `"a'`, "a b", `a"b"c`, "aba"} {
		require.NoError(t, envvar.Check("X", good), "%q", good)
	}
	for bad, want := range map[string]string{
		"a\n": "white space", " a": "white space", "a\t": "white space", "\u3000a": "white space", "\ufeffa": "white space",
		`"a"`: "quotes", `'a'`: "quotes", `""`: "quotes",
	} {
		require.ErrorContains(t, envvar.Check("X", bad), want, "%q", bad)
		require.NotContains(t, envvar.Check("X", "s3cret\n").Error(), "s3cret")
	}
}

func TestDuration(t *testing.T) {
	for value, want := range map[string]time.Duration{"": 0, "90m": 90 * time.Minute, "12h30m": 750 * time.Minute, "7d": 7 * 24 * time.Hour, "5s": 5 * time.Second} {
		r := envvar.NewReader(func(string) string { return value })
		require.Equal(t, want, r.Duration("X"), value)
		require.NoError(t, r.Err(), value)
	}
	for _, bad := range []string{"0", "0s", "0d", "-1h", "-7d", "7", "7D", "7.5d", "1d12h", "d", "week", " 7d", "99999999d", "1h ", "2562048h"} {
		r := envvar.NewReader(func(string) string { return bad })
		require.Zero(t, r.Duration("X"), bad)
		require.ErrorContains(t, r.Err(), "auth: X ", bad)
	}
}

func TestNames(t *testing.T) {
	require.Equal(t, []string{"A", "B"}, envvar.Names([]string{"A=1", "B=x=y", "=C:=C:\\", "odd"}))
}

func TestSplit(t *testing.T) {
	for value, want := range map[string][]string{
		"": nil, " , ，": nil, "a": {"a"}, "a,b": {"a", "b"}, " a ，b,, c ": {"a", "b", "c"}, "a b": {"a b"},
	} {
		require.Equal(t, want, envvar.Split(value), "%q", value)
	}
}
