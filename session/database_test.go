package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// rows are a database that writes down what it is asked, and fails where it is told to.
type rows struct {
	sessions map[string]*session.Session
	calls    []string
	fail     string // the method that fails
	err      error
	account  session.Account
	deadline time.Time
}

func (d *rows) called(ctx context.Context, method, token string) error {
	d.calls = append(d.calls, strings.TrimSpace(method+" "+token))
	d.deadline, _ = ctx.Deadline()
	if d.fail == method {
		return d.err
	}
	return nil
}

func (d *rows) Find(ctx context.Context, token string) (*session.Session, error) {
	if err := d.called(ctx, "Find", token); err != nil {
		return nil, err
	}
	if s := d.sessions[token]; s != nil {
		found := *s
		return &found, nil
	}
	return nil, nil
}

func (d *rows) Start(ctx context.Context, token string, s *session.Session, a session.Account) error {
	if err := d.called(ctx, "Start", ""); err != nil {
		return err
	}
	s.ProviderSubject, s.Subject, s.Name = s.Subject, "user-1", "Ada of the database"
	d.sessions[token], d.account = &session.Session{Subject: s.Subject, Name: s.Name, Email: s.Email, ExpiresAt: s.ExpiresAt}, a
	return nil
}

func (d *rows) Update(ctx context.Context, token string, old, s *session.Session) (bool, error) {
	if err := d.called(ctx, "Update", old.Name+" "+s.Name); err != nil {
		return false, err
	}
	row := d.sessions[token]
	if row != nil {
		row.ExpiresAt, row.Name = s.ExpiresAt, s.Name
	}
	return row != nil, nil
}

func (d *rows) Delete(ctx context.Context, token string) error {
	if err := d.called(ctx, "Delete", token); err != nil {
		return err
	}
	delete(d.sessions, token)
	return nil
}

func (d *rows) List(ctx context.Context, subject string) (map[string]*session.Session, error) {
	if err := d.called(ctx, "List", subject); err != nil {
		return nil, err
	}
	list := map[string]*session.Session{}
	for token, s := range d.sessions {
		if s.Subject == subject {
			found := *s
			list[token] = &found
		}
	}
	return list, nil
}

// did is what was asked since it was called last.
func (d *rows) did() string {
	list := strings.Join(d.calls, ", ")
	d.calls = nil
	return list
}

const rowToken = "6f3c0b52-9d6f-4c0e-8a55-0d6f4c0e8a55"

// newRows are a manager and its database, in which Auth.js has begun a session just now.
func newRows(t *testing.T, c session.Config) (*box, *rows) {
	d := &rows{sessions: map[string]*session.Session{}, err: errDown}
	c.Database = d
	b := newBox(t, c)
	d.sessions[rowToken] = &session.Session{Subject: "7", Name: "Ada", Email: "ada@example.com", ExpiresAt: b.now.Add(30 * 24 * time.Hour)}
	b.cookies[cookieName] = rowToken
	return b, d
}

func TestASessionOfAuthJSsDatabase(t *testing.T) { // SE-03, CK-13
	b, d := newRows(t, session.Config{})
	s := b.load()
	require.Equal(t, "Find "+rowToken, d.did())
	require.Equal(t, "7", s.Subject)
	require.Equal(t, "Ada", s.Name)
	require.True(t, b.now.Equal(s.IssuedAt))
	require.False(t, s.ReadOnly() || s.Bearer())
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, s.ID)
	require.Equal(t, s.ID, b.load().ID)
	d.did()

	require.NoError(t, b.renew(s))
	require.Empty(t, d.did(), "not due")
	b.now = b.now.Add(24*time.Hour - time.Second)
	require.False(t, b.Due(b.load()))
	b.now = b.now.Add(time.Second)
	s = b.load()
	d.did()
	require.NoError(t, b.renew(s))
	require.Equal(t, "Update Ada Ada", d.did())
	require.Equal(t, []string{"N"}, b.names(false))
	require.Equal(t, rowToken, b.cookies[cookieName])
	require.Equal(t, b.now.Add(30*24*time.Hour), d.sessions[rowToken].ExpiresAt)
	require.True(t, b.set[0].Expires.Equal(d.sessions[rowToken].ExpiresAt))
	require.False(t, b.Due(s))

	b.now = d.sessions[rowToken].ExpiresAt
	require.Nil(t, b.load(), "it has expired")
	b.now = b.now.Add(-time.Nanosecond)
	require.NotNil(t, b.load())
}

