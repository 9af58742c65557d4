package pages

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/auth/internal/fault"
)

// Language is what the pages say in one language.
type Language struct {
	Tag   string // RFC 5646: "en", "zh-CN"
	Words Words

	continueWith     string // "Continue with %s"
	signOutThere     string // "Sign out at %s too"
	staysIn, stillIn string // "You will still be signed in at %s.", "You are still signed in at %s."
	seconds, minutes string // "Try again in %d seconds."
	moment           string // a layout of package time
	problems         map[fault.Code]Problem
}

// Words are the fixed texts of the pages in one language.
type Words struct {
	SignIn        string // heading and button
	SignInIntro   string // below it, where there is something to choose
	AccessCode    string // label of its field
	UseAccessCode string // opens its form beside the providers
	SignOut       string // heading and button
	SignOutIntro  string // the question below it
	SignOutHere   string // button, where the provider can sign people out too
	SignedInAs    string // followed by a name
	Account       string // followed by the account that was refused
	Stay          string // the way out of the sign-out page
	Retry         string // button that starts again with the same provider
	Home          string // link
	Continue      string // link, for somebody who is signed in
	ToSignIn      string // link
	OtherWays     string // link to the page with every way to sign in
	SignInApart   string // link that opens another tab
	RequestID     string // followed by the reference that stands in the log

	Sessions       string // heading, and link
	ThisDevice     string // beside the session that looks at the page
	UnknownDevice  string // in the place of a device
	SignedInWith   string // label of a provider
	FromAddress    string // label of an IP address
	SignedInAt     string // label of a time
	LastSeen       string // label of a time
	ForAProgram    string // beside a session that a program has a token for
	EndsAt         string // label of a time
	SessionsHidden string // there may be other sessions, which are not shown
	EndOthers      string // button
	EndAll         string // button
}

// Problem is what an error page says of one code.
type Problem struct {
	Title string // what happened
	Text  string // what that means, and what to do about it
}

// Problem says what code means. ok is false for a code that there is not: what
// comes from outside is never shown.
func (l *Language) Problem(code string) (p Problem, ok bool) {
	p, ok = l.problems[fault.Code(code)]
	return p, ok
}

// ContinueWith is the button of the provider label.
func (l *Language) ContinueWith(label string) string { return fmt.Sprintf(l.continueWith, label) }

// SignOutThere is the button that signs people out at the provider label too.
func (l *Language) SignOutThere(label string) string { return fmt.Sprintf(l.signOutThere, label) }

// StaysIn says, before a sign-out here, that it will be none at the provider label.
func (l *Language) StaysIn(label string) string { return fmt.Sprintf(l.staysIn, label) }

// StillIn says the same after it.
func (l *Language) StillIn(label string) string { return fmt.Sprintf(l.stillIn, label) }

// Wait says when somebody may try again who has to wait for d, never too early.
func (l *Language) Wait(d time.Duration) string {
	if seconds := int((d + time.Second - 1) / time.Second); seconds < 120 {
		return fmt.Sprintf(l.seconds, seconds)
	}
	return fmt.Sprintf(l.minutes, int((d+time.Minute-1)/time.Minute))
}

// Moment says when t was, to the minute, in UTC: a page without a script knows no other
// time zone.
func (l *Language) Moment(t time.Time) string { return t.UTC().Format(l.moment) }

// languages by the primary tag that asks for each.
var languages = map[string]*Language{"en": english, "zh": chinese}

// maxAcceptLanguage bounds what is read of the header. No browser sends as much.
const maxAcceptLanguage = 1 << 10

// Match returns the language that the browser likes best of those that there
// are, going by its Accept-Language header (RFC 9110 12.5.4): English where that
// says nothing, or nothing that can be read.
func Match(acceptLanguage string) *Language {
	best, bestQ := english, 0.0
	if len(acceptLanguage) > maxAcceptLanguage {
		return english
	}
	for item := range strings.SplitSeq(acceptLanguage, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(item), ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				continue
			}
		}
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if l := languages[primary]; l != nil && q > bestQ {
			best, bestQ = l, q
		}
	}
	return best
}
