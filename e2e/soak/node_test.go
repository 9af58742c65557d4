package soak_test

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	_ "net/http/pprof" // on the second listener
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/e2e/internal/visit"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/redisstore"
)

// What a node is told by its environment. With the first, this program is one.
const (
	nodeRedis   = "SOAK_NODE_REDIS"
	nodeIssuer  = "SOAK_NODE_ISSUER"
	nodeHanging = "SOAK_NODE_HANGING"
)

const (
	siteHost  = "localhost"
	maxAge    = 10 * time.Minute // longer than a busy machine keeps anybody waiting
	updateAge = 4 * time.Second
)

// serveNode is a node: the site at one address, and what the process is doing at another. It says
// both, and ends with its standard input.
func serveNode(redisSocket string) error {
	var providers []auth.Provider
	// Connections to providers that nobody uses go after seconds, so that those that are left have leaked.
	client := &http.Client{Transport: &http.Transport{IdleConnTimeout: 3 * time.Second}}
	for name, issuer := range map[string]string{"corp": os.Getenv(nodeIssuer), "hanging": os.Getenv(nodeHanging)} {
		p, err := oidc.New(oidc.Config{Name: name, Issuer: issuer, ClientID: "soak", ClientSecret: auth.NewSecret("a-client-secret-4711"), HTTPClient: client})
		if err != nil {
			return err
		}
		providers = append(providers, p)
	}
	sessions := redis.NewClient(&redis.Options{Network: "unix", Addr: redisSocket, ContextTimeoutEnabled: true})
	defer sessions.Close()
	store, err := redisstore.New(sessions, redisstore.Config{})
	if err != nil {
		return err
	}
	a, err := auth.New(auth.Config{
		Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: "http://" + siteHost,
		Providers: providers, Session: session.Config{Store: store, MaxAge: maxAge, UpdateAge: updateAge},
		Logger: slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	site := a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := auth.FromContext(r.Context())
		_, _ = io.WriteString(w, s.Subject)
	}))
	for _, handler := range []http.Handler{site, http.DefaultServeMux} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		fmt.Println(l.Addr())
		go http.Serve(l, handler) //nolint:errcheck // ends with the process
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// node is one that runs.
type node struct {
	cmd         *exec.Cmd
	site, debug string // addresses
	log         visit.Journal

	mu       sync.Mutex
	resident []int64 // bytes, each second
}

func startNode(t *testing.T, environment ...string) *node {
	n := &node{cmd: exec.Command(os.Args[0])}
	n.cmd.Env = append(os.Environ(), environment...)
	n.cmd.Stderr = &n.log
	stdin, err := n.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := n.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, n.cmd.Start())
	t.Cleanup(func() {
		stdin.Close()
		_ = n.cmd.Wait()
		t.Logf("a node had the processor for %.0f s", (n.cmd.ProcessState.UserTime() + n.cmd.ProcessState.SystemTime()).Seconds())
	})
	lines := bufio.NewScanner(stdout)
	for _, address := range []*string{&n.site, &n.debug} {
		require.True(t, lines.Scan(), "a node does not start: %s", n.log.Read())
		*address = lines.Text()
	}
	return n
}

// sample takes down how much memory the process has.
func (n *node) sample() error {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", n.cmd.Process.Pid))
	if err != nil {
		return err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.resident = append(n.resident, pages*int64(syscall.Getpagesize()))
	return nil
}

// goroutines is how many the process has, and what they do.
func (n *node) goroutines(t *testing.T) (count int, stacks string) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	answer, err := http.Get("http://" + n.debug + "/debug/pprof/goroutine?debug=1")
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	first, _, _ := bytes.Cut(text, []byte("\n"))
	_, err = fmt.Sscanf(string(first), "goroutine profile: total %d", &count)
	return count, cmp.Or(string(text), fmt.Sprint(err))
}
