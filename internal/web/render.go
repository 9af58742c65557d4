package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sallyport/auth/internal/device"
	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/pages"
	"github.com/sallyport/auth/session"
)

// pageWriter shows pages: the application's, and ours for those that it does not
// define.
type pageWriter struct {
	signInPage, signOutPage, sessionsPage, errorPage shownPage
	brand                                            *brand
	languages                                        *pages.Languages
	style                                            template.CSS
	styleSource                                      string   // what a policy calls it
	scripts                                          []string // paths of those that the application's pages run
	ancestors                                        string   // what may frame a page on which something can be done
	log                                              *slog.Logger
}

// shownPage is a template, and whether it is the application's own.
type shownPage struct {
	*template.Template
	own bool
}

type signInPage struct {
	Visit                  *visit
	CSRFToken, CallbackURL string
	Name                   string // of somebody who is signed in
	SignInURL              string // for the other ways, where there is the code's form alone
	Ways                   []*Way
	AccessCode             bool
	Last                   string     // the way by which this browser signed in last, if that is known
	Code                   fault.Code // what went wrong before; empty for nothing
}

type signOutPage struct {
	Visit                        *visit
	CSRFToken, CallbackURL, Name string
	StayURL, SessionsURL         string
	Provider                     string // with which the person signed in, if any
	CanEndSession, AtProvider    bool   // whether they can be signed out there, and are unless they choose
}

type sessionsPage struct {
	Visit           *visit
	CSRFToken, Name string
	List            *shownSessions
	Label           func(provider string) string
}

type errorPage struct {
	Visit                                                                         *visit
	RequestID, Name, Provider, CallbackURL, RedirectURI, RetryProvider, CSRFToken string
	SignInURL                                                                     string // in another tab
	RetryPrompt                                                                   string // with which to try again
	StillIn                                                                       string // the provider at which somebody who signed out is still signed in
	Code                                                                          fault.Code
	Wait                                                                          time.Duration
	Framed                                                                        bool // inside any page
	OutOfFrame                                                                    bool // of Turbo's
}

// newPageWriter takes the templates that c defines and ours for the rest, and the
// languages that it adds or changes.
func newPageWriter(c Config, ancestors []string) (*pageWriter, error) {
	languages, err := pages.NewLanguages(c.Languages...)
	if err != nil {
		err = fmt.Errorf("auth: Config.Languages: %w", err)
	}
	ours, known := pages.Templates(), c.Templates == nil
	pick := func(name string) shownPage {
		if c.Templates != nil {
			if t := c.Templates.Lookup(name); t != nil {
				known = true
				return shownPage{t, true}
			}
		}
		return shownPage{ours.Lookup(name), false}
	}
	p := &pageWriter{
		signInPage: pick("signin"), signOutPage: pick("signout"), sessionsPage: pick("sessions"), errorPage: pick("error"),
		brand: newBrand(c.Brand), languages: languages, style: c.Brand.Style(), scripts: c.TemplateScripts, ancestors: noAncestors, log: c.Logger,
	}
	p.styleSource = styleSource(string(p.style))
	if len(ancestors) > 0 {
		p.ancestors = strings.Join(ancestors, " ")
	}
	err = errors.Join(err, checkScripts(c.TemplateScripts))
	if !known {
		err = errors.Join(err, errors.New(`auth: Config.Templates defines none of "signin", "signout", "sessions" and "error"`))
	}
	return p, err
}

func (p *pageWriter) signIn(w http.ResponseWriter, r *http.Request, d signInPage, forms []string) {
	lang := p.languages.Match(r.Header.Get("Accept-Language"))
	page := pages.Page{CSRFToken: d.CSRFToken, CallbackURL: d.CallbackURL, Name: d.Name, AccessCode: d.AccessCode, SignInURL: d.SignInURL,
		SignInTo: lang.SignInTo(p.brand.siteName(d.Visit)), AccessCodeLast: d.AccessCode && d.Last == session.AccessCode}
	for _, way := range d.Ways {
		initial, _ := utf8.DecodeRuneInString(way.Label)
		page.Providers = append(page.Providers, pages.Provider{
			ID: way.Name, Label: way.Label, Mark: way.Mark,
			Action: lang.ContinueWith(way.Label), Initial: strings.ToUpper(string(initial)), Last: way.Name == d.Last,
		})
	}
	if d.Code != "" {
		explain(&page, lang, d.Code)
	}
	p.write(w, d.Visit, http.StatusOK, p.signInPage, lang, page, forms, p.ancestors)
}

