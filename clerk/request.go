package clerk

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A browser may have cookies of several instances: those of a development instance
// on localhost, or of two applications on one domain. So Clerk writes each cookie
// twice, and one of the two pairs counts:
//
//	__session            __client_uat             whoever wrote it last
//	__session_Ab3dE_9x   __client_uat_Ab3dE_9x    the instance with that suffix
//
// usesSuffixed says which. The signatures of neither are verified for that: a wrong
// choice signs out, or leads to a handshake, and signs nobody in.

// Names of Clerk's cookies and query parameters.
const (
	cookieSession       = "__session"
	cookieClientUAT     = "__client_uat"
	cookieRefresh       = "__refresh"
	cookieRedirectCount = "__clerk_redirect_count"
	nameDevBrowser      = "__clerk_db_jwt" // cookie and parameter
	paramLegacyDev      = "__dev_session"
	nameHandshake       = "__clerk_handshake" // cookie and parameter
	nameNonce           = "__clerk_handshake_nonce"
	paramHelp           = "__clerk_help"
	paramSynced         = "__clerk_synced"
	paramRedirectURL    = "__clerk_redirect_url"
)

// request is what a decision is made from. All of it is what somebody sent, and
// nothing is verified.
type request struct {
	*http.Request
	origin     *url.URL // its public address: the host never comes from the path
	suffixed   bool     // whether the instance's own cookies count
	session    string
	token      seen // what session says
	clientUAT  int64
	refresh    string
	devBrowser string
	handshake  string
	nonce      string
	redirects  int
}

// read takes the cookies and the query apart. In the handshake's names, a parameter
// counts before a cookie.
func (b *Backend) read(q *request) {
	var jar cookies
	jar.read(q.Header["Cookie"], b.instance.suffix)
	plain := b.decode(jar.session.plain)
	own := plain
	if jar.session.own != jar.session.plain {
		own = b.decode(jar.session.own)
	}
	q.suffixed = b.usesSuffixed(&jar, plain.jwt, own.jwt)
	q.session, q.token, q.clientUAT, q.devBrowser = jar.session.plain, plain, leadingInt(jar.clientUAT.plain), jar.devBrowser.plain
	if q.suffixed {
		q.session, q.token, q.clientUAT, q.devBrowser = jar.session.own, own, leadingInt(jar.clientUAT.own), jar.devBrowser.own
	}
	q.refresh = jar.refresh.own
	q.redirects = int(min(leadingInt(jar.redirects.plain), 1000))
	q.devBrowser = cmp.Or(q.param(nameDevBrowser), q.devBrowser)
	q.handshake = cmp.Or(q.param(nameHandshake), jar.handshake.plain)
	q.nonce = cmp.Or(q.param(nameNonce), jar.nonce.plain)
}

// public is the request's public address. The host never comes from the path, and the
// path has the prefix of the site, also where a proxy has taken that off.
func (q *request) public() *url.URL {
	u := &url.URL{Scheme: q.origin.Scheme, Host: q.origin.Host, Path: q.URL.Path, RawPath: q.URL.RawPath, RawQuery: q.URL.RawQuery}
	if prefix := q.origin.Path; prefix != "" && u.Path != prefix && !strings.HasPrefix(u.Path, prefix+"/") {
		u.Path = prefix + u.Path
		if u.RawPath != "" {
			u.RawPath = q.origin.EscapedPath() + u.RawPath
		}
	}
	return u
}

// param is the first parameter of that name, or "".
func (q *request) param(name string) string {
	value, _ := q.lookUp(name)
	return value
}

// lookUp is param, and says whether there is one. A pair with a semicolon in it is
// passed over, as net/url does: proxies disagree on what it means.
func (q *request) lookUp(name string) (value string, there bool) {
	if q.URL.RawQuery == "" {
		return "", false
	}
	for pair := range strings.SplitSeq(q.URL.RawQuery, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if unescapeQuery(key) != name || strings.Contains(pair, ";") {
			continue
		}
		if decoded, err := url.QueryUnescape(value); err == nil {
			return decoded, true
		}
	}
	return "", false
}

// unescapeQuery is s decoded, or as it stands where it cannot be.
func unescapeQuery(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// cookie is one of Clerk's names, without and with the instance's suffix.
type cookie struct {
	plain, own       string
	hasPlain, hasOwn bool
}

// cookies are Clerk's.
type cookies struct {
	session, clientUAT, refresh, devBrowser, handshake, nonce, redirects cookie
}

// read takes the first of each name, as RFC 6265 5.4 sorts them: the more specific
// path first. Values are percent-decoded after the line is split, so that none can
// bring another cookie.
func (c *cookies) read(lines []string, suffix string) {
	for _, line := range lines {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
			name, own := strings.CutSuffix(name, suffix)
			one := c.named(name)
			switch {
			case !ok || one == nil || own && one.hasOwn || !own && one.hasPlain:
			case own:
				one.own, one.hasOwn = unescape(value), true
			default:
				one.plain, one.hasPlain = unescape(value), true
			}
		}
	}
}

// named is where a cookie's value belongs, or nil.
func (c *cookies) named(name string) *cookie {
	switch name {
	case cookieSession:
		return &c.session
	case cookieClientUAT:
		return &c.clientUAT
	case cookieRefresh:
		return &c.refresh
	case nameDevBrowser:
		return &c.devBrowser
	case nameHandshake:
		return &c.handshake
	case nameNonce:
		return &c.nonce
	case cookieRedirectCount:
		return &c.redirects
	}
	return nil
}

// unescape is a cookie's value, percent-decoded as Clerk's scripts encode it, or as
// it stands.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s // the way of every token
	}
	if decoded, err := url.PathUnescape(s); err == nil {
		return decoded
	}
	return s
}

