package clerk

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// tryRefresh changes an expired token for another with the refresh cookie, of which
// only the one with the instance's suffix counts. It saves a navigation's way to
// Clerk and back. If that does not work, it says why, in Clerk's words, which become
// part of the handshake's reason; an outage of Clerk's API is no error here, since
// the browser can still ask Clerk.
//
//	browser   __session, expired; __refresh_<suffix>
//	to Clerk  POST /v1/sessions/<sid>/refresh  {expired_token, refresh_token, ...}
//	answer    {"cookies": ["__session=...", ...]}, lines for Set-Cookie
//
// t's signature is right and its time is over. The answer's session is verified as
// any. Clerk is told of the browser's headers, to judge whether it is the same, but
// not of cookies and credentials, which are the application's. Whoever has an old
// token can make up what goes with it, so that a client has so many tries.
func (b *Backend) tryRefresh(ctx context.Context, q *request, t *jwt) (s *State, refusal string) {
	switch {
	case q.Method != "GET":
		return nil, "non-eligible-non-get"
	case q.refresh == "":
		return nil, "non-eligible-no-refresh-cookie"
	}
	id := t.claims.SessionID
	if id == "" {
		return nil, "expired-session-token-missing-sid-claim"
	}
	headers := map[string][]string{}
	for name, values := range q.Header {
		// The body has the two tokens that count.
		if name != "Cookie" && name != "Authorization" {
			headers[strings.ToLower(name)] = values
		}
	}
	body, err := json.Marshal(map[string]any{
		"format": "cookie", "expired_token": t.token, "refresh_token": q.refresh,
		"request_origin": q.origin.Scheme + "://" + q.origin.Host, "request_headers": headers,
	})
	if err != nil {
		return nil, "unexpected-sdk-error"
	}
	path := "/v1/sessions/" + url.PathEscape(id) + "/refresh"
	if q.suffixed {
		path += "?suffixed_cookies=true"
	}
	if !b.mayAsk(q.Request) {
		return nil, string(tooMany)
	}
	resp, err := b.call(ctx, "POST", path, body)
	if err != nil {
		return nil, "fetch-error"
	}
	if resp.Status != http.StatusOK {
		if !aboutUs(resp.Status) {
			b.cameToNothing(q.Request)
		}
		return nil, apiError(resp.Body)
	}
	var answer struct{ Cookies []string }
	if json.Unmarshal(resp.Body, &answer) != nil {
		return nil, "unexpected-bapi-error"
	}
	list, err := bounded(answer.Cookies)
	if err != nil {
		return nil, "unexpected-bapi-error"
	}
	h := http.Header{}
	fresh := b.decode(setCookies(h, list))
	if b.verify(ctx, fresh, q.origin) != nil {
		return nil, "invalid-session-token"
	}
	return signedIn(fresh.jwt, h), ""
}

// apiError is the code of an answer of Clerk's API, which becomes part of a URL and
// of a log line: letters, digits and underscores, 64 at most.
func apiError(body []byte) string {
	var answer struct{ Errors []struct{ Code string } }
	if json.Unmarshal(body, &answer) != nil || len(answer.Errors) == 0 {
		return "unexpected-bapi-error"
	}
	code := answer.Errors[0].Code
	if code == "unexpected_error" {
		return "fetch-error"
	}
	for _, c := range []byte(code) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return "unexpected-bapi-error"
		}
	}
	if code == "" || len(code) > 64 {
		return "unexpected-bapi-error"
	}
	return code
}
