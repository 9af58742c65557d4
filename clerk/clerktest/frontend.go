package clerktest

import (
	"crypto/rand"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A browser's way, where the application is at / and this at /__clerk:
//
//	/page ──303──> /__clerk/sign-in?redirect_url=/page
//	               choose who you are: cookies __client, __client_uat
//	/page <──303──
//	      ──307──> /__clerk/v1/client/handshake?redirect_url=/page
//	/page?__clerk_handshake_nonce=... <──307──
//
// At Clerk, __client is on the Frontend API's own domain. Here a proxy is needed, so
// that one server has both.

// client is a browser that somebody signed in with.
type client struct {
	person  Person
	session string
	since   int64
}

const clientCookie = "__client"

// Frontend answers as Clerk's Frontend API and sign-in page, for an application
// that proxies them: mount it at the path of clerk.Config.ProxyURL, which is also
// Config.Issuer here, without [http.StripPrefix]. The sign-in page, at "/sign-in"
// below it, asks for no password: it is not for where strangers come. It panics where
// Config.Issuer is no URL.
//
//	proxy := "http://localhost:3000/__clerk"
//	instance := clerktest.New(clerktest.Config{Production: true, Issuer: proxy, People: people})
//	mux.Handle("/__clerk/", instance.Frontend())
//	c, err := clerk.New(clerk.Config{ProxyURL: proxy, SignInURL: proxy + "/sign-in", ...})
func (i *Instance) Frontend() http.Handler {
	base, err := url.Parse(i.issuer)
	if err != nil {
		panic("clerktest: Config.Issuer is no URL")
	}
	path := strings.TrimRight(base.Path, "/")
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path+"/sign-in", i.signIn)
	mux.HandleFunc("GET "+path+"/v1/client/handshake", i.handshake)
	return mux
}

// back is where the browser goes afterwards, if that is on this host: Clerk has a list
// of addresses in the place of that.
func back(r *http.Request) (*url.URL, bool) {
	u, err := url.Parse(r.URL.Query().Get("redirect_url"))
	return u, err == nil && u.Host == r.Host && (u.Scheme == "http" || u.Scheme == "https")
}

var signInPage = template.Must(template.New("sign-in").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Demo of Clerk</title>
<style>
body{max-width:24rem;margin:3rem auto;padding:0 1rem;font:1rem/1.6 system-ui,sans-serif}
a{display:block;margin:0 0 .75rem;padding:.75rem 1rem;border:1px solid;border-radius:.5rem;color:inherit;text-decoration:none}
</style>
</head>
<body>
<main>
<h1>Demo of Clerk</h1>
<p>Nobody has a password here. Who are you?</p>
{{range .}}<a href="{{.Link}}">{{.Name}}</a>
{{end}}</main>
</body>
</html>
`))

// signIn shows the people, or signs in the one that the parameter "as" names.
func (i *Instance) signIn(w http.ResponseWriter, r *http.Request) {
	to, ok := back(r)
	if !ok {
		http.Error(w, "redirect_url is on another host", http.StatusBadRequest)
		return
	}
	n := slices.IndexFunc(i.people, func(p Person) bool { return p.ID == r.URL.Query().Get("as") })
	if n < 0 {
		type choice struct{ Link, Name string }
		var choices []choice
		for _, p := range i.people {
			choices = append(choices, choice{"?" + url.Values{"redirect_url": {to.String()}, "as": {p.ID}}.Encode(), p.Name})
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = signInPage.Execute(w, choices)
		return
	}
	id, since := rand.Text(), i.now().Unix()
	i.mu.Lock()
	i.clients[id] = &client{i.people[n], "sess_" + rand.Text(), since}
	i.mu.Unlock()
	uat := strconv.FormatInt(since, 10)
	for name, value := range map[string]string{clientCookie: id, "__client_uat": uat, "__client_uat" + i.CookieSuffix: uat} {
		http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}) // #nosec G124 -- a stand-in, over http too
	}
	http.Redirect(w, r, to.String(), http.StatusSeeOther) // #nosec G710 -- back to the application, as Clerk does
}

// handshake tells the application who is signed in with this browser, by a nonce.
// Where nobody is, or the session was revoked, __client_uat becomes 0.
func (i *Instance) handshake(w http.ResponseWriter, r *http.Request) {
	to, ok := back(r)
	if !ok {
		http.Error(w, "redirect_url is on another host", http.StatusBadRequest)
		return
	}
	uat, session := "0", "; Path=/; Max-Age=0"
	if cookie, err := r.Cookie(clientCookie); err == nil {
		i.mu.Lock()
		c := i.clients[cookie.Value]
		if c != nil && slices.Contains(i.revoked, c.session) {
			delete(i.clients, cookie.Value)
			c = nil
		}
		i.mu.Unlock()
		if c != nil {
			token := i.Token(func(_, claims map[string]any) { claims["sub"], claims["sid"] = c.person.ID, c.session })
			uat, session = strconv.FormatInt(c.since, 10), token+"; Path=/; SameSite=Lax"
		}
	}
	var directives []string
	for _, suffix := range []string{"", i.CookieSuffix} {
		directives = append(directives, "__client_uat"+suffix+"="+uat+"; Path=/; SameSite=Lax", "__session"+suffix+"="+session)
	}
	i.mu.Lock()
	i.hits["handshake"]++
	i.mu.Unlock()
	q := to.Query()
	q.Set("__clerk_handshake_nonce", i.Nonce(directives...))
	to.RawQuery = q.Encode()
	http.Redirect(w, r, to.String(), http.StatusTemporaryRedirect) // #nosec G710 -- back to the application, as Clerk does
}
