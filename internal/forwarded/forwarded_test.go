package forwarded_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/forwarded"
)

func request(remote, host string, secure bool, headers ...string) *http.Request {
	r := &http.Request{RemoteAddr: remote, Host: host, Header: http.Header{}}
	if secure {
		r.TLS = &tls.ConnectionState{}
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

const near, private, far, socket = "127.0.0.1:1", "10.0.0.2:1", "203.0.113.9:1", "@"

// Proxies as Config makes them: by default, in front of an application whose
// proxies write Forwarded, with networks of its own, and without any.
func proxies(t *testing.T, c forwarded.Config) *forwarded.Proxies {
	t.Helper()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	p, err := forwarded.New(c)
	require.NoError(t, err)
	return p
}

var (
	byDefault = forwarded.Config{}
	standard  = forwarded.Config{Forwarded: true}
	listed    = forwarded.Config{Trusted: []string{"127.0.0.0/8", "10.0.0.0/8", "fc00::/7"}}
	nobody    = forwarded.Config{Trusted: []string{}}
)

func TestClient(t *testing.T) { // AC-02, HO-02
	const xff = "X-Forwarded-For"
	for name, test := range map[string]struct {
		c    forwarded.Config
		peer string
		h    []string
		want string
	}{
		"direct":                      {byDefault, far, nil, "203.0.113.9"},
		"made up":                     {byDefault, far, []string{xff, "1.2.3.4"}, "203.0.113.9"},
		"one proxy":                   {byDefault, near, []string{xff, "1.2.3.4"}, "1.2.3.4"},
		"made up before a proxy":      {byDefault, near, []string{xff, "9.9.9.9, 1.2.3.4"}, "1.2.3.4"},
		"two lines":                   {byDefault, near, []string{xff, "9.9.9.9", xff, "1.2.3.4"}, "1.2.3.4"},
		"two proxies":                 {listed, near, []string{xff, "9.9.9.9, 1.2.3.4, 10.0.0.7"}, "1.2.3.4"},
		"two on one host":             {byDefault, near, []string{xff, "9.9.9.9, 1.2.3.4, 127.0.0.7"}, "1.2.3.4"},
		"only proxies":                {listed, near, []string{xff, "10.0.0.8, 10.0.0.7"}, "10.0.0.8"},
		"nothing":                     {byDefault, near, nil, "127.0.0.1"},
		"an empty header":             {byDefault, near, []string{xff, " "}, "127.0.0.1"},
		"nonsense next to us":         {byDefault, near, []string{xff, "1.2.3.4, unknown"}, "127.0.0.1"},
		"nothing next to us":          {byDefault, near, []string{xff, "1.2.3.4,"}, "127.0.0.1"},
		"nonsense behind a proxy":     {listed, near, []string{xff, "evil, 10.0.0.7"}, "10.0.0.7"},
		"a port":                      {byDefault, near, []string{xff, "1.2.3.4:5678"}, "1.2.3.4"},
		"IPv6":                        {byDefault, near, []string{xff, "2001:db8::1"}, "2001:db8::1"},
		"IPv6 in brackets, with port": {byDefault, near, []string{xff, "[2001:db8::1]:5678"}, "2001:db8::1"},
		"v4 in v6":                    {byDefault, "[::ffff:127.0.0.1]:1", []string{xff, "::ffff:1.2.3.4"}, "1.2.3.4"},
		"IPv6 loopback":               {byDefault, "[::1]:1", []string{xff, "1.2.3.4"}, "1.2.3.4"},
		"a proxy without a port":      {byDefault, "127.0.0.1", []string{xff, "1.2.3.4"}, "invalid IP"},
		"a zone":                      {listed, "[fc00::1%eth0]:1", []string{xff, "fe80::2%eth1"}, "fe80::2"},

		// Private networks have people in them.
		"a private peer":               {byDefault, private, []string{xff, "1.2.3.4"}, "10.0.0.2"},
		"a private peer, IPv6":         {byDefault, "[fc00::1]:1", []string{xff, "1.2.3.4"}, "fc00::1"},
		"a private client":             {byDefault, near, []string{xff, "9.9.9.9, 192.168.1.7"}, "192.168.1.7"},
		"a private peer that is named": {listed, private, []string{xff, "1.2.3.4"}, "1.2.3.4"},
		"a peer that is not named":     {listed, "192.168.1.7:1", []string{xff, "1.2.3.4"}, "192.168.1.7"},
		"loopback that is not named":   {forwarded.Config{Trusted: []string{"10.0.0.0/8"}}, near, []string{xff, "1.2.3.4"}, "127.0.0.1"},
		"nobody is trusted":            {nobody, near, []string{xff, "1.2.3.4"}, "127.0.0.1"},

		// A Unix socket's peer has no address to forge.
		"a Unix socket":                     {byDefault, socket, []string{xff, "9.9.9.9, 1.2.3.4"}, "1.2.3.4"},
		"a Unix socket, elsewhere":          {byDefault, "", []string{xff, "1.2.3.4"}, "1.2.3.4"},
		"a Unix socket, a list":             {listed, socket, []string{xff, "9.9.9.9, 1.2.3.4, 10.0.0.7"}, "1.2.3.4"},
		"a Unix socket, nobody trusted":     {nobody, socket, []string{xff, "1.2.3.4"}, "invalid IP"},
		"a Unix socket, nothing said":       {byDefault, socket, nil, "invalid IP"},
		"a Unix socket, a private client":   {byDefault, socket, []string{xff, "9.9.9.9, 10.0.0.7"}, "10.0.0.7"},
		"a Unix socket, Forwarded":          {standard, socket, []string{"Forwarded", "for=1.2.3.4"}, "1.2.3.4"},
		"a Unix socket, Forwarded ignored":  {byDefault, socket, []string{"Forwarded", "for=1.2.3.4"}, "invalid IP"},
		"an address that is none of theirs": {byDefault, "/", []string{xff, "1.2.3.4"}, "invalid IP"},

		"Forwarded":                   {standard, near, []string{"Forwarded", `for=9.9.9.9, For="[2001:db8::1]:80";proto=https`}, "2001:db8::1"},
		"Forwarded for nobody":        {standard, near, []string{"Forwarded", "proto=https"}, "127.0.0.1"},
		"Forwarded behind a proxy":    {forwarded.Config{Trusted: listed.Trusted, Forwarded: true}, near, []string{"Forwarded", "for=1.2.3.4, for=10.0.0.7"}, "1.2.3.4"},
		"Forwarded in two lines":      {standard, near, []string{"Forwarded", "for=9.9.9.9", "Forwarded", "for=1.2.3.4"}, "1.2.3.4"},
		"Forwarded, hidden":           {standard, near, []string{"Forwarded", "for=9.9.9.9, for=_hidden"}, "127.0.0.1"},
		"Forwarded, then not":         {standard, near, []string{"Forwarded", "for=9.9.9.9, proto=https"}, "127.0.0.1"},
		"Forwarded, in quotes":        {standard, near, []string{"Forwarded", `for="1.2.3.4"`}, "1.2.3.4"},
		"Forwarded, empty parameters": {standard, near, []string{"Forwarded", "; by=10.0.0.1 ;; for=1.2.3.4;"}, "1.2.3.4"},
		"Forwarded, twice":            {standard, near, []string{"Forwarded", "for=1.2.3.4;for=9.9.9.9"}, "127.0.0.1"},
		"Forwarded, no parameter":     {standard, near, []string{"Forwarded", "for=1.2.3.4;nonsense"}, "127.0.0.1"},
		"Forwarded from a stranger":   {standard, far, []string{"Forwarded", "for=1.2.3.4"}, "203.0.113.9"},

		// One kind counts, and the other one's contradiction.
		"the other kind":                    {byDefault, near, []string{"Forwarded", "for=9.9.9.9"}, "127.0.0.1"},
		"the other kind, Forwarded counts":  {standard, near, []string{xff, "9.9.9.9"}, "127.0.0.1"},
		"contradicted":                      {byDefault, near, []string{xff, "1.2.3.4", "Forwarded", "for=9.9.9.9"}, "127.0.0.1"},
		"contradicted, Forwarded counts":    {standard, near, []string{xff, "9.9.9.9", "Forwarded", "for=1.2.3.4"}, "127.0.0.1"},
		"contradicted by what is unknown":   {byDefault, near, []string{xff, "9.9.9.9", "Forwarded", "for=_hidden"}, "127.0.0.1"},
		"contradicted by what is malformed": {byDefault, near, []string{xff, "9.9.9.9", "Forwarded", "nonsense"}, "127.0.0.1"},
		"contradicted by the last":          {byDefault, near, []string{xff, "9.9.9.9", "Forwarded", "for=9.9.9.9, proto=https"}, "127.0.0.1"},
		"confirmed":                         {byDefault, near, []string{xff, "1.2.3.4", "Forwarded", `for="1.2.3.4:80"`}, "1.2.3.4"},
		"confirmed, Forwarded counts":       {standard, near, []string{xff, "9.9.9.9, 1.2.3.4", "Forwarded", "for=1.2.3.4"}, "1.2.3.4"},
		"not spoken of":                     {byDefault, near, []string{xff, "1.2.3.4", "Forwarded", "proto=https"}, "1.2.3.4"},
		"not spoken of, empty":              {standard, near, []string{xff, "", "Forwarded", "for=1.2.3.4"}, "1.2.3.4"},
		"contradicted over a socket":        {byDefault, socket, []string{xff, "1.2.3.4", "Forwarded", "for=9.9.9.9"}, "invalid IP"},
	} {
		require.Equal(t, test.want, proxies(t, test.c).Client(request(test.peer, "x", false, test.h...)).String(), name)
	}
}

func TestClientAddsNothingToTheChain(t *testing.T) { // AC-02, HO-02
	for name, header := range map[string]string{
		"a comma in a host":            `for=203.0.113.9;host="x,for=9.9.9.9"`,
		"a comma, and a parameter":     `for=203.0.113.9;host="x,for=9.9.9.9;a="`,
		"a semicolon in a host":        `for=203.0.113.9;host="x;for=9.9.9.9"`,
		"a semicolon, and a parameter": `for=203.0.113.9;host="x;for=9.9.9.9;a="`,
		"an escaped quote":             `for=203.0.113.9;host="x\";for=9.9.9.9;a="`,
		"half a quoted string":         `for="9.9.9.9`,
		"the other half":               `for=9.9.9.9"`,
		"a cut address":                `for=11.2.3.4"`,
		"another":                      `for="1.2.3.44`,
		"one quote":                    `for=203.0.113.9;host=";for=9.9.9.9`,
	} {
		require.Equal(t, "127.0.0.1", proxies(t, standard).Client(request(near, "x", false, "Forwarded", header)).String(), name)
	}
	// A quote that the client left open swallows nothing that a proxy adds.
	for _, header := range []string{`for="x, for=203.0.113.9`, `for=9.9.9.9;a=", for="203.0.113.9"`, `", for=203.0.113.9;host="app.example"`} {
		require.Equal(t, "203.0.113.9", proxies(t, standard).Client(request(near, "x", false, "Forwarded", header)).String(), header)
	}
}

func TestLongChains(t *testing.T) { // AC-02
	hops := func(n int) (list string) {
		for i := n; i > 0; i-- {
			list += fmt.Sprintf("10.0.0.%d", i)
			if i > 1 {
				list += ", "
			}
		}
		return list
	}
	for n, want := range map[int]string{1: "10.0.0.1", 31: "10.0.0.31", 32: "10.0.0.32", 33: "10.0.0.32", 200: "10.0.0.32"} {
		require.Equal(t, want, proxies(t, listed).Client(request(near, "x", false, "X-Forwarded-For", hops(n))).String(), n)
	}
}

// TestUnixSocketIsWhereTheServerListens: an address that a middleware made of a
// header is no Unix socket's, even where it looks like one.
func TestUnixSocketIsWhereTheServerListens(t *testing.T) { // AC-02
	over := func(local net.Addr, remote string) string {
		r := request(remote, "x", false, "X-Forwarded-For", "1.2.3.4")
		return proxies(t, byDefault).Client(r.WithContext(context.WithValue(context.Background(), http.LocalAddrContextKey, local))).String()
	}
	tcp, unix := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}, &net.UnixAddr{Name: "/run/app.sock", Net: "unix"}
	require.Equal(t, "invalid IP", over(tcp, "@"))
	require.Equal(t, "invalid IP", over(tcp, ""))
	require.Equal(t, "1.2.3.4", over(unix, "@"))
	require.Equal(t, "1.2.3.4", over(unix, "/run/proxy.sock"), "the proxy's end may have a name")
	require.Equal(t, "203.0.113.9", over(unix, far), "an address counts where there is one")

	listener, err := net.Listen("unix", t.TempDir()+"/s")
	require.NoError(t, err)
	clients := make(chan string, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		clients <- proxies(t, byDefault).Client(r).String()
	})}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	conn, err := net.Dial("unix", listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n")
	require.NoError(t, err)
	require.Equal(t, "1.2.3.4", <-clients)
}

