package web

import (
	"encoding/json"
	"net/url"
)

// place is where a server is to whoever asks, and what it says of that to everybody who is
// not signed in. Where an address is configured, there is one place, and it is made once.
type place struct {
	origin       string // without a slash at the end
	challenge    string // for people
	signIn       string // the page with every way in, and a query that lacks the value of callbackUrl
	unauthorized []byte // for scripts: JSON
}

// placeAt is the place at origin whose routes have the public path base. page is the path of
// the page with every way in.
func placeAt(origin *url.URL, base, page string) *place {
	p := &place{origin: origin.String()}
	p.challenge = `Cookie realm="` + origin.Host + `", form-action="` + base + `/signin"`
	p.signIn = p.origin + page + "?callbackUrl="
	// The error is that of types which JSON does not have.
	p.unauthorized, _ = json.Marshal(problem{"unauthorized", "Not signed in. Sign in at " + p.origin + base + "/signin"})
	return p
}

// at is the place that v is at.
func (v *visit) at() *place {
	if v.place == nil {
		v.place = placeAt(v.origin, v.base, v.owner.signInPage(v))
	}
	return v.place
}
