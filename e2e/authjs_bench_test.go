package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/session"
)

// typical is a session of some 400 bytes of JSON.
func typical() *session.Session {
	return &session.Session{Subject: "auth0|65f1c0ffee0123456789abcd", Name: "Ada Lovelace", Email: "ada.lovelace@example.com",
		Picture: "https://avatars.example.com/u/4711?v=4&size=96"}
}

// cookieOf is the Cookie header of a typical session.
func cookieOf(b *testing.B, m *session.Manager) string {
	w := httptest.NewRecorder()
	require.NoError(b, m.Start(w, requestWith(""), typical(), false))
	return sent(w)
}

// each is the nanoseconds of one call of work.
func each(work func()) func() float64 {
	const n = 2000
	return func() float64 {
		begun := time.Now()
		for range n {
			work()
		}
		return float64(time.Since(begun).Nanoseconds()) / n
	}
}

// times is how many times as long theirs takes as ours: the median of rounds
// that alternate, so that a busy machine is as busy for both.
func times(theirs, ours func() float64) float64 {
	theirs() // warms up
	var ratios []float64
	for range 9 {
		t := theirs()
		ratios = append(ratios, t/ours())
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header       { return n.h }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}

// BenchmarkTokens reads and writes the same session here, in @auth/core, and in
// go-jose with encoding/json: how many times as long they take is reported. What
// is read first was never seen by the process before.
func BenchmarkTokens(b *testing.B) {
	name := cookieNameOf(false, false)
	m := managerOf(b, tokenSecrets[:1])
	again := requestWith(cookieOf(b, m))
	token := joined(again.Header.Get("Cookie"))
	payload, err := session.NewCodec(name, secretsOf(tokenSecrets[:1])).Open(token)
	require.NoError(b, err)
	node := startNode(b, map[string]any{"name": name, "secret": tokenSecrets[0], "token": token, "claims": json.RawMessage(payload)})
	decode, encode := goJose(b, keyOf(tokenSecrets[0], name, 64), payload)

	var fresh []*http.Request // more than are remembered
	for range 10_000 {
		fresh = append(fresh, requestWith(cookieOf(b, m)))
	}
	n, w, s, without := 0, nowhere{http.Header{}}, typical(), requestWith("")
	load := func(r *http.Request) {
		if s, _ := m.Load(r, false); s == nil {
			b.Fatal("no session")
		}
	}
	for _, one := range []struct {
		name   string
		work   func()
		node   string
		goJose func()
	}{
		{"decode first", func() { n++; load(fresh[n%len(fresh)]) }, "decode", decode},
		{"decode again", func() { load(again) }, "decode", decode},
		{"encode", func() { clear(w.h); _ = m.Start(w, without, s, false) }, "encode", encode},
	} {
		b.Run(one.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				one.work()
			}
			b.ReportMetric(times(func() float64 { return node(one.node) }, each(one.work)), "x-authjs")
			b.ReportMetric(times(each(one.goJose), each(one.work)), "x-go-jose")
		})
	}
}

// startNode returns a function that has @auth/core work, in a process of its own,
// and gives the nanoseconds of each time.
func startNode(b *testing.B, session any) func(work string) float64 {
	node := exec.Command("node", "authjs/bench.mjs")
	node.Stderr = os.Stderr
	input, err := node.StdinPipe()
	require.NoError(b, err)
	output, err := node.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, node.Start())
	b.Cleanup(func() { input.Close(); _ = node.Wait() })
	lines := bufio.NewScanner(output)
	ask := json.NewEncoder(input)
	require.NoError(b, ask.Encode(session))
	return func(work string) float64 {
		require.NoError(b, ask.Encode(map[string]any{"work": work, "n": 1000}))
		require.True(b, lines.Scan())
		took, err := strconv.ParseFloat(lines.Text(), 64)
		require.NoError(b, err)
		return took
	}
}

