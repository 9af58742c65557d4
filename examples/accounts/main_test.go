package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/examples/internal/visit"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session/sqlstore"
)

// enter signs somebody in at site, in a browser of their own unless they have one.
func enter(v *visit.Visitor, site, provider, subject string) visit.Page {
	people := v.Press(v.Get(site+"/api/auth/signin"), site+"/api/auth/signin/"+provider, url.Values{"callbackUrl": {"/"}})
	return v.Follow(people, "login_hint="+subject)
}

var userID = regexp.MustCompile(`You are user <code>([A-Z0-9]+)</code>`)

// userOn is whom page greets.
func userOn(t *testing.T, page visit.Page) string {
	t.Helper()
	found := userID.FindStringSubmatch(page.Body)
	require.NotNil(t, found, "%d %s", page.Status, page.Body)
	return found[1]
}

// TestAccounts is people's way through it, with both settings.
func TestAccounts(t *testing.T) {
	for link, one := range map[string]bool{"1": true, "": false, "0": false} {
		said := visit.Start(t, 3, func(ctx context.Context, out io.Writer) error {
			return run(ctx, func(name string) string { return map[string]string{"PORT": "0", "LINK_VERIFIED_EMAILS": link}[name] }, out)
		})
		site := strings.TrimPrefix(said[0], "Open ")

		first := enter(visit.New(t), site, "work", "ada")
		require.Contains(t, first.Body, "Hello, Ada Lovelace")
		require.Contains(t, first.Body, "for the first time")
		require.Contains(t, first.Body, "work: ada at "+site+"/work, ada@example.com (verified)")

		ada := visit.New(t)
		again := enter(ada, site, "work", "ada")
		require.Equal(t, userOn(t, first), userOn(t, again))
		require.NotContains(t, again.Body, "for the first time")

		other := enter(visit.New(t), site, "home", "1815")
		require.Equal(t, one, userOn(t, first) == userOn(t, other))
		require.Equal(t, one, strings.Contains(other.Body, "work: ada at "))
		require.Contains(t, other.Body, "home: 1815 at "+site+"/home, Ada@Example.com (verified)")

		devices := ada.Do("GET", site+"/api/auth/sessions", nil, http.Header{"Accept": {"application/json"}})
		require.Equal(t, map[bool]int{true: 3, false: 2}[one], strings.Count(devices.Body, `"id"`), devices.Body)
		require.Equal(t, http.StatusOK, ada.Follow(again, "/api/auth/sessions").Status)

		lin, mallory := enter(visit.New(t), site, "work", "linxiao"), enter(visit.New(t), site, "home", "666")
		require.NotEqual(t, userOn(t, lin), userOn(t, mallory))
	}
}

// aSite is one with a person who has a verified address at two providers, and a clock.
func aSite(t *testing.T) (address string, people users, later func(time.Duration)) {
	people = newUsers(t, true)
	var passed atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
	store, err := sqlstore.New(people.db, sqlstore.Config{Dialect: sqlstore.SQLite, Now: now})
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	ada := providertest.Person{Subject: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true}
	work, err := embedded(mux, server.URL, "work", ada)
	require.NoError(t, err)
	home, err := embedded(mux, server.URL, "home", ada)
	require.NoError(t, err)
	c := config(people, store, server.URL, work, home)
	c.Now = now
	a, err := auth.New(c)
	require.NoError(t, err)
	mux.Handle("/", a.Require(site{people, a}))
	return server.URL, people, func(d time.Duration) { passed.Add(int64(d)) }
}

func TestDisabledUser(t *testing.T) { // SE-16
	for name, change := range map[string]string{"disabled": "UPDATE users SET disabled = 1", "deleted, and not the accounts": "PRAGMA foreign_keys = 0; DELETE FROM users"} {
		t.Run(name, func(t *testing.T) {
			site, people, later := aSite(t)
			ada := visit.New(t)
			user := userOn(t, enter(ada, site, "work", "ada"))
			_, err := people.db.Exec(change)
			require.NoError(t, err)
			require.Equal(t, user, userOn(t, ada.Get(site+"/")), "for less than a minute")
			later(time.Minute)
			require.Equal(t, "/api/auth/signin", ada.Get(site+"/").At.Path)
			for _, provider := range []string{"work", "home"} {
				require.Equal(t, http.StatusForbidden, enter(ada, site, provider, "ada").Status, "nor by %s", provider)
				require.Equal(t, "/api/auth/signin", ada.Get(site+"/").At.Path)
			}
		})
	}
}

// TestEnabledAgain: whoever has been kept out finds what they had.
func TestEnabledAgain(t *testing.T) {
	site, people, _ := aSite(t)
	ada := visit.New(t)
	user := userOn(t, enter(ada, site, "work", "ada"))
	for disabled, status := range []int{http.StatusOK, http.StatusForbidden} {
		_, err := people.db.Exec("UPDATE users SET disabled = ?", disabled)
		require.NoError(t, err)
		require.Equal(t, status, enter(visit.New(t), site, "work", "ada").Status)
	}
	_, err := people.db.Exec("UPDATE users SET disabled = 0")
	require.NoError(t, err)
	require.Equal(t, user, userOn(t, enter(visit.New(t), site, "home", "ada")))
}

// TestSignInThatFailsLeavesNothing: no user without an account, and no session.
func TestSignInThatFailsLeavesNothing(t *testing.T) {
	site, people, _ := aSite(t)
	_, err := people.db.Exec("CREATE TRIGGER full BEFORE INSERT ON accounts BEGIN SELECT RAISE(ABORT, 'full'); END")
	require.NoError(t, err)
	ada := visit.New(t)
	require.Equal(t, http.StatusServiceUnavailable, enter(ada, site, "work", "ada").Status)
	for _, table := range []string{"users", "accounts", "sallyport_sessions"} {
		require.Zero(t, people.rows(t, table), table)
	}
	require.Equal(t, "/api/auth/signin", ada.Get(site+"/").At.Path)

	_, err = people.db.Exec("DROP TRIGGER full")
	require.NoError(t, err)
	require.Contains(t, enter(ada, site, "work", "ada").Body, "for the first time")
}

// TestDatabaseThatIsAway: a page without it is an error, and nobody is let out for that.
func TestDatabaseThatIsAway(t *testing.T) { // SE-06
	site, people, later := aSite(t)
	ada := visit.New(t)
	enter(ada, site, "work", "ada")
	_, err := people.db.Exec("ALTER TABLE accounts RENAME TO elsewhere; ALTER TABLE users RENAME TO others")
	require.NoError(t, err)
	later(time.Minute)
	require.Equal(t, http.StatusServiceUnavailable, ada.Get(site+"/").Status)
	_, err = people.db.Exec("ALTER TABLE elsewhere RENAME TO accounts; ALTER TABLE others RENAME TO users")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, ada.Get(site+"/").Status)
}
