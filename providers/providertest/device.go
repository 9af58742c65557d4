package providertest

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// deviceGrant is what one device waits for: RFC 8628.
type deviceGrant struct {
	grant
	userCode string
	declined bool // by the person; until then, and until somebody signs in, nothing is decided
	decided  bool
}

// authorizeDevice is the device authorization endpoint: RFC 8628 3.1.
func (p *IdP) authorizeDevice(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Method != "POST" {
		tokenError(w, "invalid_request")
		return
	}
	client, ok := p.authenticated(r)
	if !ok {
		tokenError(w, "invalid_client")
		return
	}
	code, typed := randomText(), strings.ToUpper(randomText()[:8])
	p.mu.Lock()
	p.devices[code] = &deviceGrant{grant: grant{client: client.ID, scope: r.PostForm.Get("scope"), until: p.now().Add(10 * time.Minute)}, userCode: typed}
	p.mu.Unlock()
	page := strings.TrimRight(p.config.Issuer, "/") + "/device"
	answer := map[string]any{
		"device_code": code, "user_code": typed, "expires_in": 600, "interval": 1,
		"verification_uri": page, "verification_uri_complete": page + "?" + url.Values{"user_code": {typed}}.Encode(),
	}
	change(p.fault().Device, answer)
	WriteJSON(w, http.StatusOK, answer)
}

// devicePage is where a person decides: RFC 8628 3.3. user_code in its query says about
// which device, and login_hint is as at the authorization endpoint.
func (p *IdP) devicePage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	hint := q.Get("login_hint")
	person := p.person(hint)
	if hint == "" && !p.config.Ask && len(p.config.People) > 0 {
		person = &p.config.People[0]
	}
	p.mu.Lock()
	device := p.waiting(q.Get("user_code"))
	if device != nil && (person != nil || hint == "deny") {
		device.decided, device.declined = true, person == nil
		if person != nil {
			device.person, device.begun = *person, p.now()
		}
	}
	p.mu.Unlock()
	switch {
	case device == nil:
		http.Error(w, "no device waits with this user_code", http.StatusNotFound)
	case person == nil && hint != "deny":
		p.ask(w, q)
	default:
		_, _ = w.Write([]byte("Done. Go back to your device.\n"))
	}
}

// waiting is the device with this code that nobody has decided about, or nil. p.mu is
// held.
func (p *IdP) waiting(userCode string) *deviceGrant {
	for _, d := range p.devices {
		if d.userCode == userCode && !d.decided && !p.now().After(d.until) {
			return d
		}
	}
	return nil
}

// redeemDevice is RFC 8628 3.4 and 3.5.
func (p *IdP) redeemDevice(w http.ResponseWriter, client, code, thumbprint string) {
	p.mu.Lock()
	d, ok := p.devices[code]
	var refused string
	switch {
	case !ok || d.client != client:
		refused = "invalid_grant"
	case p.now().After(d.until):
		refused = "expired_token"
	case !d.decided:
		refused = "authorization_pending"
	case d.declined:
		refused = "access_denied"
	default:
		delete(p.devices, code)
		d.thumbprint = thumbprint
	}
	p.mu.Unlock()
	if refused != "" {
		tokenError(w, refused)
		return
	}
	p.answer(w, d.grant, p.newFamily(d.grant))
}