func (p *pageWriter) signOut(w http.ResponseWriter, r *http.Request, status int, d signOutPage, forms []string) {
	page := pages.Page{CSRFToken: d.CSRFToken, CallbackURL: d.CallbackURL, StayURL: d.StayURL, SessionsURL: d.SessionsURL, Name: d.Name}
	lang := p.languages.Match(r.Header.Get("Accept-Language"))
	switch {
	case d.CanEndSession:
		page.SignOutThere, page.AtProvider = lang.SignOutThere(d.Provider), d.AtProvider
	case d.Provider != "":
		page.StaysIn = lang.StaysIn(d.Provider)
	}
	p.write(w, d.Visit, status, p.signOutPage, lang, page, forms, p.ancestors)
}

func (p *pageWriter) sessions(w http.ResponseWriter, r *http.Request, d sessionsPage) {
	lang := p.languages.Match(r.Header.Get("Accept-Language"))
	page := pages.Page{
		CSRFToken: d.CSRFToken, Name: d.Name, HomeURL: d.Visit.home(),
		SessionsHidden: !d.List.Complete, CanEndOthers: d.List.CanEndOthers,
	}
	for _, x := range d.List.Sessions {
		page.Sessions = append(page.Sessions, pages.Session{
			ID: x.ID, Current: x.Current, TokenLabel: x.Label, Device: strings.Replace(x.Device, device.WebView, lang.Words.WebView, 1), Address: x.Address, ProviderLabel: d.Label(x.Provider),
			Created: x.Created, LastSeen: x.LastSeen, CreatedText: lang.Moment(x.Created), LastSeenText: lang.Moment(x.LastSeen),
			Expires: x.Expires, ExpiresText: lang.Moment(x.Expires),
		})
	}
	p.write(w, d.Visit, http.StatusOK, p.sessionsPage, lang, page, nil, p.ancestors)
}

func (p *pageWriter) error(w http.ResponseWriter, r *http.Request, status int, d errorPage, forms []string) {
	lang := p.languages.Match(r.Header.Get("Accept-Language"))
	page := pages.Page{
		CSRFToken: d.CSRFToken, CallbackURL: d.CallbackURL, ProviderLabel: d.Provider,
		RetryProvider: d.RetryProvider, RedirectURI: d.RedirectURI, RequestID: d.RequestID, SignInURL: d.SignInURL,
		RetryPrompt: d.RetryPrompt, Name: d.Name, OutOfFrame: d.OutOfFrame,
	}
	if d.Provider != "" {
		page.ProviderText = lang.At(d.Provider)
	}
	if d.SignInURL == "" {
		page.HomeURL = d.Visit.home()
	}
	explain(&page, lang, d.Code)
	if d.StillIn != "" {
		page.StaysIn = lang.StillIn(d.StillIn)
	}
	if d.Wait > 0 {
		page.Text = lang.Wait(d.Wait)
	}
	ancestors := p.ancestors
	if d.Framed {
		ancestors = "*" // nothing on it does anything here
	}
	p.write(w, d.Visit, status, p.errorPage, lang, page, forms, ancestors)
}

// explain puts code into words. What comes from outside never does.
func explain(page *pages.Page, lang *pages.Language, code fault.Code) {
	problem, ok := lang.Problem(string(code))
	if !ok {
		code = fault.Default
		problem, _ = lang.Problem(string(code))
	}
	page.Code, page.Title, page.Text = string(code), problem.Title, problem.Text
}

// noAncestors keeps a page out of every frame: nobody presses a button there that they
// do not see.
const noAncestors = "'none'"

// write sends a page whole or not at all: a template that fails half-way leaves
// nothing half-written.
func (p *pageWriter) write(w http.ResponseWriter, v *visit, status int, t shownPage, lang *pages.Language, page pages.Page, forms []string, ancestors string) {
	page.BasePath, page.Language, page.RightToLeft, page.Words, page.Style = v.base, lang.Tag, lang.RightToLeft(), lang.Words, p.style
	p.brand.on(&page, v)
	var b bytes.Buffer
	if err := t.Execute(&b, page); err != nil {
		p.log.Error("auth: a page cannot be shown; mend Config.Templates", "template", t.Name(), "cause", err.Error())
		http.Error(w, "The page could not be shown.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang.Tag)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept-Language")
	// Not no-referrer: browsers would then send "Origin: null" with our forms.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; %s; form-action %s; base-uri 'none'; frame-ancestors %s",
		p.sources(t, b.Bytes(), v), strings.Join(append([]string{"'self'"}, forms...), " "), ancestors))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// formOrigins are the origins that a form of our pages may lead to. Chromium
// applies form-action to the redirect that follows, and which host an identity
// provider has is known only after discovery.
func formOrigins(v *visit) []string {
	if v.secure() {
		return []string{"https:"}
	}
	return []string{"https:", "http://localhost:*", "http://127.0.0.1:*"}
}
