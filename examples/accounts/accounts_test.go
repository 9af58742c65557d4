package main

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

func newUsers(t *testing.T, link bool) users {
	db, err := openDatabase(t.Context(), filepath.Join(t.TempDir(), "accounts.db"))
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return users{db, link}
}

// signIn is a sign-in as auth.Config.Enrich is told of it. It returns the user's id.
func (u users) signIn(t *testing.T, provider string, id auth.Identity) string {
	t.Helper()
	s := &session.Session{Provider: provider, Issuer: id.Issuer, Subject: id.Subject}
	require.NoError(t, u.enrich(t.Context(), s, &id))
	require.NotEmpty(t, s.Subject)
	return s.Subject
}

// rows counts those of a table.
func (u users) rows(t *testing.T, table string) (n int) {
	t.Helper()
	require.NoError(t, u.db.QueryRow("SELECT count(*) FROM "+table).Scan(&n))
	return n
}

// TestAccountIsProviderIssuerAndSubject: who comes back is found by these three, whatever
// else has changed, and by nothing else.
func TestAccountIsProviderIssuerAndSubject(t *testing.T) {
	u := newUsers(t, false)
	ada := auth.Identity{Issuer: "https://a.example", Subject: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true}
	user := u.signIn(t, "a", ada)
	require.Equal(t, user, u.signIn(t, "a", ada))
	renamed := ada
	renamed.Name, renamed.Email = "Lady Lovelace", "lovelace@example.com"
	require.Equal(t, user, u.signIn(t, "a", renamed))
	require.Equal(t, 1, u.rows(t, "users"))
	require.Equal(t, 1, u.rows(t, "accounts"))

	require.NotEqual(t, user, u.signIn(t, "b", ada), "another provider")
	ada.Issuer = "https://b.example"
	require.NotEqual(t, user, u.signIn(t, "a", ada), "another issuer")
	ada.Issuer, ada.Subject = "https://a.example", "Ada"
	require.NotEqual(t, user, u.signIn(t, "a", ada), "another subject")
	require.Equal(t, 4, u.rows(t, "users"))
}

func TestTwoProvidersOneUser(t *testing.T) { // EN-03
	work := auth.Identity{Issuer: "https://work.example", Subject: "1", Email: "ada@example.com", EmailVerified: true}
	home := auth.Identity{Issuer: "https://home.example", Subject: "2", Email: "ada@example.com", EmailVerified: true}
	changed := func(id auth.Identity, change func(id *auth.Identity)) auth.Identity {
		change(&id)
		return id
	}
	unverified := func(id *auth.Identity) { id.EmailVerified = false }
	called := func(email string) func(id *auth.Identity) { return func(id *auth.Identity) { id.Email = email } }
	for name, test := range map[string]struct {
		link      bool
		had, came auth.Identity
		one       bool
	}{
		"asked for, both verified":        {true, work, home, true},
		"not asked for":                   {false, work, home, false},
		"the new one unverified":          {true, work, changed(home, unverified), false},
		"the one that is there":           {true, changed(work, unverified), home, false},
		"both unverified":                 {true, changed(work, unverified), changed(home, unverified), false},
		"other case before the @":         {true, work, changed(home, called("ADA@example.com")), true},
		"other case after it":             {true, changed(work, called("ada@EXAMPLE.com")), home, true},
		"another letter of the same look": {true, changed(work, called("ask@example.com")), changed(home, called("as\u212a@example.com")), false},
		"another address":                 {true, work, changed(home, called("ada@example.org")), false},
		"a pattern":                       {true, work, changed(home, called("%@example.com")), false},
		"no address":                      {true, changed(work, called("")), changed(home, called("")), false},
		"somebody else at the issuer":     {true, work, changed(work, func(id *auth.Identity) { id.Subject = "3" }), false},
		"the issuer by another name":      {true, work, work, true},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUsers(t, test.link)
			first, second := u.signIn(t, "work", test.had), u.signIn(t, "home", test.came)
			require.Equal(t, test.one, first == second)
			require.Equal(t, 2, u.rows(t, "accounts"))
			require.Equal(t, map[bool]int{true: 1, false: 2}[test.one], u.rows(t, "users"))
			require.Equal(t, second, u.signIn(t, "home", test.came), "it stays so")
		})
	}
}

// TestAddressThatIsNoAnswer: nobody joins where two users have the address, or where the one
// who had it has it no more.
func TestAddressThatIsNoAnswer(t *testing.T) { // EN-03
	u := newUsers(t, false)
	id := auth.Identity{Issuer: "https://one.example", Subject: "1", Email: "ada@example.com", EmailVerified: true}
	one := u.signIn(t, "one", id)
	id.Issuer = "https://two.example"
	two := u.signIn(t, "two", id)
	u.link = true
	id.Issuer = "https://three.example"
	require.NotContains(t, []string{one, two}, u.signIn(t, "three", id))

	u = newUsers(t, true)
	id.Issuer = "https://one.example"
	one = u.signIn(t, "one", id)
	id.EmailVerified = false
	require.Equal(t, one, u.signIn(t, "one", id))
	id.Issuer, id.EmailVerified = "https://two.example", true
	require.NotEqual(t, one, u.signIn(t, "two", id))
}

func TestThreeProvidersOneUser(t *testing.T) {
	u := newUsers(t, true)
	for _, provider := range []string{"one", "two", "three"} {
		u.signIn(t, provider, auth.Identity{Issuer: "https://" + provider + ".example", Subject: "1", Email: "ada@example.com", EmailVerified: true})
	}
	require.Equal(t, 1, u.rows(t, "users"))
}

// TestSignInsAtOnceMakeOneUser: of one account, and of several that are linked.
func TestSignInsAtOnceMakeOneUser(t *testing.T) {
	for name, providers := range map[string][]string{"one account": {"work"}, "two accounts": {"work", "home"}} {
		t.Run(name, func(t *testing.T) {
			u := newUsers(t, true)
			var all sync.WaitGroup
			found := make([]string, 16)
			begin := make(chan struct{})
			for i := range found {
				provider := providers[i%len(providers)]
				all.Go(func() {
					<-begin
					found[i] = u.signIn(t, provider, auth.Identity{Issuer: "https://" + provider + ".example", Subject: "1", Email: "ada@example.com", EmailVerified: true})
				})
			}
			close(begin)
			all.Wait()
			for _, user := range found {
				require.Equal(t, found[0], user)
			}
			require.Equal(t, 1, u.rows(t, "users"))
			require.Equal(t, len(providers), u.rows(t, "accounts"))
		})
	}
}

// TestAccountThatIsMadeMeanwhile: whoever finds none, and then is not the first to make it.
func TestAccountThatIsMadeMeanwhile(t *testing.T) {
	u := newUsers(t, false)
	id := auth.Identity{Issuer: "https://work.example", Subject: "1"}
	user := u.signIn(t, "work", id)
	require.NoError(t, u.add(t.Context(), "work", &id))
	require.Equal(t, user, u.signIn(t, "work", id))
	require.Equal(t, 1, u.rows(t, "users"))
}
