package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/sallyport/auth/internal/web"
	"github.com/sallyport/auth/session"
)

// examineLimit bounds what one provider, or the store, is asked by [Authenticator.Doctor].
const examineLimit = 20 * time.Second

// Grade says what a [Finding] means to whoever runs the server.
type Grade int

// The grades, from good to bad.
const (
	GradeFine     Grade = iota // it works
	GradeDoubtful              // it may work: look at it
	GradeFaulty                // somebody cannot sign in
)

// String returns "ok", "look" or "FAULT", as a [Report] has it.
func (g Grade) String() string {
	switch g {
	case GradeFine:
		return "ok"
	case GradeDoubtful:
		return "look"
	default:
		return "FAULT"
	}
}

// Finding is one thing that [Authenticator.Doctor] has looked at. It shows no secret.
type Finding struct {
	About string // "provider github", "site", "sessions"
	Grade Grade
	Text  string // what was seen
	Cure  string // what to do about it; may be empty where nothing is wrong
}

// Report is what [Authenticator.Doctor] has found, in the order in which it is to be read.
type Report []Finding

// Err joins the findings that are faults. It is nil where there is none.
func (r Report) Err() error {
	var err error
	for _, f := range r {
		if f.Grade == GradeFaulty {
			err = errors.Join(err, fmt.Errorf("auth: %s: %s", f.About, f.Text))
		}
	}
	return err
}

// String is the report for a person at a terminal: a line for each finding, and one for
// what to do about it.
func (r Report) String() string {
	var b strings.Builder
	for _, f := range r {
		fmt.Fprintf(&b, "%-5s  %s: %s\n", f.Grade, f.About, printable(f.Text))
		if f.Cure != "" {
			fmt.Fprintf(&b, "       -> %s\n", printable(f.Cure))
		}
	}
	return b.String()
}

// printable leaves a terminal alone: causes may quote what a server has answered.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

// An Examiner is a [Provider] or a [Backend] that can find out, without a person, whether
// people can sign in with it. Without it, nobody knows until somebody tries.
type Examiner interface {
	// Examine returns what it has found. It looks anew at what it otherwise remembers, ends
	// when ctx does, and shows no secret. callback is the public address to which a
	// provider sends people back, or "" where that depends on the request.
	Examine(ctx context.Context, callback string) []Finding
}

// Doctor looks at all that a sign-in needs: the public address and what is in front of it,
// where sessions are kept, and each provider, or the backend, if it is an [Examiner]. Those
// of package oidc are asked for their metadata and keys, and what time it is there; and
// whether they know the client, by redeeming a code that there is not.
//
// It does network I/O, for about half a minute at most, and is for a command line, or for
// a deployment's last step: [Authenticator.Ready] is for health checks.
func (a *Authenticator) Doctor(ctx context.Context) Report {
	ctx, done := context.WithTimeout(ctx, 2*examineLimit)
	defer done()
	parts := make([][]Finding, 2+len(a.examined))
	var wait sync.WaitGroup
	wait.Go(func() { parts[0] = findings(a.server.Examine(ctx)) })
	wait.Go(func() { parts[1] = []Finding{a.examineSessions(ctx)} })
	for i, e := range a.examined {
		wait.Go(func() {
			ctx, done := context.WithTimeout(ctx, examineLimit)
			defer done()
			parts[2+i] = e.examine(ctx, a.server.Callback(e.name))
		})
	}
	wait.Wait()
	return slices.Concat(parts...)
}

// examined is a provider or a backend.
type examined struct {
	name, about string
	part        any
}

// examine names the part in what it says of itself.
func (e examined) examine(ctx context.Context, callback string) []Finding {
	examiner, ok := e.part.(Examiner)
	if !ok {
		return []Finding{{e.about, GradeDoubtful, "it cannot be asked whether it works", "sign in with it"}}
	}
	found := examiner.Examine(ctx, callback)
	for i := range found {
		found[i].About = e.about
	}
	return found
}

// examineSessions writes, reads and deletes where sessions are kept.
func (a *Authenticator) examineSessions(ctx context.Context) Finding {
	where := a.sessions.Where()
	if err := a.sessions.TryStore(ctx); err != nil {
		return Finding{"sessions", GradeFaulty, fmt.Sprintf("they are kept in %s, which does not work: %v", where, err), "nobody can sign in until it does"}
	}
	return Finding{About: "sessions", Text: "they are kept in " + where}
}

// examinees are those of c, in the order in which people see them.
func (c *Config) examinees() (list []examined) {
	for _, p := range c.Providers {
		list = append(list, examined{p.Name(), "provider " + p.Name(), p})
	}
	if c.Backend != nil {
		list = append(list, examined{"", "backend", c.Backend})
	}
	return list
}

// findings are those of the routes.
func findings(list []web.Finding) []Finding {
	found := make([]Finding, len(list))
	for i, f := range list {
		found[i] = Finding{f.About, Grade(f.Grade), f.Text, f.Cure}
	}
	return found
}

// announce tells the log, once, what an operator wants to know of a server that has
// started.
func (c *Config) announce(server *web.Server, sessions *session.Manager, userIDs string) {
	var ways, callbacks []string
	for _, p := range c.Providers {
		ways = append(ways, p.Name())
		callback := server.Callback(p.Name())
		if callback == "" {
			callback = "<address of the site>/api/auth/callback/" + p.Name()
		}
		callbacks = append(callbacks, callback)
	}
	if c.AccessCode != nil {
		ways = append(ways, AccessCode)
	}
	if c.Backend != nil {
		ways = append(ways, fmt.Sprintf("%T", c.Backend))
	}
	if c.ReadOnly {
		ways = append(ways, "an Auth.js application")
	}
	proxies := strings.Join(c.TrustedProxies, " ")
	switch {
	case c.TrustedProxies == nil:
		proxies = "on loopback and private addresses"
	case len(c.TrustedProxies) == 0:
		proxies = "none"
	}
	c.Logger.Info("auth: people sign in by "+strings.Join(ways, ", "), "callbacks", callbacks, "sessions", sessions.Where(), "trusted_proxies", proxies, "user_ids", userIDs)
}
