package apple_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/apple"
)

// FuzzFormAnswer: whatever the browser says of a person, a short name is all that is
// kept of it, and the protocol's own parameters are as they came.
func FuzzFormAnswer(f *testing.F) {
	for _, user := range []string{`{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"ada@example.com"}`, `{"name":{"firstName":"\ud800"}}`, "{", `{"NAME":{"firstname":" a "}}`, ""} {
		f.Add(user)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	p, err := apple.New(apple.Config{ClientID: clientID, TeamID: "t", KeyID: "k", PrivateKey: key})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, user string) {
		answer := p.(auth.FormPoster).FormAnswer(url.Values{"state": {"s"}, "code": {"c"}, "user": {user}})
		name, named := answer["user"]
		switch {
		case answer.Get("state") != "s" || answer.Get("code") != "c":
			t.Fatalf("%q changes the answer: %q", user, answer)
		case !named && len(answer) != 2 || named && len(answer) != 3:
			t.Fatalf("%q adds to the answer: %q", user, answer)
		case named && (name[0] == "" || len(name[0]) > 256 || !utf8.ValidString(name[0]) || strings.TrimSpace(name[0]) != name[0]):
			t.Fatalf("%q gives the name %q", user, name)
		}
	})
}
