package web

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport/auth/internal/hostcookie"
	"github.com/sallyport/auth/session"
)

// csrf is the double-submit token of Auth.js: the cookie holds the token and a
// hash that only the secret makes, the form holds the token.
type csrf struct {
	name    string // the cookie's, without its prefix
	secrets []session.Secret
	framed  bool // the cookie counts in a frame of another site
}

// newCSRF makes tokens of the first secret. Those of any count, so that a new
// secret breaks no open form, and those of all at once: where Auth.js is given
// a list, it hashes "new,old".
func newCSRF(name string, secrets []session.Secret, framed bool) *csrf {
	if len(secrets) < 2 {
		return &csrf{name, secrets, framed}
	}
	var texts []string
	for _, s := range secrets {
		texts = append(texts, s.Reveal())
	}
	return &csrf{name, append(slices.Clone(secrets), session.NewSecret(strings.Join(texts, ","))), framed}
}

// token returns the token of r's browser. It makes one, and sets the cookie,
// where there is none that any of the secrets made.
func (c *csrf) token(w http.ResponseWriter, r *http.Request, secure bool) string {
	if token, ok := c.fromCookie(r, secure); ok {
		return token
	}
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	token := hex.EncodeToString(b)
	http.SetCookie(w, hostcookie.New(hostcookie.Name(c.name, secure), token+"%7C"+csrfHash(token, c.secrets[0]), 0, secure, c.framed))
	return token
}

// check reports whether submitted is the token of r's browser.
func (c *csrf) check(r *http.Request, submitted string, secure bool) bool {
	token, ok := c.fromCookie(r, secure)
	return ok && subtle.ConstantTimeCompare([]byte(token), []byte(submitted)) == 1
}

func (c *csrf) fromCookie(r *http.Request, secure bool) (string, bool) {
	for _, cookie := range r.CookiesNamed(hostcookie.Name(c.name, secure)) {
		value, err := url.PathUnescape(cookie.Value)
		if err != nil {
			continue
		}
		token, hash, ok := strings.Cut(value, "|")
		if !ok || len(token) != 64 {
			continue
		}
		for _, s := range c.secrets {
			if subtle.ConstantTimeCompare([]byte(csrfHash(token, s)), []byte(hash)) == 1 {
				return token, true
			}
		}
	}
	return "", false
}

func csrfHash(token string, s session.Secret) string {
	sum := sha256.Sum256([]byte(token + s.Reveal()))
	return hex.EncodeToString(sum[:])
}

// genuine reports whether a form comes from a page of this server, in the browser
// that it was made for.
func (s *Server) genuine(r *http.Request, v *visit) bool {
	return sameOrigin(r, v.origin.String()) && s.csrf.check(r, r.PostForm.Get("csrfToken"), v.secure())
}

// showCSRF is GET /csrf.
func (s *Server) showCSRF(w http.ResponseWriter, r *http.Request, v *visit) {
	s.writeJSON(w, http.StatusOK, struct {
		Token string `json:"csrfToken"`
	}{s.csrf.token(w, r, v.secure())})
}
