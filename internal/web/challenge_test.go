package web_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhoIsSentToSignIn(t *testing.T) { // MW-05, MW-13
	cases := []struct {
		name, method string
		headers      []string
		status       int
	}{
		{"navigation", "GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 303},
		{"old browser", "GET", []string{"Accept", "text/html,*/*"}, 303},
		{"HEAD", "HEAD", nil, 303},
		{"form", "POST", nil, 401},
		{"fetch", "GET", []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, 401},
		{"iframe", "GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 401},
		{"picture", "GET", []string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 401},
		{"prefetch", "GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Purpose", "prefetch"}, 401},
		{"HTMX", "GET", []string{"HX-Request", "true"}, 401},
		{"XHR", "GET", []string{"X-Requested-With", "XMLHttpRequest"}, 401},
		{"curl", "GET", []string{"Accept", "*/*"}, 401},
		{"API", "GET", []string{"Accept", "application/json"}, 401},
		{"OPTIONS", "OPTIONS", nil, 401},
		{"TRACE", "TRACE", nil, 401},
		{"PROPFIND", "PROPFIND", nil, 401},
		{"get", "get", nil, 401},
		{"WebSocket", "GET", []string{"Upgrade", "websocket", "Connection", "Upgrade"}, 401},
	}
	s := newSite(t, nil)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := s.browser().do(c.method, "/page", nil, c.headers...)
			require.Equal(t, c.status, got.StatusCode)
			require.Contains(t, got.Header.Get("Vary"), "Cookie")
			if c.status == 401 {
				require.NotEmpty(t, got.Header.Get("WWW-Authenticate"))
				require.Contains(t, got.Header.Get("Content-Type"), "application/json")
			}
		})
	}
	require.Empty(t, s.seen)
}
