package sessiontest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/auth/session"
)

// modelSteps is how many things happen in one run of the model, and modelLife how long
// its sessions last that are not used.
const (
	modelSteps = 400
	modelLife  = time.Hour
)

// model is what sessions should be, whatever keeps them: people sign in, come back, change
// something, sign out, are signed out and are forgotten, on one node or another.
type model struct {
	c        *checker
	seed     uint64 // which makes its people its own, whatever else is in the store
	random   *rand.Rand
	nodes    []*session.Manager
	lists    bool
	browsers []*modelBrowser
	alive    map[string]*modelSession // by id
	done     []string                 // what has happened, for who reads of a violation
}

type modelBrowser struct {
	cookies []*http.Cookie
	id      string // of its session, which need not be alive
}

type modelSession struct {
	user, provider, name string
	begun, ends          time.Time
}

// model runs a random sequence and compares after each step.
func (c *checker) model() {
	seed := uint64(time.Now().UnixNano())
	m := &model{c: c, seed: seed, random: rand.New(rand.NewPCG(seed, 0)), alive: map[string]*modelSession{}} // #nosec G404 -- to be repeated
	for range 3 {
		node, err := session.NewManager(session.Config{Store: c.store, MaxAge: modelLife, UpdateAge: time.Minute, Lifetime: 2 * modelLife}, modelSecrets, c.kit.Now)
		if err != nil {
			c.violation("a Manager: %w", err)
			return
		}
		m.nodes = append(m.nodes, node)
	}
	m.lists = m.nodes[0].CanList()
	for range 4 {
		m.browsers = append(m.browsers, &modelBrowser{})
	}
	for range modelSteps {
		if problem := m.step(); problem != "" {
			last := m.done[max(0, len(m.done)-12):]
			c.violation("a random sequence (seed %d) of sign-ins, renewals and sign-outs on three nodes: %s, after %s", seed, problem, strings.Join(last, ", "))
			return
		}
	}
}

var modelSecrets = []session.Secret{session.NewSecret("sessiontest, which seals nothing of anybody's, 2")}

func (m *model) request(b *modelBrowser) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "https://app.example/", nil)
	for _, cookie := range b.cookies {
		r.AddCookie(cookie)
	}
	return r.WithContext(m.c.ctx)
}

// answered takes the cookies of an answer to b.
func (b *modelBrowser) answered(w *httptest.ResponseRecorder) {
	for _, cookie := range w.Result().Cookies() {
		b.cookies = slices.DeleteFunc(slices.Clone(b.cookies), func(c *http.Cookie) bool { return c.Name == cookie.Name })
		if cookie.MaxAge >= 0 {
			b.cookies = append(b.cookies, cookie)
		}
	}
}

// step does one thing and returns what came of it that should not have, or "".
func (m *model) step() string {
	b, at := m.browsers[m.random.IntN(len(m.browsers))], m.random.IntN(len(m.nodes))
	node, user := m.nodes[at], fmt.Sprintf("user %d of %d", m.random.IntN(3), m.seed)
	did := func(what string) { m.done = append(m.done, fmt.Sprintf("%s on node %d", what, at)) }
	switch n := m.random.IntN(20); {
	case n < 4:
		did("a sign-in")
		return m.signIn(node, b, user)
	case n < 8:
		did("an update")
		return m.update(node, b)
	case n < 9:
		did("a sign-out")
		w := httptest.NewRecorder()
		if err := node.End(w, m.request(b), true); err != nil {
			return "End: " + err.Error()
		}
		delete(m.alive, b.id)
		b.answered(w)
	case n < 10:
		did("a copy of a cookie")
		*m.browsers[m.random.IntN(len(m.browsers))] = *b
	case n < 12 && m.c.kit.Advance != nil:
		d := time.Duration(1+m.random.IntN(40)) * time.Minute
		did(fmt.Sprint("a wait of ", d))
		m.c.kit.Advance(d)
		m.forget()
	case n < 14 && m.lists:
		did("an end of sessions")
		return m.revoke(node, b, user)
	case n < 16 && m.lists:
		did("a list of sessions")
		return m.list(node, user)
	}
	did("a look at everybody")
	return m.look(node)
}

