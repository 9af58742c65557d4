package clerk

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// The decision about a request, from the top; what is first counts. "-> reason" is
// a handshake for a navigation, and signed out with that reason for anything else.
//
//	a token in Authorization
//	├── of a kind that is not accepted ........ signed out: token-type-mismatch
//	├── an API key, M2M or OAuth token ........ Clerk's answer, or its signature
//	└── a session token ....................... verify, below
//	cookies
//	├── the end of a handshake ................ its cookies; verify its session
//	├── satellite, a document, not yet synced
//	│   ├── no cookies, and nobody asks ....... signed out: session-token-and-uat-missing
//	│   └── no cookies, or somebody asks ...... -> satellite-needs-syncing
//	├── development instance
//	│   ├── a satellite asks .................. -> primary-responds-to-syncing
//	│   ├── a development browser in the URL .. -> dev-browser-sync
//	│   └── no development browser ............ -> dev-browser-missing
//	├── no __client_uat, no __session ......... signed out: session-token-and-uat-missing
//	├── only __session ........................ -> session-token-but-no-client-uat
//	├── only __client_uat ..................... -> client-uat-but-no-session-token
//	├── undecodable, or a machine's ........... signed out
//	├── iat is before __client_uat ............ -> session-token-iat-before-client-uat
//	├── verify ................................ below
//	├── a document linked from another site ... -> primary-domain-cross-origin-sync
//	├── another organization than the path's .. -> active-organization-mismatch
//	└── signed in
//	verify
//	├── expired ............................... refresh, or -> session-token-expired-refresh-...
//	├── not yet valid ......................... -> session-token-nbf, once: see clock.go
//	├── issued in the future .................. -> session-token-iat-in-the-future, once
//	└── anything else wrong ................... signed out
//
// The cookie __client_uat says since when somebody is signed in with this browser,
// in seconds since 1970; Clerk sets it to 0 when they sign out, on whatever domain.
// A token of an earlier time is therefore another session's.

// Status is the outcome of a decision.
type Status string

// The outcomes.
const (
	// SignedIn is of somebody whose token counts; they may still be pending.
	SignedIn Status = "signed-in"

	// SignedOut is of somebody without a token, or whose token does not count.
	SignedOut Status = "signed-out"

	// Handshake is of a browser that is sent to Clerk, and comes back.
	Handshake Status = "handshake"
)

// State is what was decided about a request, and why, in Clerk's words. It belongs
// to that request: changing it changes nothing else.
type State struct {
	// Status is the outcome.
	Status Status

	// Reason is why somebody is not signed in, such as "token-invalid-signature" or
	// "session-token-and-uat-missing"; empty when signed in. The names are those of
	// @clerk/backend. It is safe to show.
	Reason string

	// Message says for people why a token does not count. It has nothing of the
	// token. It may be empty.
	Message string

	// Type is the kind of the token that counts; empty unless signed in.
	Type TokenType

	// Claims are those of a session token that counts, pending or not; nil otherwise.
	Claims *Claims

	// Machine is what any other token that counts says; nil otherwise.
	Machine *Machine

	// Token is the one that counts, for calls in the person's name. It is a secret.
	Token string

	// Header is to be added to the answer: Set-Cookie lines, and Location, which goes
	// with status 307. It may be nil.
	Header http.Header

	devBrowser string // of a development instance, for its sign-in page
}

// loopLimit is how many handshakes in a row a browser is sent on. The cookie that
// counts them lives for two seconds.
const loopLimit = 3

// Decide decides about r, whose public address is origin: scheme and host, which
// come from the configuration or from trusted headers and never from r's path, and the
// prefix of the site as [auth.Backend] has it, if any. It
// may call Clerk's API, and sends nothing to the browser; [Backend.Authenticate] and
// the middleware of package auth do what the State says.
//
// The error says that nothing can be decided: because Clerk's API does not answer, or,
// wrapping [auth.ErrClock], because a token that Clerk has just made does not count by
// the clock here. It is never somebody's fault who sent the request, and never means
// signed out.
//
// A client that sends more than a few handshakes and tokens that Clerk does not know,
// 30 and then one in two seconds, has no more of them looked at for the moment.
func (b *Backend) Decide(r *http.Request, origin *url.URL) (*State, error) {
	q := &request{Request: r, origin: origin}
	s, err := b.decide(r.Context(), q)
	if s != nil && !b.instance.production {
		s.devBrowser = q.devBrowser
	}
	return s, err
}