func TestDefault(t *testing.T) { // AC-02
	for ip, want := range map[string]bool{
		"127.0.0.1": true, "127.255.255.255": true, "10.0.0.0": true, "10.255.255.255": true, "172.16.0.0": true, "172.31.255.255": true, "192.168.0.0": true, "192.168.255.255": true, "[::1]": true, "[fc00::]": true, "[fdff::1]": true, "100.64.0.0": true, "100.127.255.255": true,
		"126.255.255.255": false, "128.0.0.0": false, "9.255.255.255": false, "11.0.0.0": false, "172.15.255.255": false, "172.32.0.0": false, "192.167.255.255": false, "192.169.0.0": false, "[::2]": false, "[fbff::]": false, "[fe00::]": false,
		"169.254.1.1": false, "100.63.255.255": false, "100.128.0.0": false, "[fe80::1]": false, "0.0.0.0": false,
	} {
		r := request(ip+":1", "x", false, "X-Forwarded-For", "1.2.3.4", "X-Forwarded-Host", "app.example")
		p := forwarded.Default(slog.New(slog.DiscardHandler))
		_, host, err := p.Origin(r)
		require.NoError(t, err)
		require.Equal(t, want, host == "app.example", ip)
		loopback := strings.HasPrefix(ip, "127.") || ip == "[::1]"
		require.Equal(t, loopback, p.Client(r).String() == "1.2.3.4", ip)
	}
}

