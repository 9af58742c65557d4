package soak_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sallyport/auth/e2e/internal/visit"
)

// person is a browser of somebody. What they are answered has to be what the plan says.
type person struct {
	*crowd
	n       int
	cookies map[string]string
}

// unexpected is an answer that the plan does not have.
type unexpected struct {
	what   string
	status int
	text   string
}

func (u *unexpected) Error() string {
	return fmt.Sprintf("%s: %d: %.2000s", u.what, u.status, u.text)
}

// live is what somebody does: they sign in, beginning on one node and coming back to the other, look at
// some pages, at the last of which their session is due for renewal, and most of them sign out.
func (p *person) live() error {
	if p.n%hangingEvery == 0 {
		if err := p.tryHanging(); err != nil {
			return err
		}
	}
	if err := p.signIn(); err != nil {
		return err
	}
	renewed := false
	for _, pause := range []time.Duration{0, updateAge / 2, updateAge} {
		time.Sleep(pause)
		answer, _, err := p.send("page", http.MethodGet, "/page", nil, http.StatusOK)
		if err != nil {
			return err
		}
		if setsSession(answer) {
			renewed = true
			p.count("renewal")
		}
	}
	if !renewed {
		return &unexpected{what: "a session was not renewed"}
	}
	if p.n%5 < 3 {
		return p.signOut()
	}
	return nil
}

// tryHanging goes to the provider that does not answer, and sees a page that says so.
func (p *person) tryHanging() error {
	action, form, err := p.signInForm("/signin/hanging")
	if err != nil {
		return err
	}
	_, _, err = p.ask("the provider that hangs", http.MethodPost, action, form, http.StatusServiceUnavailable)
	return err
}

func (p *person) signInForm(part string) (action string, form url.Values, err error) {
	answer, text, err := p.send("sign-in page", http.MethodGet, "/api/auth/signin", nil, http.StatusOK)
	if err != nil {
		return "", nil, err
	}
	return p.form(answer, text, part)
}

func (p *person) form(answer *http.Response, text, part string) (action string, form url.Values, err error) {
	action, form, ok := visit.Form(text, part)
	if !ok {
		return "", nil, &unexpected{"no form " + part, answer.StatusCode, text}
	}
	return action, form, nil
}

func (p *person) signIn() error {
	action, form, err := p.signInForm("/signin/corp")
	if err != nil {
		return err
	}
	answer, _, err := p.send("sign-in", http.MethodPost, action, form, http.StatusSeeOther)
	if err != nil {
		return err
	}
	answer, _, err = p.send("provider", http.MethodGet, answer.Header.Get("Location"), nil, http.StatusSeeOther)
	if err != nil {
		return err
	}
	back, err := answer.Location()
	if err != nil {
		return err
	}
	answer, text, err := p.send("callback", http.MethodGet, back.RequestURI(), nil, http.StatusSeeOther)
	if err == nil && !setsSession(answer) {
		err = &unexpected{"a callback without a session", answer.StatusCode, text}
	}
	return err
}

// signOut signs out on one node, and the other knows.
func (p *person) signOut() error {
	answer, text, err := p.send("sign-out page", http.MethodGet, "/api/auth/signout", nil, http.StatusOK)
	if err != nil {
		return err
	}
	action, form, err := p.form(answer, text, "/signout")
	if err != nil {
		return err
	}
	had := p.cookies[sessionCookie]
	if _, _, err := p.send("sign-out", http.MethodPost, action, form, http.StatusSeeOther); err != nil {
		return err
	}
	p.cookies[sessionCookie] = had
	_, _, err = p.send("page, after signing out", http.MethodGet, "/page", nil, http.StatusSeeOther)
	return err
}

const sessionCookie = "authjs.session-token"

func setsSession(answer *http.Response) bool {
	for _, c := range answer.Cookies() {
		if c.Name == sessionCookie && c.Value != "" {
			return true
		}
	}
	return false
}

// send is ask, with few others at a time: on a busy machine people wait here, and not at a node.
func (p *person) send(what, method, to string, form url.Values, want int) (*http.Response, string, error) {
	p.slots <- struct{}{}
	defer func() { <-p.slots }()
	return p.ask(what, method, to, form, want)
}

// ask sends a request, to the two nodes in turn where it is for the site.
func (p *person) ask(what, method, to string, form url.Values, want int) (*http.Response, string, error) {
	address, site := to, strings.HasPrefix(to, "/")
	if site {
		address = "http://" + p.nodes[p.turn.Add(1)%uint32(len(p.nodes))].site + to
	}
	r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	r.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if site {
		r.Host = siteHost
		for name, value := range p.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	began := time.Now()
	answer, err := p.client.Do(r)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", what, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", what, err)
	}
	p.took(what, time.Since(began))
	for _, c := range answer.Cookies() {
		if c.MaxAge < 0 || c.Value == "" {
			delete(p.cookies, c.Name)
		} else {
			p.cookies[c.Name] = c.Value
		}
	}
	if answer.StatusCode != want {
		return nil, "", &unexpected{what, answer.StatusCode, string(text)}
	}
	return answer, string(text), nil
}