// decide is Decide, for q that has not been read yet.
func (b *Backend) decide(ctx context.Context, q *request) (*State, error) {
	token, sent := headerToken(q.Request)
	kind := SessionToken
	if sent && b.config.AcceptTokens != nil {
		kind = b.typeOf(token)
	}
	switch {
	case b.config.AcceptTokens != nil && !slices.Contains(b.config.AcceptTokens, kind):
		return signedOut(tokenTypeMismatch), nil
	case kind != SessionToken:
		return b.byMachine(q, kind, token)
	case sent:
		return b.byHeader(ctx, q, token)
	}
	b.read(q)
	if q.nonce != "" || q.handshake != "" {
		s, err := b.resolve(ctx, q)
		if s != nil || err != nil {
			return s, err
		}
	}
	if s := b.satellite(q); s != nil {
		return s, nil
	}
	if !b.instance.production {
		if s := b.development(q); s != nil {
			return s, nil
		}
	}
	return b.byCookie(ctx, q)
}

// byHeader decides about a session token in the Authorization header. No cookie
// says who it is: two sources of identity could be played against one another.
func (b *Backend) byHeader(ctx context.Context, q *request, token string) (*State, error) {
	t := b.decode(token)
	err := b.verify(ctx, t, q.origin)
	if err == nil {
		return signedIn(t.jwt, nil), nil
	}
	b.read(q)
	q.refresh = "" // a cookie's, which may be another person's
	if q.session == "" {
		q.session = token // for a handshake to pass on
	}
	return b.refused(ctx, q, t.jwt, err)
}

// satellite is how a satellite domain, which has cookies of its own, learns of a
// session on the primary one. The parameter __clerk_synced is "false" after signing
// in there, and "true" on the way back. nil lets the tree go on.
func (b *Backend) satellite(q *request) *State {
	if !b.config.Satellite || !q.isDocument() || q.param(paramSynced) == "true" {
		return nil
	}
	known := q.session != "" || q.clientUAT != 0
	asked := q.param(paramSynced) == "false"
	switch {
	case !known && !b.config.SatelliteAutoSync && !asked:
		return signedOut(reasonNobody)
	case known && !asked:
		return nil
	case b.instance.production:
		return b.handshake(q, "satellite-needs-syncing")
	}
	to, _ := url.Parse(b.config.SignInURL) // checked by New
	return b.redirect(q, "satellite-needs-syncing", with(to, paramRedirectURL, q.public().String()).String())
}

// development is what development instances need because their cookies are on
// another domain than Clerk's: the "development browser", __clerk_db_jwt, stands for
// Clerk's own cookie, and travels in URLs. It goes to configured satellites only.
// nil lets the tree go on.
func (b *Backend) development(q *request) *State {
	if back := q.param(paramRedirectURL); back != "" && !b.config.Satellite {
		if to, ok := b.mayReturn(back, nil); ok {
			if q.devBrowser != "" {
				to = with(to, nameDevBrowser, q.devBrowser)
			}
			to = with(without(to, paramSynced), paramSynced, "true")
			return b.redirect(q, "primary-responds-to-syncing", to.String())
		}
	}
	if _, there := q.lookUp(nameDevBrowser); there {
		return b.handshake(q, "dev-browser-sync")
	}
	if q.devBrowser == "" {
		return b.handshake(q, "dev-browser-missing")
	}
	return nil
}