func TestOrigin(t *testing.T) { // HO-01, HO-02, HO-03
	const xfh, xfp, xff, port, cf = "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For", "X-Forwarded-Port", "CloudFront-Forwarded-Proto"
	for name, test := range map[string]struct {
		c    forwarded.Config
		r    *http.Request
		want string // empty: an error
	}{
		"plain":             {byDefault, request(far, "app.example", false), "http://app.example"},
		"TLS":               {byDefault, request(far, "app.example", true), "https://app.example"},
		"port":              {byDefault, request(far, "app.example:8080", false), "http://app.example:8080"},
		"default port":      {byDefault, request(far, "app.example:443", true), "https://app.example"},
		"upper case":        {byDefault, request(far, "App.Example", true), "https://app.example"},
		"a dot at the end":  {byDefault, request(far, "app.example.", true), "https://app.example"},
		"a dot and a port":  {byDefault, request(far, "app.example.:8443", true), "https://app.example:8443"},
		"zeros":             {byDefault, request(far, "app.example:0443", true), "https://app.example"},
		"IPv6":              {byDefault, request(far, "[::1]:3000", false), "http://[::1]:3000"},
		"not trusted":       {byDefault, request(far, "app.example", false, xfh, "evil.example", xfp, "https"), "http://app.example"},
		"trusted":           {byDefault, request(near, "internal", false, xfh, "app.example", xfp, "https"), "https://app.example"},
		"private":           {byDefault, request("192.168.1.2:9", "internal", false, xfh, "app.example"), "http://app.example"},
		"v4 in v6":          {byDefault, request("[::ffff:10.0.0.1]:9", "internal", false, xfh, "app.example"), "http://app.example"},
		"Unix socket":       {byDefault, request(socket, "internal", false, xfh, "app.example", xfp, "https"), "https://app.example"},
		"Unix socket alone": {nobody, request(socket, "internal", false, xfh, "evil.example", xfp, "https"), "http://internal"},
		"list":              {byDefault, request(near, "internal", false, xfh, "evil.example, app.example"), "http://app.example"},
		"two lines":         {byDefault, request(near, "internal", false, xfh, "evil.example", xfh, "app.example"), "http://app.example"},
		"schemes":           {byDefault, request(near, "app.example", false, xfp, "http, https"), "https://app.example"},

		"default port of http":             {byDefault, request(far, "app.example:80", false), "http://app.example"},
		"default port of the other scheme": {byDefault, request(far, "app.example:80", true), "https://app.example:80"},
		"default port behind a proxy":      {byDefault, request(near, "internal", false, xfh, "app.example:443", xfp, "HTTPS"), "https://app.example"},
		"http in front of TLS":             {byDefault, request(near, "app.example", true, xfp, "http"), "http://app.example"},
		"empty headers":                    {byDefault, request(near, "app.example", false, "Forwarded", "", xfh, "", xfp, ""), "http://app.example"},

		"Forwarded":                        {standard, request(near, "internal", false, "Forwarded", `for=1.2.3.4;host=evil, for=5.6.7.8;proto=https;host="app.example:8443"`), "https://app.example:8443"},
		"Forwarded, a stranger's":          {standard, request(far, "app.example", false, "Forwarded", "host=evil.example;proto=https"), "http://app.example"},
		"Forwarded for a scheme alone":     {standard, request(near, "app.example", false, "Forwarded", "Proto=https;secret=x"), "https://app.example"},
		"Forwarded for a host alone":       {standard, request(near, "internal", true, "Forwarded", "HOST=app.example"), "https://app.example"},
		"Forwarded, empty parameters":      {standard, request(near, "app.example", false, "Forwarded", "for=1.2.3.4; proto=https;"), "https://app.example"},
		"Forwarded, empty":                 {standard, request(near, "app.example", false, "Forwarded", ""), "http://app.example"},
		"Forwarded, an empty string":       {standard, request(near, "app.example", false, "Forwarded", `proto="https";host=""`), "https://app.example"},
		"Forwarded, host twice":            {standard, request(near, "internal", false, "Forwarded", "host=app.example;host=evil.example"), ""},
		"Forwarded, proto twice":           {standard, request(near, "internal", false, "Forwarded", "proto=https;proto=http"), ""},
		"Forwarded, half a quoted string":  {standard, request(near, "internal", false, "Forwarded", `host="x;host=evil.example;a="`), ""},
		"Forwarded, a quote":               {standard, request(near, "internal", false, "Forwarded", `host="`), ""},
		"Forwarded, malformed":             {standard, request(near, "internal", false, "Forwarded", "nonsense"), ""},
		"Forwarded, malformed, a stranger": {standard, request(far, "app.example", false, "Forwarded", "nonsense"), "http://app.example"},

		// One kind counts, and the other one's contradiction.
		"the other kind":                       {byDefault, request(near, "app.example", false, "Forwarded", "host=evil.example;proto=https"), "http://app.example"},
		"the other kind, Forwarded counts":     {standard, request(near, "app.example", false, xfh, "evil.example", xfp, "https"), "http://app.example"},
		"the host contradicted":                {byDefault, request(near, "internal", false, xfh, "a.example", xfp, "https", "Forwarded", "host=b.example"), "http://internal"},
		"the host contradicted, Forwarded":     {standard, request(near, "internal", false, xfh, "a.example", "Forwarded", "host=b.example;proto=https"), "http://internal"},
		"the scheme contradicted":              {byDefault, request(near, "internal", false, xfh, "a.example", xfp, "https", "Forwarded", "proto=http"), "http://internal"},
		"the scheme contradicted on TLS":       {byDefault, request(near, "internal", true, xfp, "http", "Forwarded", "proto=https"), "https://internal"},
		"contradicted by a malformed element":  {byDefault, request(near, "internal", false, xfh, "a.example", "Forwarded", "nonsense"), "http://internal"},
		"contradicted by a malformed host":     {byDefault, request(near, "internal", false, xfh, "a.example", "Forwarded", "host=a/b"), "http://internal"},
		"malformed, and contradicted":          {byDefault, request(near, "internal", false, xfh, "a/b", "Forwarded", "host=a.example"), ""},
		"contradicted, and Host is malformed":  {byDefault, request(near, "a b", false, xfh, "a.example", "Forwarded", "host=b.example"), ""},
		"confirmed":                            {byDefault, request(near, "internal", false, xfh, "App.example", xfp, "https", "Forwarded", "host=app.example;proto=HTTPS"), "https://app.example"},
		"confirmed with the port":              {standard, request(near, "internal", false, xfh, "app.example:443", xfp, "https", "Forwarded", "host=app.example.;proto=https"), "https://app.example"},
		"the scheme alone, and another host":   {byDefault, request(near, "app.example", false, xfp, "https", "Forwarded", "host=evil.example"), "https://app.example"},
		"the host alone, and another scheme":   {byDefault, request(near, "internal", false, xfh, "app.example", "Forwarded", "proto=https"), "http://app.example"},
		"the scheme confirmed, another host":   {byDefault, request(near, "app.example", false, xfp, "https", "Forwarded", "proto=https;host=evil.example"), "https://app.example"},
		"the other kind speaks of the client":  {byDefault, request(near, "internal", false, xfh, "app.example", "Forwarded", "for=9.9.9.9"), "http://app.example"},
		"the other kind says nothing readable": {byDefault, request(near, "app.example", false, "Forwarded", "nonsense"), "http://app.example"},

		// A list of schemes: entries count that proxies of ours wrote, and of those https.
		"https, then http, one proxy of ours":     {byDefault, request(private, "app.example", false, xff, "203.0.113.9", xfp, "https,http"), "http://app.example"},
		"https, then http, and no list of theirs": {byDefault, request(private, "app.example", false, xfp, "https,http"), "http://app.example"},
		"https, then http, two proxies of ours":   {byDefault, request(private, "app.example", false, xff, "203.0.113.9, 10.0.0.7", xfp, "https, http"), "https://app.example"},
		"in two lines":                            {byDefault, request(private, "app.example", false, xff, "203.0.113.9", xff, "10.0.0.7", xfp, "https", xfp, "http"), "https://app.example"},
		"three, made up by the client":            {byDefault, request(private, "app.example", false, xff, "203.0.113.9, 10.0.0.7", xfp, "https, http, http"), "http://app.example"},
		"three proxies of ours":                   {byDefault, request(private, "app.example", false, xff, "203.0.113.9, 10.0.0.8, 10.0.0.7", xfp, "https, http, http"), "https://app.example"},
		"https in the middle":                     {byDefault, request(private, "app.example", false, xff, "203.0.113.9, 10.0.0.8, 10.0.0.7", xfp, "http, https, http"), "https://app.example"},
		"a stranger between":                      {byDefault, request(private, "app.example", false, xff, "10.0.0.8, 203.0.113.9, 10.0.0.7", xfp, "https, http, http"), "http://app.example"},
		"nonsense between":                        {byDefault, request(private, "app.example", false, xff, "10.0.0.8, unknown, 10.0.0.7", xfp, "https, http, http"), "http://app.example"},
		"a client on the private network":         {byDefault, request(private, "app.example", false, xff, "192.168.1.7", xfp, "https, http"), "https://app.example"},
		"a chain that is not listed":              {forwarded.Config{Trusted: []string{"10.0.0.2"}}, request(private, "app.example", false, xff, "203.0.113.9, 10.0.0.7", xfp, "https, http"), "http://app.example"},
		"no downgrade by the client":              {byDefault, request(private, "app.example", false, xff, "203.0.113.9, 10.0.0.7", xfp, "http, https"), "https://app.example"},
		"a list of strangers":                     {byDefault, request(far, "app.example", false, xff, "10.0.0.7", xfp, "https, http"), "http://app.example"},
		"nonsense at the end":                     {byDefault, request(private, "app.example", false, xff, "10.0.0.7", xfp, "https, x"), ""},
		"nonsense in front":                       {byDefault, request(private, "app.example", false, xff, "10.0.0.7", xfp, "x, http"), "http://app.example"},
		"nothing at the end":                      {byDefault, request(private, "app.example", false, xfp, "https,"), "http://app.example"},
		"a WebSocket":                             {byDefault, request(private, "app.example", false, xfp, "wss"), "https://app.example"},
		"a WebSocket without TLS":                 {byDefault, request(private, "app.example", true, xfp, "WS"), "http://app.example"},
		"a WebSocket, a stranger's":               {byDefault, request(far, "app.example", false, xfp, "wss"), "http://app.example"},

		"X-Forwarded-Ssl":                  {byDefault, request(near, "app.example", false, "X-Forwarded-Ssl", "on"), "https://app.example"},
		"X-Forwarded-Ssl, upper case":      {byDefault, request(near, "app.example", false, "X-Forwarded-Ssl", "ON"), "https://app.example"},
		"X-Forwarded-Ssl off":              {byDefault, request(near, "app.example", true, "X-Forwarded-Ssl", "off"), "https://app.example"},
		"X-Forwarded-Ssl, odd":             {byDefault, request(near, "app.example", false, "X-Forwarded-Ssl", "true"), "http://app.example"},
		"X-Forwarded-Ssl, a stranger's":    {byDefault, request(far, "app.example", false, "X-Forwarded-Ssl", "on"), "http://app.example"},
		"X-Forwarded-Ssl beside a scheme":  {byDefault, request(near, "app.example", false, "X-Forwarded-Ssl", "on", xfp, "http"), "http://app.example"},
		"X-Forwarded-Ssl beside Forwarded": {standard, request(near, "app.example", false, "X-Forwarded-Ssl", "on"), "http://app.example"},
		"X-Forwarded-Ssl contradicted":     {byDefault, request(near, "app.example", false, "X-Forwarded-Ssl", "on", "Forwarded", "proto=http"), "http://app.example"},

		"CloudFront":                   {byDefault, request(near, "app.example", false, cf, "https"), "https://app.example"},
		"CloudFront by http":           {byDefault, request(near, "app.example", true, cf, "http"), "http://app.example"},
		"CloudFront, then a balancer":  {byDefault, request(private, "app.example", false, cf, "https", xfp, "http"), "https://app.example"},
		"CloudFront lowers nothing":    {byDefault, request(private, "app.example", false, cf, "http", xfp, "https"), "https://app.example"},
		"CloudFront, odd":              {byDefault, request(near, "app.example", false, cf, "javascript"), "http://app.example"},
		"CloudFront, a stranger's":     {byDefault, request(far, "app.example", false, cf, "https"), "http://app.example"},
		"CloudFront, Forwarded counts": {standard, request(near, "app.example", false, cf, "https"), "http://app.example"},
		"CloudFront mends no nonsense": {byDefault, request(near, "app.example", false, cf, "https", xfp, "x"), ""},

		"a port":                       {byDefault, request(near, "app.example", false, xfp, "https", port, "8443"), "https://app.example:8443"},
		"a port for a forwarded host":  {byDefault, request(near, "internal:3000", false, xfp, "https", xfh, "app.example", port, "8443"), "https://app.example:8443"},
		"a port of IPv6":               {byDefault, request(near, "[::1]", false, port, "8080"), "http://[::1]:8080"},
		"a port, zeros":                {byDefault, request(near, "app.example", false, port, "08080"), "http://app.example:8080"},
		"the last port":                {byDefault, request(near, "app.example", false, port, "1, 8080"), "http://app.example:8080"},
		"a host that has its port":     {byDefault, request(near, "app.example:3000", false, port, "8443"), "http://app.example:3000"},
		"the scheme's own port":        {byDefault, request(near, "app.example", false, xfp, "https", port, "443"), "https://app.example"},
		"the port of http, by https":   {byDefault, request(near, "app.example", false, xfp, "https", port, "80"), "https://app.example"},
		"the port of https, by http":   {byDefault, request(near, "app.example", false, port, "443"), "http://app.example"},
		"a port, odd":                  {byDefault, request(near, "app.example", false, port, "80x"), "http://app.example"},
		"a port, an address":           {byDefault, request(near, "app.example", false, port, "1@evil.example"), "http://app.example"},
		"port 0":                       {byDefault, request(near, "app.example", false, port, "0"), "http://app.example"},
		"a port, out of range":         {byDefault, request(near, "app.example", false, port, "65536"), "http://app.example"},
		"a port, a stranger's":         {byDefault, request(far, "app.example", false, port, "8443"), "http://app.example"},
		"a port, Forwarded counts":     {standard, request(near, "internal", false, port, "8443", "Forwarded", "host=app.example"), "http://app.example"},
		"a port, confirmed":            {byDefault, request(near, "internal", false, xfh, "app.example", port, "8443", "Forwarded", `host="app.example:8443"`), "http://app.example:8443"},
		"a port, contradicted":         {byDefault, request(near, "internal", false, xfh, "app.example", port, "8443", "Forwarded", `host="app.example:9"`), "http://internal"},
		"a port beside the other kind": {byDefault, request(near, "internal", false, xfh, "app.example", port, "8443", "Forwarded", "host=app.example"), "http://app.example:8443"},

		"100.64.0.0/10":                     {byDefault, request("100.64.3.4:5", "app.example", false, xfp, "https"), "https://app.example"},
		"100.64.0.0/10, nobody trusted":     {nobody, request("100.64.3.4:5", "app.example", false, xfp, "https"), "http://app.example"},
		"100.64.0.0/10, none of the listed": {listed, request("100.64.3.4:5", "app.example", false, xfp, "https"), "http://app.example"},

		"scheme":              {byDefault, request(near, "internal", false, xfp, "javascript"), ""},
		"path":                {byDefault, request(near, "internal", false, xfh, "app.example/x"), ""},
		"user":                {byDefault, request(near, "internal", false, xfh, "a@app.example"), ""},
		"CRLF":                {byDefault, request(near, "internal", false, xfh, "app.example\r\nx"), ""},
		"space":               {byDefault, request(near, "a b", false), ""},
		"empty":               {byDefault, request(far, "", false), ""},
		"port text":           {byDefault, request(far, "app.example:http", false), ""},
		"a port out of range": {byDefault, request(far, "app.example:65536", false), ""},
		"dots":                {byDefault, request(far, "app..example", false), ""},
		"zone":                {byDefault, request(far, "[fe80::1%25eth0]", false), ""},
	} {
		t.Run(name, func(t *testing.T) {
			scheme, host, err := proxies(t, test.c).Origin(test.r)
			if test.want == "" {
				require.Error(t, err)
				require.Empty(t, scheme+host)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, scheme+"://"+host)
		})
	}
}