// A session has no end but its row's, however long ago it began.
func TestARowThatIsRenewedHasNoEnd(t *testing.T) {
	b, _ := newRows(t, session.Config{MaxAge: 300 * 24 * time.Hour, UpdateAge: time.Hour})
	for range 300 {
		b.now = b.now.Add(5 * 24 * time.Hour)
		s := b.load()
		require.NotNil(t, s)
		require.NoError(t, b.renew(s))
	}
}

// An application with a longer maxAge than ours has rows that look as if they were from
// the future.
func TestARowOfALongerMaxAge(t *testing.T) {
	b, d := newRows(t, session.Config{})
	d.sessions[rowToken].ExpiresAt = b.now.Add(300 * 24 * time.Hour)
	s := b.load()
	require.Equal(t, b.now, s.IssuedAt)
	require.False(t, b.Due(s))
}

// SE-10: what has not the shape of a token is not asked for.
func TestWhatADatabaseIsAsked(t *testing.T) {
	for _, value := range []string{"", "short", strings.Repeat("a", 256), "6f3c0b52-9d6f-4c0e-8a55-0d6f4c0e8a5%27", "6f3c0b52-9d6f-4c0e-8a55-0d6f4c0e8a5'",
		"eyJhbGciOiJkaXIifQ..aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb.cccccccccccccccc", "6f3c0b52 9d6f 4c0e 8a55 0d6f4c0e8a55", "6f3c0b52-9d6f-4c0e-8a55-0d6f4c0e8aé"} {
		b, d := newRows(t, session.Config{})
		require.Nil(t, b.loadHeader("N="+value), value)
		b.cookies[cookieName] = value
		require.NoError(t, b.end())
		require.Empty(t, d.did(), value)
	}
	b, d := newRows(t, session.Config{})
	require.Nil(t, b.loadHeader(""))
	require.Nil(t, b.loadHeader("N.0="+rowToken), "a token is in one cookie")
	require.Empty(t, d.did())
	require.NotNil(t, b.loadHeader("N=6f3c0b52-9d6f-4c0e-8a55-000000000000; N="+rowToken), "a planted one before it")
	var many strings.Builder
	for i := range 300 {
		fmt.Fprintf(&many, "N=%036d; ", i)
	}
	d.did()
	require.Nil(t, b.loadHeader(many.String()))
	require.Len(t, strings.Split(d.did(), ", "), 180)

	r := b.request()
	r.Header = http.Header{"Authorization": {"Bearer " + rowToken}}
	s, err := b.Load(r, true)
	require.NoError(t, err)
	require.Nil(t, s)
	require.Empty(t, d.did())
}

// SE-01: each sign-in has a token of its own, and those from before are worth nothing.
func TestASignInWithADatabase(t *testing.T) {
	b, d := newRows(t, session.Config{})
	s := ada()
	s.Provider = "github"
	require.NoError(t, b.answer(func(w http.ResponseWriter, r *http.Request) error {
		return b.StartWithAccount(w, r, s, session.Account{Type: "oauth", ProviderTokens: session.ProviderTokens{AccessToken: "gho"}}, true)
	}))
	require.Equal(t, "Start, Delete "+rowToken, d.did())
	require.Equal(t, session.Account{Type: "oauth", ProviderTokens: session.ProviderTokens{AccessToken: "gho"}}, d.account)
	token := b.cookies[cookieName]
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, token)
	require.Equal(t, b.now.Add(30*24*time.Hour), d.sessions[token].ExpiresAt)
	require.Equal(t, "user-1", s.Subject)
	require.Equal(t, "Ada of the database", s.Name)
	require.Equal(t, b.now, s.AuthTime)
	require.NotContains(t, s.ID, token)
	loaded := b.load()
	require.Equal(t, s.ID, loaded.ID)
	require.Equal(t, "user-1", loaded.Subject)

	before := token
	require.NoError(t, b.start(s))
	require.NotEqual(t, before, b.cookies[cookieName])
	require.NotContains(t, d.sessions, before)
	require.NotContains(t, d.sessions, rowToken)
}

