package clerk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/auth/internal/strictjson"
)

// A handshake renews a browser's cookies without anybody noticing:
//
//	browser                application                    Clerk
//	   │  GET /page             │                             │
//	   ├───────────────────────>│                             │
//	   │  307, redirect_url     │                             │
//	   │<───────────────────────┤                             │
//	   │  GET /v1/client/handshake?redirect_url=.../page      │
//	   ├─────────────────────────────────────────────────────>│
//	   │  307 /page?__clerk_handshake_nonce=...               │
//	   │<─────────────────────────────────────────────────────┤
//	   │  GET /page?__clerk_... │  GET handshake_payload      │
//	   ├───────────────────────>├────────────────────────────>│
//	   │                        │  {"directives": [...]}      │
//	   │                        │<────────────────────────────┤
//	   │  200, Set-Cookie: ...  │                             │
//	   │<───────────────────────┤                             │
//
// Clerk knows the browser by a cookie on its own domain. What it brings are
// "directives", lines for Set-Cookie; the last whose name begins with __session has
// the token. Clerk may also bring them in a signed token, __clerk_handshake, in the
// place of a nonce. A development instance's browser is sent once more to the page
// without these parameters.
//
// Of a handshake token, signature and category are checked; it has no expiry, and
// names no browser. Who gets somebody to follow a link with their own signs that
// browser in as themselves, as with Clerk's own SDKs, for as long as the session
// token inside lives, or the refresh token that comes with it.
//
// That this browser was sent on the handshake, which a cookie of ours could tell, is
// not asked for: Clerk sends browsers here with one of its own accord, at the end of an
// OAuth sign-in (clerk/javascript#5908) and maybe elsewhere, and other servers on this
// host, a Next.js front end's, begin handshakes too. Sec-Fetch-Site tells
// nothing: whoever followed a link from another site, and was sent to Clerk and back, is
// "cross-site" as well. And a development instance takes the development browser out of
// the address, so that a link with a stranger's has us begin the handshake ourselves.
const (
	// maxDirectives and maxDirective, in bytes, bound what becomes an answer's header.
	maxDirectives = 32
	maxDirective  = 8 << 10
)

// resolve ends a handshake: Clerk says which cookies to set, and among them is
// the session. nil means that it brought nothing that counts, and the tree goes on
// with the cookies that are there. A session that Clerk brings is verified as any; the
// error says that Clerk does not answer, or that a clock is wrong.
func (b *Backend) resolve(ctx context.Context, q *request) (*State, error) {
	directives, err := b.directives(ctx, q)
	if err != nil {
		if errors.Is(err, errUnreachable) {
			return nil, err
		}
		if !errors.Is(err, tooMany) { // of which the log hears once a minute
			b.log.WarnContext(ctx, "clerk: a handshake does not count", "cause", err.Error())
		}
		return nil, nil
	}
	h := http.Header{"Access-Control-Allow-Origin": {"null"}, "Access-Control-Allow-Credentials": {"true"}}
	token := setCookies(h, directives)
	if !b.instance.production {
		h.Set("Location", without(q.public(), nameHandshake, paramHelp, nameDevBrowser, nameNonce).String())
		h.Set("Cache-Control", "no-store")
	}
	if token == "" {
		return &State{Status: SignedOut, Reason: "session-token-missing", Message: "Nobody is signed in at Clerk.", Header: h}, nil
	}
	t := b.decode(token)
	switch err := b.verify(ctx, t, q.origin); {
	case err == nil:
		return signedIn(t.jwt, h), nil
	case errors.Is(err, errUnreachable):
		return nil, err
	case errors.Is(err, tokenNotYet), errors.Is(err, tokenFromTheFuture), errors.Is(err, tokenExpired) && q.redirects > 0:
		return nil, b.clockWrong(t.jwt)
	default:
		b.log.WarnContext(ctx, "clerk: a handshake's session does not count", "cause", err.Error())
		return nil, nil
	}
}

// setCookies copies directives into h and returns the last session among them. One
// that would be two lines is left out.
func setCookies(h http.Header, directives []string) (session string) {
	for _, d := range directives {
		if strings.ContainsAny(d, "\r\n\x00") {
			continue
		}
		h.Add("Set-Cookie", d)
		name, rest, _ := strings.Cut(d, "=")
		if strings.HasPrefix(strings.TrimSpace(name), cookieSession) {
			session, _, _ = strings.Cut(rest, ";")
		}
	}
	return session
}

// directives are the Set-Cookie lines that a nonce stands for, or that a
// handshake token brings. A token is signed with the key of session tokens, so that
// its category is what tells it from one that an application's JWT template made.
func (b *Backend) directives(ctx context.Context, q *request) ([]string, error) {
	if q.nonce != "" {
		return b.byNonce(q)
	}
	t := decode(q.handshake)
	if t == nil {
		return nil, tokenInvalid
	}
	if t.machine {
		return nil, tokenTypeMismatch // a template's author would choose our cookies
	}
	key, err := b.key(ctx, t)
	if err := verifySignature(t, key, err); err != nil {
		return nil, err
	}
	list, ok := strictjson.Strings(t.claims.raw("handshake"))
	if !ok {
		return nil, tokenInvalid
	}
	return bounded(list)
}

// byNonce changes a nonce for its directives. Anybody can make one up, so that a client
// has so many.
func (b *Backend) byNonce(q *request) ([]string, error) {
	if !b.mayAsk(q.Request) {
		return nil, tooMany
	}
	resp, err := b.call(q.Context(), "GET", "/v1/clients/handshake_payload?nonce="+url.QueryEscape(q.nonce), nil)
	if err != nil {
		return nil, err
	}
	if resp.Status >= 500 {
		return nil, unreachable("a handshake's payload is answered with status %d", resp.Status)
	}
	var payload struct{ Directives []string }
	if resp.Status != http.StatusOK && !aboutUs(resp.Status) {
		b.cameToNothing(q.Request)
	}
	if resp.Status != http.StatusOK || json.Unmarshal(resp.Body, &payload) != nil {
		return nil, errors.New("the nonce is unknown or used up")
	}
	return bounded(payload.Directives)
}

// bounded is list, unless it is more than a browser would keep.
func bounded(list []string) ([]string, error) {
	if len(list) > maxDirectives {
		return nil, errors.New("too many cookies")
	}
	for _, d := range list {
		if len(d) > maxDirective {
			return nil, errors.New("a cookie is too large")
		}
	}
	return list, nil
}