// forget drops what has expired.
func (m *model) forget() {
	for id, s := range m.alive {
		if !m.c.kit.Now().Before(s.ends) {
			delete(m.alive, id)
		}
	}
}

func (m *model) providerSession() string {
	return fmt.Sprintf("session %d of %d", m.random.IntN(3), m.seed)
}

func (m *model) signIn(node *session.Manager, b *modelBrowser, user string) string {
	w, s := httptest.NewRecorder(), &session.Session{Subject: user, Issuer: "https://op.example", ProviderSession: m.providerSession()}
	if err := node.Start(w, m.request(b), s, true); err != nil {
		return "Start: " + err.Error()
	}
	delete(m.alive, b.id) // the one before
	b.answered(w)
	b.id = s.ID
	m.alive[s.ID] = &modelSession{user: user, provider: s.ProviderSession, begun: s.AuthTime, ends: s.ExpiresAt}
	return ""
}

func (m *model) update(node *session.Manager, b *modelBrowser) string {
	r := m.request(b)
	s, err := node.Load(r, true)
	if err != nil {
		return "Load: " + err.Error()
	}
	want := m.alive[b.id]
	if (s != nil) != (want != nil) {
		return m.differs(s, want)
	}
	if s == nil {
		return ""
	}
	w := httptest.NewRecorder()
	s.Name = fmt.Sprint("name ", m.random.IntN(1000))
	if err := node.Rewrite(w, r, s, true); err != nil {
		return "Rewrite: " + err.Error()
	}
	b.answered(w)
	want.name, want.ends = s.Name, s.ExpiresAt
	return ""
}

// revoke ends sessions in one of the ways that there are.
func (m *model) revoke(node *session.Manager, b *modelBrowser, user string) string {
	provider := m.providerSession()
	w, ends := session.OfUser(user), func(id string, s *modelSession) bool { return s.user == user }
	switch m.random.IntN(5) {
	case 0:
		w, ends = w.Except(b.id), func(id string, s *modelSession) bool { return s.user == user && id != b.id }
	case 1:
		w, ends = w.Only(b.id), func(id string, s *modelSession) bool { return s.user == user && id == b.id }
	case 2:
		w = session.OfSubject("https://op.example", user)
	case 3:
		w, ends = session.OfProviderSession("https://op.example", provider), func(id string, s *modelSession) bool { return s.provider == provider }
	}
	if err := node.Revoke(m.c.ctx, w); err != nil {
		return "Revoke: " + err.Error()
	}
	for id, s := range m.alive {
		if ends(id, s) {
			delete(m.alive, id)
		}
	}
	return ""
}

func (m *model) list(node *session.Manager, user string) string {
	list, err := node.List(m.c.ctx, session.OfUser(user))
	if err != nil {
		return "List: " + err.Error()
	}
	var got, want []string
	for _, s := range list {
		got = append(got, s.ID+" "+s.Name)
	}
	for id, s := range m.alive {
		if s.user == user {
			want = append(want, id+" "+s.name)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Sprintf("somebody's list has %d sessions, and not the %d that there are", len(got), len(want))
	}
	return ""
}

// look compares what every browser is with what it should be.
func (m *model) look(node *session.Manager) string {
	for _, b := range m.browsers {
		s, err := node.Load(m.request(b), true)
		if err != nil {
			return "Load: " + err.Error()
		}
		if want := m.alive[b.id]; (s != nil) != (want != nil) || s != nil && (s.ID != b.id || s.Name != want.name || s.Subject != want.user) {
			return m.differs(s, want)
		}
	}
	return ""
}

func (m *model) differs(got *session.Session, want *modelSession) string {
	switch {
	case got == nil:
		return "somebody is signed out who is signed in"
	case want == nil:
		return "somebody is signed in whose session has ended"
	}
	return "somebody sees a session that was changed since, or another's"
}