// goJose are the same two ways by that library, with a key that is kept.
func goJose(b *testing.B, key, payload []byte) (decode, encode func()) {
	type content struct {
		Sub, Name, Email, Picture, Jti string
		AuthTime                       int64 `json:"auth_time"`
		Iat, Exp                       int64
	}
	var c content
	require.NoError(b, json.Unmarshal(payload, &c))
	e, err := jose.NewEncrypter(jose.A256CBC_HS512, jose.Recipient{Algorithm: jose.DIRECT, Key: key}, nil)
	require.NoError(b, err)
	var token string
	encode = func() {
		raw, _ := json.Marshal(c)
		jwe, err := e.Encrypt(raw)
		if err == nil {
			token, err = jwe.CompactSerialize()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	encode()
	decode = func() {
		jwe, err := jose.ParseEncryptedCompact(token, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256CBC_HS512})
		if err != nil {
			b.Fatal(err)
		}
		raw, err := jwe.Decrypt(key)
		var c content
		if err != nil || json.Unmarshal(raw, &c) != nil || c.Name == "" {
			b.Fatal("no session")
		}
	}
	return decode, encode
}

// BenchmarkRequests sends the same requests, over connections that are kept, to
// Express with @auth/express and to net/http with Require.
func BenchmarkRequests(b *testing.B) {
	m := managerOf(b, tokenSecrets[:1])
	cookie := cookieOf(b, m)
	express := startExpress(b)
	ours := startRequire(b)
	rate := func(address string, n int) float64 {
		const connections = 4
		rate, err := rateOf(address, cookie, connections, n)
		require.NoError(b, err)
		return rate
	}
	ratio := times(func() float64 { return 1 / rate(express, 1000) }, func() float64 { return 1 / rate(ours, 20_000) })
	b.ReportMetric(0, "ns/op") // the benchmark's own time says nothing
	b.ReportMetric(rate(ours, 20_000), "requests/s")
	b.ReportMetric(rate(express, 1000), "express-requests/s")
	b.ReportMetric(ratio, "x-express")
}

func startExpress(b *testing.B) (address string) {
	node := exec.Command("node", "authjs/express.mjs")
	node.Env, node.Stderr = append(os.Environ(), "SECRET="+tokenSecrets[0], "NODE_ENV=production"), os.Stderr
	output, err := node.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, node.Start())
	b.Cleanup(func() { _ = node.Process.Kill(); _ = node.Wait() })
	port, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(b, err)
	return "127.0.0.1:" + strings.TrimSpace(port)
}

func startRequire(b *testing.B) (address string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	p, err := oidc.New(oidc.Config{Name: "oidc", Issuer: "https://issuer.example", ClientID: "app", ClientSecret: auth.NewSecret("unused")})
	require.NoError(b, err)
	a, err := auth.New(auth.Config{Secrets: secretsOf(tokenSecrets[:1]), URL: "http://" + listener.Addr().String(), Providers: []auth.Provider{p}})
	require.NoError(b, err)
	server := &http.Server{Handler: a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := auth.FromContext(r.Context())
		_, _ = io.WriteString(w, s.Name)
	}))}
	go func() { _ = server.Serve(listener) }()
	b.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

// rateOf sends n requests and returns how many were answered in a second.
func rateOf(address, cookie string, connections, n int) (float64, error) {
	request := []byte("GET / HTTP/1.1\r\nHost: " + address + "\r\nCookie: " + cookie + "\r\n\r\n")
	failures := make([]error, connections)
	var all sync.WaitGroup
	begun := time.Now()
	for i := range connections {
		share := n / connections
		if i < n%connections {
			share++
		}
		all.Go(func() { failures[i] = sendTo(address, request, share) })
	}
	all.Wait()
	return float64(n) / time.Since(begun).Seconds(), errors.Join(failures...)
}

// sendTo sends n requests, one after another, over one connection.
func sendTo(address string, request []byte, n int) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	answers := bufio.NewReader(conn)
	for range n {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		if err := skipAnswer(answers); err != nil {
			return err
		}
	}
	return nil
}

// skipAnswer reads one answer, which must be the person's name.
func skipAnswer(answers *bufio.Reader) error {
	for first := true; ; first = false {
		line, err := answers.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.Contains(line, []byte(" 200 ")) {
			return fmt.Errorf("answered %s", line)
		}
		if len(line) == 2 {
			break
		}
	}
	body := make([]byte, len(typical().Name))
	if _, err := io.ReadFull(answers, body); err != nil {
		return err
	}
	if string(body) != typical().Name {
		return fmt.Errorf("answered %q", body)
	}
	return nil
}