// byCookie is the part of the tree for a browser that is neither on its way back
// nor on its way to another domain.
func (b *Backend) byCookie(ctx context.Context, q *request) (*State, error) {
	switch {
	case q.clientUAT == 0 && q.session == "":
		return signedOut(reasonNobody), nil
	case q.clientUAT == 0:
		return b.handshake(q, "session-token-but-no-client-uat"), nil
	case q.session == "":
		return b.handshake(q, "client-uat-but-no-session-token"), nil
	}
	t := q.token.jwt
	switch {
	case t == nil:
		return signedOut(tokenInvalid), nil
	case t.machine:
		return signedOut(tokenTypeMismatch), nil
	case t.issued.valid && t.issued.at < q.clientUAT:
		return b.handshake(q, "session-token-iat-before-client-uat"), nil
	}
	if err := b.verify(ctx, q.token, q.origin); err != nil {
		if errors.Is(err, tokenWrongParty) && t.claims.raw("azp") == "" && q.isDocument() {
			// Clerk makes such tokens on navigations: the real person is behind it.
			return b.handshake(q, string(tokenWrongParty)), nil
		}
		return b.refused(ctx, q, t, err)
	}
	if !b.config.Satellite && q.isDocument() && q.redirects == 0 && b.foreignReferrer(q) {
		return b.handshake(q, "primary-domain-cross-origin-sync"), nil
	}
	c := &t.claims
	if to, ok := b.target(q.URL.Path); ok && !to.active(c) && (!c.Pending || b.config.AcceptPending) && q.mayHandshake() && q.redirects < loopLimit {
		return b.handshake(q, "active-organization-mismatch"), nil
	}
	return signedIn(t, nil), nil
}

// refused deals with a token that does not count. Where only time is wrong, a
// refresh or a handshake brings another.
func (b *Backend) refused(ctx context.Context, q *request, t *jwt, err error) (*State, error) {
	var why reason
	if !errors.As(err, &why) {
		return nil, err
	}
	switch why {
	case tokenExpired:
		s, refusal := b.tryRefresh(ctx, q, t)
		if s != nil {
			return s, nil
		}
		return b.handshake(q, "session-token-expired-refresh-"+refusal), nil
	case tokenNotYet, tokenFromTheFuture:
		if q.redirects > 0 && q.mayHandshake() {
			return nil, b.clockWrong(t)
		}
		return b.handshake(q, map[reason]string{tokenNotYet: "session-token-nbf", tokenFromTheFuture: "session-token-iat-in-the-future"}[why]), nil
	}
	return signedOut(why), nil
}

// reasonNobody is an ordinary visitor.
const reasonNobody reason = "session-token-and-uat-missing"

// signedOut is the State of somebody whose token does not count, or who has none.
func signedOut(why reason) *State {
	return &State{Status: SignedOut, Reason: string(why), Message: messages[why]}
}

// signedIn is the State of somebody with the verified token t. It has claims of its
// own: what remembers t is shared.
func signedIn(t *jwt, h http.Header) *State {
	one := &struct {
		state  State
		claims Claims
	}{claims: t.claims}
	one.state = State{Status: SignedIn, Type: SessionToken, Claims: &one.claims, Token: t.token, Header: h}
	return &one.state
}

// handshake sends a navigation to Clerk, which knows best. Whatever else is
// signed out for the same reason.
func (b *Backend) handshake(q *request, why string) *State {
	to := b.frontend(q.origin) + "/v1/client/handshake?redirect_url=" + url.QueryEscape(without(q.public(), nameDevBrowser, paramLegacyDev, nameHandshake, nameNonce).String()) +
		"&__clerk_api_version=" + apiVersion + "&suffixed_cookies=" + strconv.FormatBool(q.suffixed) +
		"&__clerk_hs_reason=" + url.QueryEscape(why) + "&format=nonce"
	if q.session != "" {
		to += "&" + cookieSession + "=" + url.QueryEscape(q.session)
	}
	if !b.instance.production && q.devBrowser != "" {
		to += "&" + nameDevBrowser + "=" + url.QueryEscape(q.devBrowser)
	}
	if t, ok := b.target(q.URL.Path); ok {
		to += "&organization_id=" + url.QueryEscape(t.id+t.slug)
	}
	return b.redirect(q, why, to)
}

// redirect is a handshake's way there, counted so that it ends: cookies that the
// browser does not keep, or keys of two instances, would otherwise send it round for
// ever.
func (b *Backend) redirect(q *request, why, location string) *State {
	if !q.mayHandshake() {
		return signedOut(reason(why))
	}
	if q.redirects >= loopLimit {
		b.log.WarnContext(q.Context(), "clerk: the browser goes round in circles; do the keys belong to one instance?", "reason", why)
		return signedOut(reason(why))
	}
	h := http.Header{"Location": {location}, "Cache-Control": {"no-store"}}
	h.Add("Set-Cookie", cookieRedirectCount+"="+strconv.Itoa(q.redirects+1)+"; SameSite=Lax; HttpOnly; Max-Age=2")
	return &State{Status: Handshake, Reason: why, Header: h}
}