// A cookie from before there was a database leaves no chunks behind.
func TestASignInWithADatabaseDeletesTokens(t *testing.T) {
	b, _ := newRows(t, session.Config{})
	b.cookies = map[string]string{cookieName + ".0": "eyJ", cookieName + ".1": "x"}
	require.NoError(t, b.start(ada()))
	require.Equal(t, []string{"N.0", "N.1"}, b.names(true))
	require.Equal(t, []string{"N"}, b.names(false))
}

func TestAnUpdateWithADatabase(t *testing.T) { // SE-12
	b, d := newRows(t, session.Config{})
	s := b.load()
	s.Name = "Ada Lovelace"
	d.did()
	require.NoError(t, b.rewrite(s))
	require.Equal(t, "Update Ada Ada Lovelace", d.did())
	require.NoError(t, b.rewrite(s))
	require.Equal(t, "Update Ada Lovelace Ada Lovelace", d.did(), "it is written once")

	gone := b.load()
	delete(d.sessions, rowToken)
	expires := gone.ExpiresAt
	b.now = b.now.Add(time.Hour)
	require.NoError(t, b.rewrite(gone))
	require.Empty(t, b.set, "what was signed out of stays so")
	require.Equal(t, expires, gone.ExpiresAt)

	b, d = newRows(t, session.Config{})
	s = b.load()
	b.cookies[cookieName] = "6f3c0b52-9d6f-4c0e-8a55-000000000000"
	d.did()
	require.NoError(t, b.rewrite(s))
	require.Empty(t, d.did(), "the request does not bring it")
}

func TestASignOutWithADatabase(t *testing.T) { // SE-04
	b, d := newRows(t, session.Config{})
	require.NoError(t, b.end())
	require.Equal(t, "Delete "+rowToken, d.did())
	require.Equal(t, []string{"N"}, b.names(true))
	require.Empty(t, d.sessions)
}

func TestSessionsOfAUserInADatabase(t *testing.T) { // SE-05
	b, d := newRows(t, session.Config{})
	fill := func() {
		for i, subject := range []string{"7", "7", "8"} {
			d.sessions[fmt.Sprintf("%s-%d", rowToken, i)] = &session.Session{Subject: subject, ExpiresAt: b.now.Add(time.Hour)}
		}
		d.sessions[rowToken+"-0"].ExpiresAt = b.now.Add(-time.Hour)
	}
	fill()
	own := b.load()
	ctx := context.Background()
	require.True(t, b.CanList() && b.CanRevoke())
	list, err := b.List(ctx, session.OfUser("7"))
	require.NoError(t, err)
	require.Len(t, list, 2, "one has expired")
	require.Contains(t, []string{list[0].ID, list[1].ID}, own.ID)
	for _, w := range []session.Whose{session.OfSubject("https://idp.example", "7"), session.OfProviderSession("https://idp.example", "1")} {
		_, err = b.List(ctx, w)
		require.ErrorIs(t, err, errors.ErrUnsupported, "a row has no issuer")
		require.ErrorIs(t, b.Revoke(ctx, w), errors.ErrUnsupported)
	}

	require.NoError(t, b.Revoke(ctx, session.OfUser("7").Except(own.ID)))
	require.NotNil(t, b.load())
	require.Len(t, d.sessions, 2)
	fill()
	require.NoError(t, b.Revoke(ctx, session.OfUser("7").Only(own.ID)))
	require.Nil(t, b.load())
	require.Len(t, d.sessions, 3)
	require.NoError(t, b.Revoke(ctx, session.OfUser("7")))
	require.Len(t, d.sessions, 1, "8's")

	fill()
	d.fail = "Delete"
	require.ErrorIs(t, b.Revoke(ctx, session.OfUser("7")), session.ErrStore)
	d.fail = "List"
	_, err = b.List(ctx, session.OfUser("7"))
	require.ErrorIs(t, err, session.ErrStore)

	without := newBox(t, session.Config{Database: struct{ session.Database }{d}})
	require.False(t, without.CanList() || without.CanRevoke())
	require.ErrorIs(t, without.Revoke(ctx, session.OfUser("7")), errors.ErrUnsupported)
}

