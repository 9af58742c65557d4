package session_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// issued is a token of s, for a month.
func (b *box) issued(s *session.Session) (token, id string) {
	b.t.Helper()
	secret, id, err := b.Issue(context.Background(), s, "backup", b.now.Add(30*24*time.Hour))
	require.NoError(b.t, err)
	return secret.Reveal(), id
}

// calling is a request of a program with token.
func calling(token string) *http.Request {
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// called is whose session r brings, on every node alike and whatever the scheme.
func (f *fleet) called(r *http.Request) (s *session.Session) {
	f.t.Helper()
	for i, b := range f.nodes {
		for _, secure := range []bool{true, false} {
			got, err := b.Load(r, secure)
			require.NoError(f.t, err)
			require.Equal(f.t, s == nil || i == 0 && secure, got == nil || i == 0 && secure, "node %d, https %v", i, secure)
			s = got
		}
	}
	return s
}

// moving is modes with stores that forget what has expired, and two nodes.
func moving(t *testing.T, c session.Config, test func(t *testing.T, f *fleet, c session.Config)) {
	for _, mode := range []string{"store", "cookies"} {
		t.Run(mode, func(t *testing.T) {
			c, f := c, (*fleet)(nil)
			store := session.NewMemoryStore(0, func() time.Time { return f.nodes[0].now })
			if mode == "store" {
				c.Store = store
			} else {
				c.Revocations = store
			}
			f = newFleet(t, 2, c)
			test(t, f, c)
		})
	}
}

func TestATokenIsAProgramsSession(t *testing.T) { // SE-02
	moving(t, session.Config{MaxAge: time.Hour, Lifetime: 2 * time.Hour}, func(t *testing.T, f *fleet, _ session.Config) {
		s := ada()
		s.ProviderSession, s.Device, s.ProviderTokens = "sid", "Firefox, Linux", &session.ProviderTokens{AccessToken: "theirs"}
		for _, name := range []string{"acr", "amr", "provider_auth_time", "plan"} {
			require.NoError(t, s.SetClaim(name, "gold"))
		}
		s = f.in(0, f.signIn(0, s)).load()
		token, id := f.nodes[0].issued(s)
		require.NotNil(t, s.ProviderTokens)
		require.Len(t, s.Claims(), 4, "s is left as it is")
		require.Regexp(t, `^sallyport_[A-Za-z0-9._-]+$`, token)

		f.advance(30*24*time.Hour - time.Second)
		got := f.called(calling(token))
		require.NotNil(t, got, "whatever MaxAge and Lifetime say")
		require.Equal(t, []string{"ada", "backup", id}, []string{got.Subject, got.TokenLabel, got.ID})
		require.Equal(t, s.Groups, got.Groups)
		require.Equal(t, map[string]any{"plan": "gold"}, got.Claims())
		require.True(t, got.Machine && got.Bearer() && got.ReadOnly())
		require.True(t, got.AuthTime.IsZero(), "nobody has signed in")
		require.Empty(t, got.ProviderSession+got.Device)
		require.Nil(t, got.ProviderTokens)
		require.False(t, f.nodes[0].Due(got))
		require.Equal(t, 30*24*time.Hour, got.ExpiresAt.Sub(got.IssuedAt))
		require.NotEqual(t, s.ID, id)

		f.advance(time.Minute)
		require.Nil(t, f.called(calling(token)), "its end")
	})
}

func TestATokenCountsInTheHeaderAlone(t *testing.T) { // JE-09
	moving(t, session.Config{}, func(t *testing.T, f *fleet, _ session.Config) {
		browser := f.signIn(0, ada())
		token, _ := f.nodes[0].issued(f.in(0, browser).load())
		bare := strings.TrimPrefix(token, "sallyport_")
		require.NotNil(t, f.called(calling(token)))

		for _, value := range []string{token, bare} {
			require.Nil(t, f.called(httptest.NewRequest("GET", "https://app.example/?access_token="+value, nil)))
			for _, name := range []string{cookieName, cookieName + ".0", "authjs.session-token", "__Secure-next-auth.session-token", "Authorization"} {
				r := httptest.NewRequest("GET", "https://app.example/", nil)
				r.AddCookie(&http.Cookie{Name: name, Value: value})
				require.Nil(t, f.called(r), name)
			}
		}
		own := browser[cookieName]
		for _, wrong := range []string{bare, "sallyport_" + own, "sallyport_" + token, "sallyport_", token + "A", token[:len(token)-1], strings.ToUpper(token[:10]) + bare} {
			require.Nil(t, f.called(calling(wrong)), wrong)
		}
		r := calling(token)
		r.Header.Add("Authorization", "Bearer "+token)
		require.Nil(t, f.called(r), "which of two counts would depend on who reads them")
		r.Header.Set("Authorization", "Basic "+token)
		require.Nil(t, f.called(r))

		r = calling(token)
		r.AddCookie(&http.Cookie{Name: cookieName, Value: own})
		got, err := f.nodes[0].Load(r, true)
		require.NoError(t, err)
		require.False(t, got.Bearer(), "a cookie counts first")
	})
}

// Whoever else has the secret, Auth.js for one, seals cookies, and no tokens.
func TestTheMarkOfATokenIsItsKey(t *testing.T) { // JE-09
	b := newBox(t, session.Config{Revocations: session.NewMemoryStore(0, nil)})
	claims := `{"sub":"ada","iat":1790000000,"exp":1790003600`
	cookies, tokens := session.NewCodec(cookieName, []session.Secret{first}), session.NewCodec("sallyport token of a program", []session.Secret{first})
	for label, codec := range map[string]*session.Codec{``: cookies, `,"signin_token":"backup"`: tokens} {
		text := codec.Seal([]byte(claims + label + "}"))
		if codec == cookies {
			require.NotNil(t, b.loadHeader("N="+text))
			continue
		}
		got, err := b.Load(calling("sallyport_"+text), true)
		require.NoError(t, err)
		require.Equal(t, "backup", got.TokenLabel)
	}
	marked := cookies.Seal([]byte(claims + `,"signin_token":"backup"}`))
	require.Nil(t, b.loadHeader("N="+marked))
	for _, token := range []string{marked, "sallyport_" + marked, "sallyport_" + tokens.Seal([]byte(claims+"}"))} {
		got, err := b.Load(calling(token), true)
		require.NoError(t, err)
		require.Nil(t, got)
	}
}

func TestACookieHasNoLabel(t *testing.T) {
	for name, c := range map[string]session.Config{"cookie": {}, "store": {Store: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })}} {
		b, s := newBox(t, c), ada()
		s.TokenLabel = "mine"
		require.NoError(t, b.start(s))
		s = b.load()
		require.NotNil(t, s, name)
		require.Empty(t, s.TokenLabel)
		s.TokenLabel = "mine"
		require.NoError(t, b.rewrite(s))
		require.NotNil(t, b.load(), name)
		require.False(t, b.load().Machine)
	}
}

