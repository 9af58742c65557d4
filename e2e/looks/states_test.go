package looks_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/pages"
	"github.com/sallyport/auth/providers"
)

// A state is a page as somebody may see it.
type state struct {
	name, template string
	page           func(l *pages.Language) pages.Page
}

// everyProvider is what is on the buttons of the providers of the module, by label.
func everyProvider(t *testing.T) []auth.Presentation {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	answers := []struct{ suffix, value string }{
		{"_TENANT_ID", "11111111-2222-3333-4444-555555555555"}, {"_TEAM_ID", "ABCDE12345"}, {"_KEY_ID", "ABCDE12345"},
		{"_PRIVATE_KEY", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))},
		{"ENTRA_ID_ISSUER", ""}, {"_MICROSOFT_ISSUER", ""}, {"AZURE_AD_ISSUER", ""}, {"_ISSUER", "https://id.example.com"}, {"_ID", "app"}, {"_SECRET", "0123456789abcdef0123456789abcdef"},
	}
	env := func(name string) string {
		for _, a := range answers {
			if strings.HasSuffix(name, a.suffix) {
				return a.value
			}
		}
		return ""
	}
	shown := map[string]auth.Presentation{}
	for id, factory := range providers.All() {
		p, err := factory(env, id, nil)
		require.NoError(t, err, id)
		presentation := p.(auth.Presenter).Presentation()
		shown[presentation.Label] = presentation
	}
	return slices.SortedFunc(maps.Values(shown), func(a, b auth.Presentation) int { return strings.Compare(a.Label, b.Label) })
}

// ways are the buttons of providers; the one named last was the last to be used.
func ways(l *pages.Language, last string, providers ...auth.Presentation) (list []pages.Provider) {
	for i, p := range providers {
		list = append(list, pages.Provider{
			ID: fmt.Sprint("p", i), Label: p.Label, Action: l.ContinueWith(p.Label), Initial: strings.ToUpper(p.Label[:1]), Mark: p.Mark, Last: p.Label == last,
		})
	}
	return list
}

const longLabel = "Federation of the Universities of the North and their Libraries"