func TestADatabaseThatFails(t *testing.T) { // SE-06
	for _, one := range []struct {
		fail, name string
		do         func(*box) error
	}{
		{"Find", "Load", func(b *box) error { _, err := b.Load(b.request(), true); return err }},
		{"Find", "Ready", func(b *box) error { return b.Ready(context.Background()) }},
		{"Start", "Start", func(b *box) error { return b.start(ada()) }},
		{"Delete", "End", (*box).end},
		{"Update", "Rewrite", func(b *box) error { return b.rewrite(b.load()) }},
	} {
		healthy, _ := newRows(t, session.Config{})
		require.NoError(t, one.do(healthy), one.name)
		b, d := newRows(t, session.Config{})
		d.fail = one.fail
		err := one.do(b)
		require.ErrorIs(t, err, session.ErrStore, one.name)
		require.ErrorIs(t, err, errDown, one.name)
		require.Empty(t, b.set, one.name)
		require.NotZero(t, d.deadline, one.name)
	}
	b, d := newRows(t, session.Config{})
	d.fail = "Delete"
	require.ErrorIs(t, b.start(ada()), session.ErrStore, "the session before")
}

func TestAnAccountThatIsNotLinked(t *testing.T) {
	b, d := newRows(t, session.Config{})
	d.fail, d.err = "Start", fmt.Errorf("authjsdb: %w", session.ErrNotLinked)
	s := ada()
	err := b.start(s)
	require.ErrorIs(t, err, session.ErrNotLinked)
	require.False(t, errors.Is(err, session.ErrStore))
	require.Empty(t, b.set)
	require.Contains(t, d.sessions, rowToken, "who was signed in still is")
	require.Equal(t, ada(), s)
}

func TestWhatMeansNothingWithADatabase(t *testing.T) {
	d := &rows{}
	for want, c := range map[string]session.Config{
		"both set":          {Database: d, Store: session.NewMemoryStore(1, time.Now)},
		"beside a Database": {Database: d, Revocations: session.NewMemoryStore(1, time.Now)},
		"Lifetime is":       {Database: d, Lifetime: time.Hour},
		"UpgradeV4 is":      {Database: d, UpgradeV4: true},
		"want MaxAge of":    {Database: d, MaxAge: time.Second},
	} {
		_, err := session.NewManager(c, []session.Secret{first}, time.Now)
		require.ErrorContains(t, err, want)
	}
	_, err := session.NewManager(session.Config{Database: d, MaxAge: 400 * 24 * time.Hour}, []session.Secret{first}, time.Now)
	require.NoError(t, err)
}

func TestAnAccountDoesNotShow(t *testing.T) { // LG-01
	a := session.Account{Type: "oidc", ProviderTokens: session.ProviderTokens{AccessToken: "hidden", RefreshToken: "hidden", IDToken: "hidden"}}
	asJSON, err := json.Marshal(map[string]any{"a": a, "b": &a})
	require.NoError(t, err)
	for _, shown := range []string{fmt.Sprint(a), fmt.Sprintf("%+v %#v %q", a, &a, []session.Account{a}), a.LogValue().String(), string(asJSON)} {
		require.NotContains(t, shown, "hidden")
		require.Contains(t, shown, "redacted")
	}
}
