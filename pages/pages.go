// Package pages has the pages that people see: their templates, their words in
// each language, and the types that an application's own templates are given.
//
// An application replaces a page by defining a template of the same name,
// "signin", "signout", "sessions" or "error", in Config.Templates of the root package. It is
// given a [Page]. Those that it does not define stay as they are here. The
// shortest page that works is
//
//	{{define "signin"}}
//	{{range .Providers}}<form method="post" action="{{$.BasePath}}/signin/{{.ID}}">
//	<input type="hidden" name="csrfToken" value="{{$.CSRFToken}}">
//	<input type="hidden" name="callbackUrl" value="{{$.CallbackURL}}">
//	<button>{{.Action}}</button>
//	</form>{{end}}
//	{{end}}
//
// The files beside this one are those pages: signin.html, signout.html, sessions.html,
// error.html, what they share in layout.html, and style.css. They run no script and load
// nothing but the logo of a [Brand], and the Content-Security-Policy that they are sent
// with allows nothing else: it names the hash of their style sheet, and no other style
// counts. Of an application's page it allows what is in the page's own style elements, and
// style sheets, pictures and fonts of the same origin; see Config.TemplateScripts for scripts.
//
// # Languages
//
// The pages are in English, German, Spanish, French, Japanese, and Chinese in simplified and
// in traditional characters, by the browser's Accept-Language: a file each beside this one.
// Config.Languages of the root package adds others and changes words; see [NewLanguages].
// What is written from right to left is shown so. A time is in UTC.
//
// Templates are html/template's, so that whatever a provider calls somebody is
// text on a page and never markup.
package pages

import (
	"html/template"
	"time"
)

// Page is what a template is given. Not every field is set on every page.
type Page struct {
	Language    string     // the page's language, for the attribute lang: "en", "zh-Hans"
	RightToLeft bool       // whether it is written so: the attribute dir="rtl"
	BasePath    string     // of the routes: "/api/auth"
	CSRFToken   string     // goes into a form's csrfToken
	CallbackURL string     // goes into a form's callbackUrl: the path to return to
	Providers   []Provider // the buttons of the sign-in page, in order
	AccessCode  bool       // whether to ask for one: the field "code" of a form for BasePath + "/signin/access-code"

	SignInTo                      string // on the sign-in page: what to sign in to, with the name of the site or its host
	BrandName                     string // of the site, if it has one: [Brand]
	LogoURL                       string // its picture, if it has one
	TermsURL, PrivacyURL, HelpURL string // its links; each may be empty
	AccessCodeLast                bool   // this browser signed in by access code last

	Name    string // on the sign-in and sign-out pages: who is signed in, if anybody; on the error page: which account was refused
	StayURL string // on the sign-out page: where somebody goes who stays signed in
	StaysIn string // on the sign-out page, and once somebody is signed out: that the provider does not sign them out, with its name

	SignOutThere string // on the sign-out page: the button that signs out at the provider too, where that can be; it sends "atProvider" 1, and the one for here alone 0
	AtProvider   bool   // what is done where neither is sent

	HomeURL string // on the error page: the site's front page

	Code          string // of the error, from a closed set; empty for none
	Title         string // what happened, in the person's language
	Text          string // and what to do about it
	ProviderLabel string // whose sign-in failed, if any
	ProviderText  string // the same in words
	RetryProvider string // the provider with which to try again, if that makes sense
	RetryPrompt   string // goes into the query of that form's address as prompt, so that another account can be taken; may be empty
	RedirectURI   string // the callback URL that has to be registered, when that is what is wrong
	RequestID     string // ties the page to the log
	SignInURL     string // where to sign in, in another tab, on a page that is not to be left; on the sign-in page: where the other ways are
	OutOfFrame    bool   // Turbo is to show the page in place of the one that its frame is on

	Sessions       []Session // on the sessions page: the person's own one first; each has a form for BasePath + "/sessions" with its ID as "end"
	SessionsHidden bool      // there may be others, which are not shown
	CanEndOthers   bool      // whether "others" and "all" may be "end" too
	SessionsURL    string    // on the sign-out page: the sessions page, where there is something to see on it

	Words Words        // the fixed texts, in the person's language
	Style template.CSS // our style sheet, with the colours of the [Brand]
}

// Provider is a button of the sign-in page: a form that is posted to BasePath +
// "/signin/" + ID.
type Provider struct {
	ID      string // "github"
	Label   string // "GitHub"
	Action  string // the button's text in the person's language: "Continue with GitHub"
	Initial string // the label's first letter, for a provider without a mark
	Mark    Mark
	Last    bool // this browser signed in with it last
}

// Session is one of the places in which somebody is signed in.
type Session struct {
	ID                        string // goes into the form that ends it
	Current                   bool   // it is the one that looks at the page
	TokenLabel                string // of the token, where a program has one; empty for a person's sign-in
	Device                    string // "Firefox, Windows"; empty where nobody knows
	Address                   string // from which the person signed in, if that is kept
	ProviderLabel             string // with which, if any
	Created, LastSeen         time.Time
	CreatedText, LastSeenText string    // the same in words
	Expires                   time.Time // when it ends; a person's goes on with use
	ExpiresText               string
}

// Mark is a small vector drawing, in a square of 20 pixels on our pages. To look as large as
// the others it is in the middle of its ViewBox, a round one with 3 % of it free on each
// side and a square one with 8 %. The zero Mark draws the label's initial.
type Mark struct {
	ViewBox string // an SVG viewBox: "0 0 24 24"
	Paths   []Path
}

// Path is one SVG path of a [Mark].
type Path struct {
	D    string // path data
	Fill string // a colour: "#24292f"; empty takes the text's colour, in light and dark
}
