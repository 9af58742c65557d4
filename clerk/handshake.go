package clerk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sallyport/auth/internal/strictjson"
)

const (
	maxDirectives = 32
	maxDirective  = 8 << 10

	dayOfSkew = 24 * time.Hour // for a developer's machine
)

// resolve ends a handshake: Clerk says which cookies to set, and among them is
// the session. nil means that it brought nothing, and the tree goes on.
func (b *Backend) resolve(ctx context.Context, q *request) (*State, error) {
	directives, err := b.directives(ctx, q)
	if err != nil {
		if errors.Is(err, errUnreachable) {
			return nil, err
		}
		b.log.WarnContext(ctx, "clerk: a handshake does not count", "cause", err.Error())
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
	err = b.verify(ctx, t, b.config.ClockSkew)
	if !b.instance.production && (errors.Is(err, tokenExpired) || errors.Is(err, tokenNotYet) || errors.Is(err, tokenFromTheFuture)) {
		b.log.WarnContext(ctx, "clerk: the clock here differs from Clerk's", "cause", err.Error())
		err = b.verify(ctx, t, dayOfSkew)
	}
	if errors.Is(err, errUnreachable) {
		return nil, err
	}
	if err != nil {
		b.log.WarnContext(ctx, "clerk: a handshake's session does not count", "cause", err.Error())
		return nil, nil
	}
	return signedIn(t.jwt, h), nil
}

// setCookies copies directives into h and returns the last session among them.
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
// handshake token brings.
func (b *Backend) directives(ctx context.Context, q *request) ([]string, error) {
	if q.nonce != "" {
		return b.byNonce(ctx, q.nonce)
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

func (b *Backend) byNonce(ctx context.Context, nonce string) ([]string, error) {
	resp, err := b.call(ctx, "GET", "/v1/clients/handshake_payload?nonce="+url.QueryEscape(nonce), nil)
	if err != nil {
		return nil, err
	}
	if resp.Status >= 500 {
		return nil, unreachable("a handshake's payload is answered with status %d", resp.Status)
	}
	var payload struct{ Directives []string }
	if resp.Status != http.StatusOK || json.Unmarshal(resp.Body, &payload) != nil {
		return nil, errors.New("the nonce is unknown or used up")
	}
	return bounded(payload.Directives)
}

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
