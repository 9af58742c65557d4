package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
)

// Finding is the root's, which documents it.
type Finding struct {
	About string
	Grade int
	Text  string
	Cure  string
}

const (
	fine = iota
	doubtful
	faulty
)

const (
	maxExamined = 64 << 10 // bytes of an answer
	// What a browser may bring: a session of as many bytes as is written for proxies
	// that pass 4 kB, and more.
	examinedCookie = 3500
)

// Callback is what has to be registered at the provider name, or "" where each request
// says it.
func (s *Server) Callback(name string) string {
	if s.origin == nil {
		return ""
	}
	return s.origin.Scheme + "://" + s.origin.Host + s.prefix + s.routes + "/callback/" + name
}

// Examine looks at the public address: what it is, and who answers there.
func (s *Server) Examine(ctx context.Context) []Finding {
	about := func(grade int, text, cure string) Finding { return Finding{"site", grade, text, cure} }
	if s.origin == nil {
		if s.hosts == nil {
			return []Finding{about(doubtful, "its address is taken from each request, at whatever host that comes",
				"set the public URL (Config.URL, NEXTAUTH_URL), or Config.AllowedHosts, unless a proxy passes none but your own hosts on")}
		}
		return []Finding{about(fine, "its address is taken from each request, at hosts that are allowed", "")}
	}
	routes := s.origin.Scheme + "://" + s.origin.Host + s.prefix + s.routes
	if s.origin.Scheme != "https" && !upstream.IsLoopback(s.origin.Hostname()) {
		return []Finding{about(doubtful, "its address is "+routes+": by http, cookies can be read and planted on the way", "serve it by https, and set the public URL to that")}
	}
	if s.readOnly {
		return []Finding{about(fine, "its address is "+routes+", where an Auth.js application answers", "")}
	}
	client := upstream.New(nil)
	small, err := ask(ctx, client, routes, 0)
	if err != nil {
		return []Finding{about(doubtful, fmt.Sprintf("its address is %s, where nobody answers as this server would: %v", routes, err), "if it is running, look at the proxy: everything below "+routes+" goes to this server")}
	}
	for _, way := range s.order {
		if wrong := callbackIn(small.Body, way.Name); wrong != s.Callback(way.Name) {
			return []Finding{about(faulty, fmt.Sprintf("who answers at %s has %.200q as the callback of %s, want %s", routes, wrong, way.Name, s.Callback(way.Name)), "another server, or another configuration, is at that address")}
		}
	}
	if _, err := ask(ctx, client, routes, examinedCookie); err != nil {
		return []Finding{about(faulty, fmt.Sprintf("%s answers, but not where cookies have %d bytes: %v", routes, examinedCookie, err), "raise the proxy's limit for request headers: nginx's large_client_header_buffers")}
	}
	return []Finding{about(fine, "it answers at "+routes, "")}
}

// ask is GET /providers, with a cookie of so many bytes.
func ask(ctx context.Context, client *upstream.Client, routes string, cookie int) (*upstream.Response, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", routes+"/providers", nil)
	if err != nil {
		return nil, errors.New("it is no address")
	}
	req.Header = http.Header{"Accept": {"application/json"}, "User-Agent": {upstream.UserAgent}}
	if cookie > 0 {
		req.AddCookie(&http.Cookie{Name: "sallyport-doctor", Value: strings.Repeat("x", cookie)})
	}
	resp, err := client.Do(req, maxExamined)
	switch {
	case err != nil:
		return nil, err
	case resp.Status != http.StatusOK:
		return nil, fmt.Errorf("status %d", resp.Status)
	}
	if _, err := strictjson.Parse(resp.Body); err != nil {
		return nil, errors.New("the answer is no JSON object")
	}
	return resp, nil
}

// callbackIn is the callback of a provider in the answer of GET /providers, or "".
func callbackIn(body []byte, name string) string {
	all, err := strictjson.Parse(body)
	if err != nil {
		return ""
	}
	one, err := strictjson.Parse(all[name])
	if err != nil {
		return ""
	}
	callback, _ := one.String("callbackUrl")
	return callback
}