// leadingInt reads a number that something else may follow, or 0, as JavaScript's
// parseInt does. It is never negative, and takes 18 digits at most.
func leadingInt(s string) (n int64) {
	for i := 0; i < len(s) && i < 18 && '0' <= s[i] && s[i] <= '9'; i++ {
		n = n*10 + int64(s[i]-'0')
	}
	return n
}

// usesSuffixed decides between the instance's own cookies and those without a
// suffix, which another instance on the same domain may have set. plain and own are
// the tokens of the two, or nil. The first that applies:
//
//	the plain token is malformed or has no issuer ........ plain
//	the plain token is another instance's ................ own
//	there are none of its own ............................ plain
//	the plain token is newer, both signed in ............. plain
//	signed out by its own, and not by the plain one ...... plain
//	development, signed out by the plain one, own expired  plain
//	a session of its own without __client_uat ............ plain
//	otherwise ............................................ own
//
// An absent __client_uat is not "0".
func (b *Backend) usesSuffixed(jar *cookies, plain, own *jwt) bool {
	if jar.session.plain != "" {
		if plain == nil || plain.claims.Issuer == "" {
			return false
		}
		issuer := strings.TrimPrefix(strings.TrimPrefix(plain.claims.Issuer, "https://"), "http://")
		if issuer != b.keyHost() {
			return true
		}
	}
	issued := func(t *jwt) int64 {
		if t == nil {
			return 0
		}
		return t.issued.at
	}
	uat := jar.clientUAT
	signedOut := uat.plain == "0"
	switch {
	case uat.own == "" && jar.session.own == "":
		return false
	case uat.own != "0" && !signedOut && issued(plain) > issued(own):
		return false
	case uat.own == "0" && !signedOut:
		return false
	case !b.instance.production && uat.own != "0" && signedOut && own != nil && own.expires.at <= b.now().Unix():
		return false
	case uat.own == "" && jar.session.own != "":
		return false
	}
	return true
}

// keyHost is the host that tokens of this instance are compared with. A proxy does
// not matter here, as it does not in Clerk's own comparison.
func (b *Backend) keyHost() string {
	if b.config.Satellite && b.instance.production && b.config.ProxyURL == "" && b.config.Domain != "" {
		return "clerk." + b.config.Domain
	}
	return b.instance.frontendAPI
}

// headerToken is the token of the Authorization header: "Bearer <token>", RFC 6750
// 2.1, or the token alone. Another scheme is not Clerk's, and leaves it to the
// cookies.
func headerToken(r *http.Request) (string, bool) {
	value := r.Header.Get("Authorization")
	if value == "" {
		return "", false
	}
	scheme, token, ok := strings.Cut(value, " ")
	switch {
	case !ok:
		return value, true
	case scheme == "Bearer":
		token, _, _ = strings.Cut(token, " ")
		return token, token != ""
	}
	return "", false
}

// mayHandshake reports whether r is a navigation, which a redirect does not break.
// Sec-Fetch-Dest is the browser's word for what it wants; where it is not sent, for
// example to http addresses, Accept has to do.
func (q *request) mayHandshake() bool {
	if q.Method != "GET" {
		return false
	}
	dest := q.Header.Get("Sec-Fetch-Dest")
	return dest == "document" || dest == "iframe" || dest == "" && strings.HasPrefix(q.Header.Get("Accept"), "text/html")
}

// isDocument is stricter: a page of its own, in a browser that says so.
func (q *request) isDocument() bool {
	return q.Method == "GET" && q.Header.Get("Sec-Fetch-Dest") == "document"
}

// without is u with parameters left out and the rest as it stands, byte for byte:
// what the application signed in its own URLs stays signed.
func without(u *url.URL, names ...string) *url.URL {
	c := *u
	var kept []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if pair != "" && !slices.Contains(names, unescapeQuery(name)) {
			kept = append(kept, pair)
		}
	}
	c.RawQuery = strings.Join(kept, "&")
	return &c
}

// foreignReferrer reports whether the page before was on another origin, and not on
// Clerk's pages. Who comes from elsewhere may have signed in or out there. The header
// may be forged or absent; all that depends on it is one more handshake.
func (b *Backend) foreignReferrer(q *request) bool {
	raw := q.Header.Get("Referer")
	if raw == "" {
		return false
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || strings.EqualFold(u.Scheme+"://"+u.Host, q.origin.Scheme+"://"+q.origin.Host) {
		return false
	}
	return !b.isClerks(u, q.origin)
}

// isClerks reports whether u is a page of Clerk's, for a request to origin: of the
// Frontend API or its proxy, or where there is none of the Account Portal. Of a
// development instance anybody's portal counts. What was not sent by https may be
// anybody's, unless the proxy itself is on loopback.
func (b *Backend) isClerks(u, origin *url.URL) bool {
	api, err := url.Parse(b.frontend(origin))
	if err != nil || u.Scheme != api.Scheme {
		return false
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case host == strings.ToLower(api.Hostname()):
		return true
	case b.config.ProxyURL == "" && "https://"+strings.ToLower(u.Host) == b.instance.accounts():
		return true
	case b.instance.production:
		return false
	}
	for _, portals := range [...]string{".accounts.dev", ".accountsstage.dev", ".accounts.lclclerk.com"} {
		if strings.HasSuffix(host, portals) && !strings.HasSuffix(host, ".clerk"+portals) {
			return true
		}
	}
	for _, portals := range [...]string{".lcl.dev", ".lclstage.dev", ".lclclerk.com"} {
		if strings.HasPrefix(host, "accounts.") && strings.HasSuffix(host, portals) {
			return true
		}
	}
	return false
}
