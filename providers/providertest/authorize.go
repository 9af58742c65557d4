package providertest

import (
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// authorize is the authorization endpoint. login_hint, a subject, chooses a
// person without a page; "deny" declines.
func (p *IdP) authorize(w http.ResponseWriter, r *http.Request) {
	q, ok := p.requested(r)
	if !ok {
		http.Error(w, "no such request_uri, or a request that is not signed as it should be", http.StatusBadRequest)
		return
	}
	client, ok := p.client(q.Get("client_id"))
	back := q.Get("redirect_uri")
	if !ok || len(client.RedirectURIs) > 0 && !slices.Contains(client.RedirectURIs, back) {
		http.Error(w, "unknown client_id, or a redirect_uri that is not registered", http.StatusBadRequest)
		return
	}
	target, err := url.Parse(back)
	if err != nil || target.Host == "" {
		http.Error(w, "bad redirect_uri", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}}
	p.setIssuer(answer, r)
	hint := q.Get("login_hint")
	person := p.person(hint)
	switch {
	case client.NoPKCE && q.Has("code_challenge"):
		answer.Set("error", "invalid_request")
		answer.Set("error_description", "want no PKCE")
	case q.Get("response_type") != "code" || !client.NoPKCE && (q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43):
		answer.Set("error", "invalid_request")
		answer.Set("error_description", "want response_type=code and PKCE S256")
	case hint == "deny":
		answer.Set("error", "access_denied")
	case person == nil && q.Get("prompt") == "none":
		answer.Set("error", "login_required")
	case person == nil && p.config.Ask:
		p.ask(w, q)
		return
	case person == nil && len(p.config.People) == 0:
		answer.Set("error", "access_denied")
	default:
		if person == nil {
			person = &p.config.People[0]
		}
		code := randomText()
		p.mu.Lock()
		p.codes[code] = grant{
			client: client.ID, redirectURI: back, nonce: q.Get("nonce"), challenge: q.Get("code_challenge"),
			scope: q.Get("scope"), person: *person, begun: p.now(), until: p.now().Add(time.Minute), thumbprint: q.Get("dpop_jkt"),
		}
		p.mu.Unlock()
		answer.Set("code", code)
	}
	if f := p.fault().Callback; f != nil {
		f(answer)
	}
	query := target.Query()
	for name, values := range answer {
		query[name] = values
	}
	target.RawQuery = query.Encode()
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, target.String(), http.StatusSeeOther) // #nosec G710 -- to a redirect URI, as an identity provider does
}

// setIssuer adds iss (RFC 9207): GitHub's has a path of its own, and to clients
// that ask for no OpenID Connect scope, as Gitea's do not, there is none.
func (p *IdP) setIssuer(answer url.Values, r *http.Request) {
	scope := r.URL.Query().Get("scope")
	switch {
	case !strings.HasSuffix(r.URL.Path, "/login/oauth/authorize"):
		answer.Set("iss", p.config.Issuer)
	case strings.Contains(scope, "user"):
		answer.Set("iss", p.config.Issuer+"/login/oauth")
	}
}

func (p *IdP) person(subject string) *Person {
	for i := range p.config.People {
		if subject != "" && p.config.People[i].Subject == subject {
			return &p.config.People[i]
		}
	}
	return nil
}

var askPage = template.Must(template.New("ask").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Demo identity provider</title>
<style>
:root{--page:#eef1f4;--card:#fff;--text:#1b1f24;--line:#c9d1d9;--quiet:#57606a}
@media (prefers-color-scheme:dark){:root{--page:#0f1216;--card:#191d23;--text:#e8ebef;--line:#3a424c;--quiet:#a3adb8}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:24rem;padding:2rem 1.5rem;background:var(--card);border:1px dashed var(--line);border-radius:.75rem}
h1{margin:0 0 .5rem;font-size:1.5rem}
a{display:block;margin:0 0 .75rem;padding:.75rem 1rem;border:1px solid var(--line);border-radius:.5rem;color:var(--text);text-decoration:none}
small{display:block;color:var(--quiet)}
main>:last-child{margin-bottom:0}
</style>
</head>
<body>
<main>
<h1>Demo identity provider</h1>
<p>Nobody has a password here. Who are you?</p>
{{range .}}<a href="{{.Link}}">{{.Name}}{{if .Email}}<small>{{.Email}}</small>{{end}}</a>
{{end}}</main>
</body>
</html>
`))

// ask shows a link for each person: with forms, the Content-Security-Policy of
// the page that led here would have to allow where they lead.
func (p *IdP) ask(w http.ResponseWriter, asked url.Values) {
	type choice struct{ Link, Name, Email string }
	link := func(hint string) string {
		q := maps.Clone(asked)
		q.Set("login_hint", hint)
		return "?" + q.Encode()
	}
	var choices []choice
	for _, one := range p.config.People {
		choices = append(choices, choice{link(one.Subject), one.Name, one.Email})
	}
	choices = append(choices, choice{link("deny"), "No thanks", ""})
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	_ = askPage.Execute(w, choices)
}
