package auth

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

//go:embed pages/*.html pages/style.css
var pageFiles embed.FS

// Page is what a template of [Config].Templates is given. Not every field is set
// on every page.
type Page struct {
	Language    string // "en" or "zh-CN"
	BasePath    string // of the routes: "/api/auth"
	CSRFToken   string // goes into a form's csrfToken
	CallbackURL string // goes into a form's callbackUrl: the path to return to
	Providers   []PageProvider
	AccessCode  bool // whether to ask for one: the field "code" of a form for BasePath + "/signin/access-code"

	Name string // on the sign-out page: who is signed in, if anybody

	Code          string // of the error, from a closed set; empty for none
	Title         string // what happened, in the person's language
	Text          string // and what to do about it
	ProviderLabel string // whose sign-in failed, if any
	RetryProvider string // the provider with which to try again, if that makes sense
	RedirectURI   string // the callback URL that has to be registered, when that is what is wrong
	RequestID     string // ties the page to the log

	Words Words
	Style template.CSS // our style sheet; the Content-Security-Policy allows only it
}

// PageProvider is a button of the sign-in page: a form that is posted to
// BasePath + "/signin/" + ID.
type PageProvider struct {
	ID, Label, Action string // Action is the button's text in the person's language
	Initial           string // for a provider without a mark
	Mark              Mark
}

// Words are the fixed texts of the pages in one language.
type Words struct {
	SignIn, SignInIntro, AccessCode, Or, SignOut, SignOutIntro, SignedInAs, Stay, Retry, Home, ToSignIn, RequestID string
}

type pageSet struct {
	signInPage, signOutPage, errorPage *template.Template
	style                              template.CSS
	styleHash                          string
}

type pageProvider struct {
	ID, Label string
	Mark      Mark
}

type signInPage struct {
	BasePath, CSRFToken, CallbackURL string
	Providers                        []pageProvider
	AccessCode                       bool
	Error                            string
}

type signOutPage struct {
	BasePath, CSRFToken, CallbackURL, Name string
}

type errorPage struct {
	BasePath, Code, RequestID, Provider, CallbackURL, RedirectURI, RetryProvider, CSRFToken string
	Wait                                                                                    time.Duration
}

// newPages takes the templates that custom defines and ours for the rest.
func newPages(custom *template.Template) (*pageSet, error) {
	ours, err := template.ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("auth: embedded pages: %w", err)
	}
	css, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		return nil, fmt.Errorf("auth: embedded pages: %w", err)
	}
	css = bytes.TrimSpace(css)
	sum := sha256.Sum256(css)
	pick := func(name string) *template.Template {
		if custom != nil {
			if t := custom.Lookup(name); t != nil {
				return t
			}
		}
		return ours.Lookup(name)
	}
	p := &pageSet{
		signInPage: pick("signin"), signOutPage: pick("signout"), errorPage: pick("error"),
		style: template.CSS(css), styleHash: base64.StdEncoding.EncodeToString(sum[:]),
	}
	var known bool
	for _, name := range []string{"signin", "signout", "error"} {
		known = known || custom != nil && custom.Lookup(name) != nil
	}
	if custom != nil && !known {
		return nil, errors.New(`auth: Config.Templates defines none of "signin", "signout" and "error"`)
	}
	return p, nil
}

func (p *pageSet) signIn(w http.ResponseWriter, r *http.Request, status int, d signInPage, forms []string) {
	lang := languageOf(r)
	page := Page{BasePath: d.BasePath, CSRFToken: d.CSRFToken, CallbackURL: d.CallbackURL, AccessCode: d.AccessCode}
	for _, one := range d.Providers {
		initial, _ := utf8.DecodeRuneInString(one.Label)
		page.Providers = append(page.Providers, PageProvider{
			ID: one.ID, Label: one.Label, Mark: one.Mark,
			Action: fmt.Sprintf(lang.continueWith, one.Label), Initial: strings.ToUpper(string(initial)),
		})
	}
	if d.Error != "" {
		page.explain(lang, d.Error)
	}
	p.write(w, status, p.signInPage, lang, page, forms)
}

func (p *pageSet) signOut(w http.ResponseWriter, r *http.Request, status int, d signOutPage, forms []string) {
	p.write(w, status, p.signOutPage, languageOf(r), Page{BasePath: d.BasePath, CSRFToken: d.CSRFToken, CallbackURL: d.CallbackURL, Name: d.Name}, forms)
}

func (p *pageSet) error(w http.ResponseWriter, r *http.Request, status int, d errorPage, forms []string) {
	lang := languageOf(r)
	page := Page{
		BasePath: d.BasePath, CSRFToken: d.CSRFToken, CallbackURL: d.CallbackURL, ProviderLabel: d.Provider,
		RetryProvider: d.RetryProvider, RedirectURI: d.RedirectURI, RequestID: d.RequestID,
	}
	page.explain(lang, d.Code)
	if d.Wait > 0 {
		page.Text = lang.wait(d.Wait)
	}
	p.write(w, status, p.errorPage, lang, page, forms)
}

// explain puts code into words. What comes from outside never does.
func (p *Page) explain(lang *language, code string) {
	text, ok := lang.errors[code]
	if !ok {
		code = codeDefault
		text = lang.errors[code]
	}
	p.Code, p.Title, p.Text = code, text.title, text.text
}

func (p *pageSet) write(w http.ResponseWriter, status int, t *template.Template, lang *language, page Page, forms []string) {
	page.Language, page.Words, page.Style = lang.tag, lang.words, p.style
	var b bytes.Buffer
	if err := t.Execute(&b, page); err != nil {
		http.Error(w, "The page could not be shown.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang.tag)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept-Language")
	// Not no-referrer: browsers would then send "Origin: null" with our forms.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+p.styleHash+"'; "+
		"form-action "+strings.Join(append([]string{"'self'"}, forms...), " ")+"; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}