func TestNew(t *testing.T) {
	trusts := func(remote string, list ...string) bool {
		return proxies(t, forwarded.Config{Trusted: list}).Client(request(remote, "x", false, "X-Forwarded-For", "198.51.100.77")).String() == "198.51.100.77"
	}
	list := []string{"203.0.113.0/24", "2001:db8::1"}
	require.True(t, trusts("203.0.113.7:1", list...))
	require.True(t, trusts("[2001:db8::1]:1", list...))
	require.False(t, trusts("127.0.0.1:1", list...))
	require.False(t, trusts("203.0.114.0:1", list...))
	require.False(t, trusts("[2001:db8::2]:1", list...), "an address is itself alone")
	_, err := forwarded.New(forwarded.Config{Trusted: []string{"x", "10.0.0.0/8", "y/3"}})
	require.ErrorContains(t, err, `"x"`)
	require.ErrorContains(t, err, `"y/3"`)
	require.NotContains(t, err.Error(), `"10.0.0.0/8"`)

	list = []string{"203.0.113.9/24", "::ffff:198.51.100.1", "::ffff:192.0.2.0/120", "::ffff:0:0/95"} // AC-02
	require.True(t, trusts("203.0.113.200:1", list...), "the bits behind the length are ignored")
	require.True(t, trusts("198.51.100.1:1", list...), "an IPv4 address in IPv6 clothes is the same")
	require.False(t, trusts("198.51.100.2:1", list...))
	require.True(t, trusts("192.0.2.255:1", list...))
	require.False(t, trusts("192.0.3.0:1", list...))
	require.True(t, trusts("8.8.8.8:1", "::ffff:0:0/96"))
	require.False(t, trusts("[2001:db8::1]:1", "::ffff:0:0/96"))
}

