package web

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/auth/pages"
)

// brand says on the pages whose they are.
type brand struct {
	pages.Brand
	logo, logoType string // the last part of the logo's address, and its media type; empty where none is served here
}

// CheckBrand returns what is wrong with b. origin is that of the routes; nil where each
// request has its own.
func CheckBrand(b pages.Brand, origin *url.URL) error {
	if err := b.Check(); err != nil {
		return fmt.Errorf("auth: Config.Brand: %w", err)
	}
	if u, err := url.Parse(b.LogoURL); err != nil || u.Host != "" && (origin == nil || u.Scheme != origin.Scheme || !strings.EqualFold(u.Host, origin.Host)) {
		return errors.New("auth: Config.Brand.LogoURL is not at the origin of Config.URL, and the pages load nothing from elsewhere: give the path of a picture of this application")
	}
	return nil
}

// newBrand is b, of which [CheckBrand] says nothing.
func newBrand(b pages.Brand) *brand {
	shown := &brand{Brand: b}
	if b.Logo != nil {
		sum := sha256.Sum256(b.Logo)
		shown.logo, shown.logoType = hex.EncodeToString(sum[:8]), b.LogoType()
	}
	return shown
}

func (b *brand) hasLogo() bool { return b.logo != "" || b.LogoURL != "" }

// siteName is what v's browser signs in to.
func (b *brand) siteName(v *visit) string {
	if b.Name != "" {
		return b.Name
	}
	return v.origin.Hostname()
}

// on puts what there is on page, with addresses as v's browser has them.
func (b *brand) on(page *pages.Page, v *visit) {
	page.BrandName = b.Name
	page.TermsURL, page.PrivacyURL, page.HelpURL = v.link(b.TermsURL), v.link(b.PrivacyURL), v.link(b.HelpURL)
	if page.LogoURL = v.link(b.LogoURL); b.logo != "" {
		page.LogoURL = v.base + "/logo/" + b.logo
	}
}

// link is to, a path of the application or an address, as v's browser has it.
func (v *visit) link(to string) string {
	if strings.HasPrefix(to, "/") {
		return v.public(to)
	}
	return to
}

// serveLogo is GET /logo/ and the hash of the picture, which never changes. One who opens
// its address sees a picture too: a drawing's scripts do not run, and it loads nothing.
func (s *Server) serveLogo(w http.ResponseWriter, r *http.Request) (ok bool) {
	b := s.pages.brand
	rest, _ := s.route(r.URL.Path, s.prefixOf(r))
	if b.logo == "" || rest != "logo/"+b.logo || r.Method != "GET" && r.Method != "HEAD" {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", b.logoType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	_, _ = w.Write(b.Logo)
	return true
}
