package speed_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/github"
	"github.com/sallyport/auth/session"
)

// The variables with which this program is a proxy of its own instead of a test.
const (
	proxyAt  = "SPEED_PROXY_AT"
	proxyTo  = "SPEED_PROXY_TO"
	proxyHas = "SPEED_PROXY_HAS" // "require": sign-in around it
)

func TestMain(m *testing.M) {
	if at := os.Getenv(proxyAt); at != "" {
		panic(serveProxy(at, os.Getenv(proxyTo), os.Getenv(proxyHas) == "require"))
	}
	os.Exit(m.Run())
}

// serveProxy is a reverse proxy as one would write it who knows net/http: as many idle connections
// as there are requests at once, and buffers that are used again.
func serveProxy(at, to string, guarded bool) error {
	target, err := url.Parse(to)
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost, transport.DisableCompression = 256, 256, true
	var h http.Handler = &httputil.ReverseProxy{Transport: transport, BufferPool: new(buffers), Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }}
	if guarded {
		provider, err := github.New(github.Config{ClientID: "id", ClientSecret: auth.NewSecret("a-client-secret-4711")})
		if err != nil {
			return err
		}
		a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(text)}, URL: "https://app.example", Providers: []auth.Provider{provider}, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		h = a.Require(h)
	}
	return http.ListenAndServe(at, h)
}

type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[32 << 10]byte); ok {
		return p[:]
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(p []byte) { b.pool.Put((*[32 << 10]byte)(p)) }

// BenchmarkGateway sends signed-in requests, 32 at a time, through a bare proxy, through the same
// with Require around it, and through examples/gateway, with its log in a file; each is a process
// of its own, and "floors" are the processor's time that it takes in that of the bare one.
func BenchmarkGateway(b *testing.B) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 1024))
	}))
	b.Cleanup(upstream.Close)
	list := requests(b, session.Config{}, 32, few)
	self, err := os.Executable()
	require.NoError(b, err)
	built := filepath.Join(b.TempDir(), "gateway")
	build := exec.Command("go", "build", "-o", built, ".")
	build.Dir = "../../examples/gateway"
	out, err := build.CombinedOutput()
	require.NoError(b, err, string(out))

	bare := start(b, func(at string) *exec.Cmd {
		return with(exec.Command(self), proxyAt+"="+at, proxyTo+"="+upstream.URL)
	})
	guarded := start(b, func(at string) *exec.Cmd {
		return with(exec.Command(self), proxyAt+"="+at, proxyTo+"="+upstream.URL, proxyHas+"=require")
	})
	gateway := func(more ...string) *process {
		return start(b, func(at string) *exec.Cmd {
			_, port, _ := net.SplitHostPort(at)
			return with(exec.Command(built), append(more, "PORT="+port, "UPSTREAM_URL="+upstream.URL, "NEXTAUTH_URL=https://app.example/api/auth", "NEXT_AUTH_SECRET="+text,
				"NEXT_AUTH_SSO_PROVIDERS=github", "GITHUB_CLIENT_ID=id", "GITHUB_CLIENT_SECRET=a-client-secret-4711", "ACCESS_CODE=4f1d0c9b7a6e5d3c2b1a09f8e7d6c5b4")...)
		})
	}
	for name, p := range map[string]*process{"Require": guarded, "gateway": gateway(), "gateway, its log unbuffered": gateway("GATEWAY_LOG_UNBUFFERED=1")} {
		b.Run(name, func(b *testing.B) {
			var ratios []float64
			for b.Loop() {
				in := bare.spent(b, list)
				ratios = append(ratios, float64(p.spent(b, list))/float64(in))
			}
			slices.Sort(ratios)
			at := func(share float64) float64 { return ratios[int(share*float64(len(ratios)-1))] }
			b.ReportMetric(at(0.5), "floors")
			b.ReportMetric((at(0.75)-at(0.25))/2, "spread")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func with(c *exec.Cmd, env ...string) *exec.Cmd {
	c.Env = append(os.Environ(), env...)
	return c
}

// process is a proxy that runs.
type process struct {
	address string
	pid     int
	client  *http.Client
}

func start(b *testing.B, command func(at string) *exec.Cmd) *process {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	at := listener.Addr().String()
	require.NoError(b, listener.Close())
	log, err := os.Create(filepath.Join(b.TempDir(), "log"))
	require.NoError(b, err)
	c := command(at)
	c.Stderr = log
	require.NoError(b, c.Start())
	b.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	p := &process{address: at, pid: c.Process.Pid, client: &http.Client{
		Transport:     &http.Transport{MaxIdleConns: 64, MaxIdleConnsPerHost: 64, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	require.Eventually(b, func() bool {
		conn, err := net.Dial("tcp", at)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
	return p
}

// spent is what p takes of the processor for 16,000 requests.
func (p *process) spent(b *testing.B, list []*http.Request) time.Duration {
	before := p.processor(b)
	var wait sync.WaitGroup
	for _, of := range list {
		wait.Go(func() {
			for range 500 {
				r, err := http.NewRequest("GET", "http://"+p.address+"/page", nil)
				if err != nil {
					panic(err)
				}
				r.Header.Set("Cookie", of.Header.Get("Cookie"))
				resp, err := p.client.Do(r)
				if err != nil {
					panic(err)
				}
				n, err := io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if err != nil || n != 1024 || resp.StatusCode != http.StatusOK {
					panic(fmt.Sprint("answered ", resp.StatusCode, ", ", n, " bytes: ", err))
				}
			}
		})
	}
	wait.Wait()
	return p.processor(b) - before
}

// processor is the time that p has had of it: proc(5), in hundredths of a second.
func (p *process) processor(b *testing.B) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	require.NoError(b, err)
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	require.NoError(b, err)
	system, err := strconv.Atoi(fields[12])
	require.NoError(b, err)
	return time.Duration(user+system) * 10 * time.Millisecond
}
