package pages

import (
	"fmt"
	"time"

	"github.com/sallyport/auth/internal/fault"
)

// Language is what the pages say in one language. What a program hands to [NewLanguages]
// may leave fields empty.
type Language struct {
	Tag      string // RFC 5646: "en", "zh-Hans", "pt-BR"
	Words    Words
	Problems map[Code]Problem
}

// Code is what a problem is called, from a closed set: "AccessDenied". The Problems of
// Match("en") have all of them.
type Code = fault.Code

// Words are the fixed texts of the pages in one language. %s is a name, and %d a number.
type Words struct {
	SignInTo     string // heading, with the name of the site: "Sign in to %s"
	SignIn       string // button of an access code
	SignInIntro  string // below the heading, where there is something to choose
	ContinueWith string // button of a provider: "Continue with %s"
	LastUsed     string // beside the provider that was taken last
	Terms        string // link to the site's terms of use
	Privacy      string // link to what the site says of privacy
	Help         string // link

	AccessCode    string // label of its field
	UseAccessCode string // opens its form beside the providers
	Seconds       string // in the place of a problem's text: wrong codes make people wait %d seconds
	Minutes       string // the same, in minutes

	SignOut      string // heading and button
	SignOutIntro string // the question below it
	SignOutHere  string // button, where the provider can sign people out too
	SignOutThere string // button beside it: "Sign out at %s too"
	StaysIn      string // before a sign-out here that is none at the provider: "You will still be signed in at %s."
	StillIn      string // the same after it
	SignedInAs   string // followed by a name
	Account      string // followed by the account that was refused
	Stay         string // the way out of the sign-out page

	Retry       string // button that starts again with the same provider
	Home        string // link
	Continue    string // link, for somebody who is signed in
	ToSignIn    string // link
	OtherWays   string // link to the page with every way to sign in
	SignInApart string // link that opens another tab
	RequestID   string // followed by the reference that stands in the log
	At          string // on the error page, a provider: "You were signing in with %s."

	Sessions       string // heading, and link
	ThisDevice     string // beside the session that looks at the page
	UnknownDevice  string // in the place of a device
	WebView        string // in the place of a browser: an application that shows pages
	SignedInWith   string // label of a provider
	FromAddress    string // label of an IP address
	SignedInAt     string // label of a time
	LastSeen       string // label of a time
	Moment         string // a time in UTC, as a layout of package time; names of months come out in English
	ForAProgram    string // beside a session that a program has a token for
	EndsAt         string // label of a time
	SessionsHidden string // there may be other sessions, which are not shown
	EndOthers      string // button
	EndAll         string // button

	BackToProgram string // heading of the page that package native shows
	CloseWindow   string // below it
}

// Problem is what an error page says of one code.
type Problem struct {
	Title string // what happened
	Text  string // what that means, and what to do about it
}

// Problem says what code means. ok is false for a code that there is not: what
// comes from outside is never shown.
func (l *Language) Problem(code string) (p Problem, ok bool) {
	p, ok = l.Problems[Code(code)]
	return p, ok
}

// SignInTo is the heading of the sign-in page of site, a name or a host.
func (l *Language) SignInTo(site string) string { return l.about(l.Words.SignInTo, site) }

// At says that the sign-in was one at the provider label.
func (l *Language) At(label string) string { return l.about(l.Words.At, label) }

// ContinueWith is the button of the provider label.
func (l *Language) ContinueWith(label string) string { return l.about(l.Words.ContinueWith, label) }

// SignOutThere is the button that signs people out at the provider label too.
func (l *Language) SignOutThere(label string) string { return l.about(l.Words.SignOutThere, label) }

// StaysIn says, before a sign-out here, that it will be none at the provider label.
func (l *Language) StaysIn(label string) string { return l.about(l.Words.StaysIn, label) }

// StillIn says the same after it.
func (l *Language) StillIn(label string) string { return l.about(l.Words.StillIn, label) }

// Wait says when somebody may try again who has to wait for d, never too early. It never
// says one of anything, for which languages have words of their own: at least two seconds.
func (l *Language) Wait(d time.Duration) string {
	if seconds := max(2, int((d+time.Second-1)/time.Second)); seconds < 120 {
		return fmt.Sprintf(l.Words.Seconds, seconds)
	}
	return fmt.Sprintf(l.Words.Minutes, int((d+time.Minute-1)/time.Minute))
}

// Moment says when t was, to the minute, in UTC: a page without a script knows no other
// time zone.
func (l *Language) Moment(t time.Time) string { return t.UTC().Format(l.Words.Moment) }