// states are all pages, and each as it is with little and with much on it.
func states(t *testing.T) []state {
	all := everyProvider(t)
	find := func(labels ...string) (list []auth.Presentation) {
		for _, label := range labels {
			i := slices.IndexFunc(all, func(p auth.Presentation) bool { return p.Label == label })
			if i < 0 {
				list = append(list, auth.Presentation{Label: label})
				continue
			}
			list = append(list, all[i])
		}
		return list
	}
	signIn := func(l *pages.Language, change func(p *pages.Page)) pages.Page {
		p := pages.Page{SignInTo: l.SignInTo("app.example.com"), CallbackURL: "/report"}
		change(&p)
		return p
	}
	problem := func(l *pages.Language, p *pages.Page, code pages.Code) {
		p.Code, p.Title, p.Text = string(code), l.Problems[code].Title, l.Problems[code].Text
	}
	one, three := find("GitHub"), find("Google", "GitHub", "Microsoft")
	eight := find("Apple", "Auth0", "authentik", "GitHub", "Google", "Microsoft", "ZITADEL", longLabel)
	list := []state{
		{"signin-one", "signin", func(l *pages.Language) pages.Page {
			return signIn(l, func(p *pages.Page) { p.Providers = ways(l, "", one...) })
		}},
		{"signin-three", "signin", func(l *pages.Language) pages.Page {
			return signIn(l, func(p *pages.Page) {
				p.SignInTo, p.BrandName, p.AccessCode, p.Providers = l.SignInTo("ACME"), "ACME", true, ways(l, "GitHub", three...)
				p.TermsURL, p.PrivacyURL, p.HelpURL = "/terms", "/privacy", "/help"
			})
		}},
		{"signin-eight", "signin", func(l *pages.Language) pages.Page {
			return signIn(l, func(p *pages.Page) { p.AccessCode, p.Providers = true, ways(l, longLabel, eight...) })
		}},
		{"signin-every", "signin", func(l *pages.Language) pages.Page {
			return signIn(l, func(p *pages.Page) { p.Providers = ways(l, "", all...) })
		}},
		{"signin-branded", "signin", func(l *pages.Language) pages.Page {
			return signIn(l, func(p *pages.Page) {
				p.SignInTo, p.BrandName, p.LogoURL, p.Providers = l.SignInTo("Harbour Books"), "Harbour Books", "/logo.svg", ways(l, "", three...)
				p.TermsURL, p.PrivacyURL, p.HelpURL = "/terms", "/privacy", "/help"
			})
		}},
		{"signin-again", "signin", func(l *pages.Language) pages.Page {
			return signIn(l, func(p *pages.Page) { p.Name, p.Providers = "Ada Lovelace", ways(l, "GitHub", three...) })
		}},
		{"signin-failed", "signin", func(l *pages.Language) pages.Page {
			return signIn(l, func(p *pages.Page) { problem(l, p, "OAuthCallbackError"); p.Providers = ways(l, "", three...) })
		}},
		{"signin-code-wrong", "signin", func(l *pages.Language) pages.Page {
			return signIn(l, func(p *pages.Page) {
				problem(l, p, "CredentialsSignin")
				p.AccessCode, p.AccessCodeLast, p.Providers = true, true, ways(l, "", three...)
			})
		}},
		{"code", "signin", func(l *pages.Language) pages.Page {
			return signIn(l, func(p *pages.Page) { p.AccessCode, p.SignInURL = true, "/api/auth/signin" })
		}},
		{"code-wrong", "signin", func(l *pages.Language) pages.Page {
			return signIn(l, func(p *pages.Page) { p.AccessCode = true; problem(l, p, "CredentialsSignin") })
		}},
		{"limited", "error", func(l *pages.Language) pages.Page {
			p := pages.Page{HomeURL: "/", RequestID: "7f3c9a52d1e04b68"}
			problem(l, &p, "RateLimited")
			p.Text = l.Wait(5 * time.Minute)
			return p
		}},
		{"signout", "signout", func(l *pages.Language) pages.Page {
			return pages.Page{Name: "ada@example.com", StayURL: "/", StaysIn: l.StaysIn("GitHub"), SessionsURL: "/api/auth/sessions"}
		}},
		{"signout-there", "signout", func(l *pages.Language) pages.Page {
			return pages.Page{BrandName: "ACME", Name: "Ada Lovelace", StayURL: "/", SignOutThere: l.SignOutThere("Microsoft"), AtProvider: true}
		}},
		{"signout-here", "signout", func(l *pages.Language) pages.Page {
			return pages.Page{Name: "ada", StayURL: "/", SignOutThere: l.SignOutThere(longLabel)}
		}},
		{"sessions-one", "sessions", func(l *pages.Language) pages.Page { return devices(l, 1) }},
		{"sessions-twelve", "sessions", func(l *pages.Language) pages.Page { return devices(l, 12) }},
		{"sessions-tokens", "sessions", func(l *pages.Language) pages.Page { return tokens(l) }},
		{"signed-out-still-in", "error", func(l *pages.Language) pages.Page {
			p := pages.Page{HomeURL: "/", StaysIn: l.StillIn("GitHub")}
			problem(l, &p, "SignedOut")
			return p
		}},
	}
	for _, code := range slices.Sorted(maps.Keys(pages.Match("en").Problems)) {
		list = append(list, state{"error-" + string(code), "error", func(l *pages.Language) pages.Page {
			p := pages.Page{CallbackURL: "/report", HomeURL: "/", RequestID: "7f3c9a52d1e04b68"}
			problem(l, &p, code)
			switch code {
			case "SignedOut", "NotFound", "MethodNotAllowed", "BadRequest", "MissingCSRF", "SessionRequired", "AnotherSite", "AnotherWay", "StoreUnavailable", "RateLimited", "TooManyFailures", "CredentialsSignin", "CookiesBlocked":
			case "FormNotSent", "InsideAFrame":
				p.SignInURL, p.HomeURL = "/api/auth/signin", ""
			default:
				p.ProviderText, p.RetryProvider = l.At("GitHub"), "github"
			}
			switch code {
			case "AccessDenied":
				p.Name, p.RetryPrompt = "ada.lovelace@analytical-engines.example.com", "select_account"
			case "RedirectURI":
				p.RedirectURI = "https://app.example.com/api/auth/callback/github"
			}
			return p
		}})
	}
	return list
}

// devices is a page of n sessions.
func devices(l *pages.Language, n int) pages.Page {
	p := pages.Page{Name: "Ada Lovelace", HomeURL: "/", CanEndOthers: n > 1, SessionsHidden: n == 1}
	kinds := []string{"Firefox, Windows", "Safari, iPhone", "", "Chrome, Android"}
	for i := range n {
		at := time.Date(2026, 3, 14, 15, 9, 0, 0, time.UTC).Add(-time.Duration(i) * 31 * time.Hour)
		p.Sessions = append(p.Sessions, pages.Session{
			ID: fmt.Sprint(i), Current: i == 0, Device: kinds[i%len(kinds)], Address: []string{"203.0.113.7", "2001:db8:85a3:1234:5678:8a2e:370:7334"}[i%2], ProviderLabel: []string{"GitHub", "Microsoft", ""}[i%3],
			Created: at, LastSeen: at, CreatedText: l.Moment(at), LastSeenText: l.Moment(at),
		})
	}
	return p
}

// tokens is a page of a person's sessions with those of programs between them.
func tokens(l *pages.Language) pages.Page {
	p := devices(l, 2)
	end := time.Date(2027, 3, 14, 15, 9, 0, 0, time.UTC)
	for i, label := range []string{"backup", "Nightly export of the library's catalogue to the Federation", "部署"} {
		p.Sessions = append(p.Sessions, pages.Session{
			ID: fmt.Sprint("t", i), TokenLabel: label, ProviderLabel: []string{"GitHub", "Microsoft"}[i%2], Created: end, LastSeen: end, Expires: end, ExpiresText: l.Moment(end),
		})
	}
	return p
}