// TestTheLogSaysOnceWhatIsIgnored: with the peer, and the setting that would change it.
func TestTheLogSaysOnceWhatIsIgnored(t *testing.T) { // HO-02
	const xff = "X-Forwarded-For"
	const trust, kind = "Config.TrustedProxies (gateway: TRUSTED_PROXIES)", "Config.Forwarded"
	for name, test := range map[string]struct {
		c       forwarded.Config
		r       *http.Request
		client  []string // what the log says when the client is asked for: a word, the setting
		address []string // and the address
	}{
		"nothing to ignore":            {byDefault, request(far, "x", false), nil, nil},
		"a stranger's":                 {byDefault, request(far, "x", false, xff, "1.2.3.4", "X-Forwarded-Proto", "https"), []string{"no trusted proxy", trust}, []string{"no trusted proxy", trust}},
		"a stranger's host":            {byDefault, request(far, "x", false, "X-Forwarded-Host", "evil.example"), nil, []string{"no trusted proxy", trust}},
		"a stranger's Forwarded":       {byDefault, request(far, "x", false, "Forwarded", "for=1.2.3.4;host=evil.example"), []string{"no trusted proxy", trust}, []string{"no trusted proxy", trust}},
		"nobody is trusted":            {nobody, request(near, "x", false, xff, "1.2.3.4"), []string{"no trusted proxy", trust}, nil},
		"a private proxy":              {byDefault, request(private, "x", false, xff, "1.2.3.4", "X-Forwarded-Proto", "https"), []string{"on a private address", trust}, nil},
		"a private proxy that is told": {listed, request(private, "x", false, xff, "1.2.3.4"), nil, nil},
		"a proxy on this host":         {byDefault, request(near, "x", false, xff, "1.2.3.4", "X-Forwarded-Proto", "https"), nil, nil},
		"the other kind":               {byDefault, request(near, "x", false, "Forwarded", "for=1.2.3.4;proto=https"), []string{"a Forwarded header is ignored", kind}, []string{"a Forwarded header is ignored", kind}},
		"the other kind beside":        {byDefault, request(near, "x", false, xff, "1.2.3.4", "X-Forwarded-Proto", "https", "Forwarded", "for=9.9.9.9;host=evil.example"), []string{"a Forwarded header is ignored", kind}, []string{"a Forwarded header is ignored", kind}},
		"the other kind, X-Forwarded":  {standard, request(near, "x", false, xff, "1.2.3.4", "X-Forwarded-Proto", "https"), []string{"an X-Forwarded-* header is ignored", kind}, []string{"an X-Forwarded-* header is ignored", kind}},
		"a scheme nobody vouches for":  {byDefault, request(near, "x", false, xff, "1.2.3.4", "X-Forwarded-Proto", "https, http"), nil, []string{"X-Forwarded-Proto says https of a hop", "Config.TrustedProxies (gateway: TRUSTED_PROXIES) or Config.URL (NEXTAUTH_URL)"}},
		"a scheme that is vouched for": {byDefault, request(near, "x", false, xff, "1.2.3.4, 10.0.0.7", "X-Forwarded-Proto", "https, http"), nil, nil},
		"a lower scheme in front":      {byDefault, request(near, "x", false, xff, "1.2.3.4", "X-Forwarded-Proto", "http, https"), nil, nil},
		"a port nobody trusts":         {byDefault, request(far, "x", false, "X-Forwarded-Port", "8443"), nil, []string{"no trusted proxy", trust}},
		"TLS that nobody trusts":       {byDefault, request(far, "x", false, "X-Forwarded-Ssl", "on"), nil, []string{"no trusted proxy", trust}},
		"CloudFront, not trusted":      {byDefault, request(far, "x", false, "CloudFront-Forwarded-Proto", "https"), nil, []string{"no trusted proxy", trust}},
		"both kinds agree":             {byDefault, request(near, "x", false, xff, "1.2.3.4", "X-Forwarded-Proto", "https", "Forwarded", "for=1.2.3.4;proto=https"), nil, nil},
	} {
		for asked, ask := range map[string]func(*forwarded.Proxies){
			"client":  func(p *forwarded.Proxies) { p.Client(test.r) },
			"address": func(p *forwarded.Proxies) { _, _, _ = p.Origin(test.r) },
		} {
			t.Run(name+", "+asked, func(t *testing.T) {
				var log bytes.Buffer
				c := test.c
				c.Logger = slog.New(slog.NewTextHandler(&log, nil))
				p := proxies(t, c)
				ask(p)
				ask(p)
				want := test.client
				if asked == "address" {
					want = test.address
				}
				if want == nil {
					require.Empty(t, log.String())
					return
				}
				require.Equal(t, 1, strings.Count(log.String(), "\n"), "once")
				require.Contains(t, log.String(), "level=WARN")
				require.Contains(t, log.String(), want[0])
				require.Contains(t, strings.ReplaceAll(log.String(), `"`, ""), "peer="+test.r.RemoteAddr+" setting="+want[1]+"\n")
				require.NotContains(t, log.String(), "1.2.3.4", "strangers write headers")
				require.NotContains(t, log.String(), "evil")
			})
		}
	}
	var log bytes.Buffer
	p := forwarded.Default(slog.New(slog.NewTextHandler(&log, nil)))
	for _, peer := range []string{far, private, "198.51.100.1:2", near} {
		p.Client(request(peer, "x", false, "Forwarded", "for=1.2.3.4"))
	}
	require.Equal(t, 3, strings.Count(log.String(), "\n"), "a stranger hides no other reason:\n%s", log.String())
}

func FuzzOrigin(f *testing.F) {
	f.Add("app.example", "https", "for=1;host=x", "evil.example, app.example")
	f.Add("[::1]:80", "", `host="a"`, "")
	f.Fuzz(func(t *testing.T, host, proto, fwd, xfh string) {
		scheme, got, err := proxies(t, forwarded.Config{Forwarded: len(fwd)%2 == 1}).Origin(request("127.0.0.1:1", host, false, "X-Forwarded-Proto", proto, "Forwarded", fwd, "X-Forwarded-Host", xfh))
		if err != nil {
			return
		}
		u, err := url.Parse(scheme + "://" + got + "/x")
		require.NoError(t, err)
		require.Equal(t, got, u.Host)
		require.Equal(t, "/x", u.Path)
		require.Nil(t, u.User)
	})
}