func TestTokensEndAsSessionsDo(t *testing.T) { // SE-05, SE-15
	moving(t, session.Config{}, func(t *testing.T, f *fleet, _ session.Config) {
		browser := f.signIn(0, who("ada", "sid"))
		s := f.in(0, browser).load()
		bob, _ := f.nodes[0].issued(f.in(1, f.signIn(1, who("bob", "other"))).load())
		fresh := func() (token, id string) { return f.nodes[0].issued(s) }
		counts := func(token string) bool { return f.called(calling(token)) != nil }
		first, idOfFirst := fresh()
		second, _ := fresh()

		f.revoke(1, session.OfUser("ada").Only(idOfFirst))
		require.False(t, counts(first))
		f.revoke(1, session.OfProviderSession("https://op.example", "sid").Except(s.ID))
		f.revoke(1, session.OfUser("bob").Only(idOfFirst))
		require.True(t, counts(second), "one is not another, nor the provider's session")
		require.Equal(t, "0", f.signedIn(browser))

		f.revoke(1, session.OfUser("ada").Except(s.ID))
		require.False(t, counts(second), "everywhere else")
		require.Equal(t, "0", f.signedIn(browser))
		third, _ := fresh()
		require.True(t, counts(third), "one that comes after it, in the same second")

		require.NoError(t, f.in(0, browser).end())
		require.True(t, counts(third), "signing out leaves it")
		f.revoke(1, session.OfSubject("https://op.example", "ada"))
		require.False(t, counts(third))
		require.True(t, counts(bob))

		r := calling(bob)
		require.NoError(t, f.nodes[1].End(httptest.NewRecorder(), r, true))
		require.False(t, counts(bob), "signing out with it")
	})
}

func TestTokensAreListed(t *testing.T) { // SE-05
	var b *box
	b = newBox(t, session.Config{Store: memory(&b)})
	require.NoError(t, b.start(ada()))
	b.now = b.now.Add(time.Hour)
	_, id := b.issued(b.load())
	b.now = b.now.Add(24 * time.Hour)
	list, err := b.List(context.Background(), session.OfUser("ada"))
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, []string{id, "backup", ""}, []string{list[0].ID, list[0].TokenLabel, list[1].TokenLabel}, "the last begun first")
	require.True(t, list[0].Machine)
}

// A revocation that a store forgets before the token ends would bring it back.
func TestARevocationOutlivesTokens(t *testing.T) { // SE-05
	moving(t, session.Config{MaxAge: time.Hour, Lifetime: time.Hour}, func(t *testing.T, f *fleet, c session.Config) {
		for name, end := range map[string]func(token, id string){
			"by id":    func(_, id string) { f.revoke(0, session.OfUser("ada").Only(id)) },
			"by owner": func(_, _ string) { f.revoke(0, session.OfUser("ada")) },
			"by itself": func(token, _ string) {
				require.NoError(t, f.nodes[0].End(httptest.NewRecorder(), calling(token), true))
			},
		} {
			secret, id, err := f.nodes[0].Issue(context.Background(), f.in(0, f.signIn(0, ada())).load(), "backup", f.nodes[0].now.Add(366*24*time.Hour))
			require.NoError(t, err)
			end(secret.Reveal(), id)
			f.advance(365 * 24 * time.Hour)
			other := newFleet(t, 1, c) // knows nothing by itself
			other.nodes[0].now = f.nodes[0].now
			require.Nil(t, other.called(calling(secret.Reveal())), name)
		}
	})
}

