package apple

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
)

const maxName = 256 // bytes of a name that the browser brings

// provider is package oidc's, with the name that comes in the form.
type provider struct{ *oidc.Provider }

// FormAnswer implements [auth.FormPoster]. Of the person it keeps the name, and not the
// address: that one is believed in the ID token alone.
func (p *provider) FormAnswer(form url.Values) url.Values {
	answer := p.Provider.FormAnswer(form)
	var user struct {
		Name struct{ FirstName, LastName string }
	}
	if json.Unmarshal([]byte(form.Get("user")), &user) == nil {
		if name := showable(user.Name.FirstName + " " + user.Name.LastName); name != "" {
			answer.Set("user", name)
		}
	}
	return answer
}

// Exchange implements [auth.Provider].
func (p *provider) Exchange(ctx context.Context, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
	id, err := p.Provider.Exchange(ctx, tx, response)
	if err == nil {
		id.Name = cmp.Or(id.Name, showable(response.Get("user")))
	}
	return id, err
}

// showable is name, or "" for one that no person has.
func showable(name string) string {
	if len(name) > maxName || !utf8.ValidString(name) {
		return ""
	}
	return strings.TrimSpace(name)
}
