package clerk

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

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

// request is what a decision is made from.
type request struct {
	*http.Request
	url        *url.URL // public
	query      url.Values
	suffixed   bool // whether the instance's own cookies count
	session    string
	clientUAT  int64
	refresh    string
	devBrowser string
	handshake  string
	nonce      string
	redirects  int
}

// read takes a request apart. origin is its public address: the host never
// comes from the path.
func (b *Backend) read(r *http.Request, origin *url.URL) *request {
	q := &request{Request: r, query: r.URL.Query()}
	q.url = &url.URL{Scheme: origin.Scheme, Host: origin.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	jar, own := readCookies(r), ""
	q.suffixed = b.usesSuffixed(jar)
	if q.suffixed {
		own = b.instance.suffix
	}
	pick := func(name string) string {
		value, _ := jar.get(name, own)
		return value
	}
	q.session = pick(cookieSession)
	q.clientUAT = leadingInt(pick(cookieClientUAT))
	q.refresh, _ = jar.get(cookieRefresh, b.instance.suffix)
	fallback := func(name string) string {
		if v := q.query.Get(name); v != "" {
			return v
		}
		v, _ := jar.get(name, "")
		return v
	}
	if q.devBrowser = q.query.Get(nameDevBrowser); q.devBrowser == "" {
		q.devBrowser = pick(nameDevBrowser)
	}
	q.handshake, q.nonce = fallback(nameHandshake), fallback(nameNonce)
	count, _ := jar.get(cookieRedirectCount, "")
	q.redirects = int(min(leadingInt(count), 1000))
	return q
}

// cookies are those that Clerk's names begin like, in their order.
type cookies []struct{ name, value string }

func readCookies(r *http.Request) (list cookies) {
	list = make(cookies, 0, 8)
	for _, line := range r.Header["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
			if !ok || !strings.HasPrefix(name, "__") || len(list) == maxCookies {
				continue
			}
			list = append(list, struct{ name, value string }{name, value})
		}
	}
	return list
}

// maxCookies bounds how many are looked at.
const maxCookies = 64

// get is the first of that name, percent-decoded as Clerk's scripts encode it.
func (c cookies) get(name, suffix string) (value string, found bool) {
	for _, one := range c {
		if len(one.name) != len(name)+len(suffix) || !strings.HasPrefix(one.name, name) || !strings.HasSuffix(one.name, suffix) {
			continue
		}
		if strings.IndexByte(one.value, '%') >= 0 {
			if decoded, err := url.PathUnescape(one.value); err == nil {
				return decoded, true
			}
		}
		return one.value, true
	}
	return "", false
}

// leadingInt reads a number that something else may follow, or 0.
func leadingInt(s string) int64 {
	end := 0
	for end < len(s) && end < 18 && '0' <= s[end] && s[end] <= '9' {
		end++
	}
	n, _ := strconv.ParseInt(s[:end], 10, 64)
	return n
}

// usesSuffixed decides between the instance's own cookies and those without a
// suffix, which another instance on the same domain may have set.
func (b *Backend) usesSuffixed(jar cookies) bool {
	plain, _ := jar.get(cookieSession, "")
	uat, hasUAT := jar.get(cookieClientUAT, "")
	own, _ := jar.get(cookieSession, b.instance.suffix)
	ownUAT, _ := jar.get(cookieClientUAT, b.instance.suffix)
	var plainClaims, ownClaims times
	if plain != "" {
		t, ok := b.decode(plain)
		if !ok {
			return false
		}
		issuer := t.claims.Issuer
		if issuer == "" {
			return false
		}
		issuer = strings.TrimPrefix(strings.TrimPrefix(issuer, "https://"), "http://")
		if issuer != b.keyHost() {
			return true
		}
		plainClaims = timesOf(t)
	}
	if own != "" {
		if t, ok := b.decode(own); ok {
			ownClaims = timesOf(t)
		}
	}
	signedOut := hasUAT && uat == "0"
	switch {
	case ownUAT == "" && own == "":
		return false
	case ownUAT != "0" && !signedOut && plainClaims.issued > ownClaims.issued:
		return false
	case ownUAT == "0" && !signedOut:
		return false
	case !b.instance.production && ownUAT != "0" && signedOut && ownClaims.decoded && ownClaims.expires <= b.now().Unix():
		return false
	case ownUAT == "" && own != "":
		return false
	}
	return true
}

// keyHost is the host that tokens of this instance are compared with.
func (b *Backend) keyHost() string {
	if b.config.Satellite && b.instance.production && b.config.ProxyURL == "" && b.config.Domain != "" {
		return "clerk." + b.config.Domain
	}
	return b.instance.frontendAPI
}

type times struct {
	decoded         bool
	issued, expires int64
}

func timesOf(t *jwt) times {
	return times{true, t.issued.at, t.expires.at}
}

// headerToken is the token of the Authorization header: "Bearer <token>", or the
// token alone.
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
func (q *request) mayHandshake() bool {
	if q.Method != "GET" {
		return false
	}
	dest := q.Header.Get("Sec-Fetch-Dest")
	return dest == "document" || dest == "iframe" || dest == "" && strings.HasPrefix(q.Header.Get("Accept"), "text/html")
}

// isDocument is stricter: a page of its own.
func (q *request) isDocument() bool {
	return q.Method == "GET" && q.Header.Get("Sec-Fetch-Dest") == "document"
}

// without is u with parameters left out and the rest as it stands.
func without(u *url.URL, names ...string) *url.URL {
	c := *u
	var kept []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); err == nil {
			name = decoded
		}
		drop := pair == ""
		for _, n := range names {
			drop = drop || n == name
		}
		if !drop {
			kept = append(kept, pair)
		}
	}
	c.RawQuery = strings.Join(kept, "&")
	return &c
}

// foreignReferrer reports whether the page before was on another site, and not on
// Clerk's pages.
func (b *Backend) foreignReferrer(q *request) bool {
	raw := q.Header.Get("Referer")
	if raw == "" {
		return false
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || strings.EqualFold(u.Scheme+"://"+u.Host, q.url.Scheme+"://"+q.url.Host) {
		return false
	}
	host := strings.ToLower(u.Hostname())
	own := strings.ToLower(b.instance.frontendAPI)
	if host == own || "https://"+host == b.instance.accounts() {
		return false
	}
	if !b.instance.production {
		for _, clerks := range []string{".accounts.dev", ".accountsstage.dev", ".accounts.lclclerk.com"} {
			if strings.HasSuffix(host, clerks) {
				return false
			}
		}
	}
	return true
}