func TestAnEndedSessionMakesNoToken(t *testing.T) { // SE-05
	moving(t, session.Config{MaxAge: time.Hour}, func(t *testing.T, f *fleet, _ session.Config) {
		until := f.nodes[0].now.Add(24 * time.Hour)
		for name, end := range map[string]func(browser map[string]string){
			"signed out": func(browser map[string]string) { require.NoError(t, f.in(1, browser).end()) },
			"taken back": func(map[string]string) { f.revoke(1, session.OfUser("ada")) },
			"expired":    func(map[string]string) { f.advance(2 * time.Hour) },
		} {
			browser := f.signIn(0, ada())
			s := f.in(0, browser).load()
			end(browser)
			_, _, err := f.nodes[0].Issue(context.Background(), s, "backup", until)
			require.ErrorIs(t, err, session.ErrEnded, name)
		}
		secret, _, err := f.nodes[0].Issue(context.Background(), &session.Session{Subject: "ada"}, "cron", until)
		require.NoError(t, err)
		require.NotNil(t, f.called(calling(secret.Reveal())), "one that is made for a program, of whom all was taken back before")
	})
}

func TestWhatMakesNoToken(t *testing.T) { // SE-03
	b := newBox(t, session.Config{Store: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })})
	issue := func(s *session.Session, label string, life time.Duration) error {
		secret, id, err := b.Issue(context.Background(), s, label, b.now.Add(life))
		require.Equal(t, err != nil, secret.IsZero() && id == "")
		return err
	}
	for _, label := range []string{"", " ", "\t", "a\nb", "a\x00", "\xff", "a\u202eb", "a\u200bb", strings.Repeat("ä", 101)} {
		require.ErrorContains(t, issue(ada(), label, time.Hour), "label", "%q", label)
	}
	for _, life := range []time.Duration{0, -time.Second, 366*24*time.Hour + 1} {
		require.ErrorContains(t, issue(ada(), "backup", life), "end", life)
	}
	require.NoError(t, issue(ada(), strings.Repeat("ä", 100), 366*24*time.Hour))
	require.ErrorContains(t, issue(&session.Session{}, "backup", time.Hour), "nobody's")

	token, _ := b.issued(ada())
	s, err := b.Load(calling(token), true)
	require.NoError(t, err)
	for _, borne := range []*session.Session{s, ada().AsBearer()} {
		require.ErrorContains(t, issue(borne, "backup", time.Hour), "bearer")
	}
}

func TestTokensThatCouldNotBeTakenBack(t *testing.T) { // SE-05
	type plain struct{ session.Store } // no Lister
	store := session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })
	full := newBox(t, session.Config{Revocations: store})
	token, _ := full.issued(ada())
	require.True(t, full.HasToken(calling(token)))
	require.True(t, full.HasToken(calling("sallyport_x")))
	require.False(t, full.HasToken(calling("eyJ.x")))
	for name, c := range map[string]session.Config{"cookies alone": {}, "no lists": {Store: plain{store}}, "a database": {Database: &rows{}}} {
		b := newBox(t, c)
		_, _, err := b.Issue(context.Background(), ada(), "backup", b.now.Add(time.Hour))
		require.ErrorIs(t, err, errors.ErrUnsupported, name)
		require.False(t, b.CanIssue() || b.HasToken(calling(token)), name)
		s, err := b.Load(calling(token), true)
		require.NoError(t, err)
		require.Nil(t, s, name)
	}
}

// downStore keeps lists, and nothing else.
type downStore struct{ *session.MemoryStore }

func (downStore) Find(context.Context, string) ([]byte, bool, error)      { return nil, false, errDown }
func (downStore) Commit(context.Context, string, []byte, time.Time) error { return errDown }

func TestTokensThatTheStoreDoesNotTake(t *testing.T) { // SE-06
	s := ada()
	require.NoError(t, s.SetClaim("much", strings.Repeat("x", 6000)))
	b := newBox(t, session.Config{Revocations: session.NewMemoryStore(0, nil)})
	_, _, err := b.Issue(context.Background(), s, "backup", b.now.Add(time.Hour))
	require.ErrorIs(t, err, session.ErrTooLarge, "no header has room for it")
	b = newBox(t, session.Config{Store: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })})
	token, _ := b.issued(s)
	require.Len(t, token, 53, "in a store there is")

	for _, c := range []session.Config{{Store: downStore{}}, {Revocations: downStore{}}} {
		b := newBox(t, c)
		_, _, err := b.Issue(context.Background(), ada(), "backup", b.now.Add(time.Hour))
		require.ErrorIs(t, err, session.ErrStore)
		if c.Store != nil {
			_, err = b.Load(calling(token), true)
			require.ErrorIs(t, err, session.ErrStore)
		}
	}
}
