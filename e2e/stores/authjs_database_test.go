package stores_test

import (
	"database/sql"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/authjsdb"
)

// postgresDatabases are the drivers that Go's side may have.
func postgresDatabases(t *testing.T, test func(t *testing.T, db *sql.DB)) {
	for name, d := range databases(t) {
		if name != "SQLite" {
			t.Run(name, func(t *testing.T) { test(t, d.open(t)) })
		}
	}
}

func newUsers(t *testing.T, s *tablesOf, c authjsdb.Config) *authjsdb.Database {
	users, err := authjsdb.New(s.db, s.config(c))
	require.NoError(t, err)
	return users
}

// Whichever side signs somebody in, both know them, renew their session and end it.
func TestOneDatabaseForAuthJSAndGo(t *testing.T) { // SE-01, SE-04
	postgresDatabases(t, func(t *testing.T, db *sql.DB) {
		s, idp := newTables(t, db, adapterTables), newPeople(t)
		next, own := nextSite(t, idp, s), goSite(t, idp, newUsers(t, s, authjsdb.Config{}), nil)
		sides := map[string][2]string{"next-auth signs in": {next, own}, "Go signs in": {own, next}}
		for name, side := range sides {
			t.Run(name, func(t *testing.T) {
				signs, other := side[0], side[1]
				b := newBrowser(t)
				b.signIn(signs, "one", "ada")
				token := b.token(next)
				require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, token)
				for _, site := range side {
					require.Equal(t, `"Ada Lovelace"`, b.get(site+"/who"))
					user := b.session(site)["user"].(map[string]any)
					delete(user, "id") // next-auth shows none unless it is told to
					require.Equal(t, map[string]any{"name": "Ada Lovelace", "email": "ada@example.com", "image": "https://example.com/ada.png"}, user)
				}
				require.Equal(t, b.session(next)["expires"], b.session(own)["expires"])

				// Each moves the same row's end on, once it is a day old.
				for _, site := range side {
					s.exec(`UPDATE {schema}.sessions SET expires = now() + interval '28 days'`)
					b.session(site)
					end, err := time.Parse(time.RFC3339, b.session(other)["expires"].(string))
					require.NoError(t, err)
					require.WithinDuration(t, time.Now().Add(30*24*time.Hour), end, time.Minute)
					require.Equal(t, token, b.token(next))
				}

				// Each sees the name that the other one gave.
				require.Equal(t, `"Ada Lovelace"`, b.get(next+"/rename?name=Countess"))
				require.Equal(t, `"Countess"`, b.get(own+"/who"))
				b.send(own, "session", url.Values{"data": {"Ada Lovelace"}})
				require.Equal(t, `"Ada Lovelace"`, b.get(next+"/who"))
				require.Len(t, s.rows("sessions"), 1)

				// Who signs in at the other side has a new session there, as the same user.
				b.signIn(other, "one", "ada")
				require.Len(t, s.rows("users"), 1)
				require.Len(t, s.rows("accounts"), 1)
				require.Len(t, s.rows("sessions"), 1)
				if other == own {
					require.NotEqual(t, token, b.token(next))
				}

				// Somebody who is signed in twice sees both, and ends the other one.
				elsewhere := newBrowser(t)
				elsewhere.signIn(next, "one", "ada")
				require.Len(t, s.rows("sessions"), 2)
				var listed struct{ Sessions []any }
				require.NoError(t, json.Unmarshal([]byte(b.get(own+"/api/auth/sessions")), &listed))
				require.Len(t, listed.Sessions, 2)
				b.send(own, "sessions", url.Values{"end": {"others"}})
				require.Nil(t, elsewhere.session(next))

				thief := newBrowser(t)
				at, err := url.Parse(next)
				require.NoError(t, err)
				thief.Jar.SetCookies(at, b.Jar.Cookies(at))
				b.send(other, "signout", nil)
				for _, site := range side {
					require.Nil(t, b.session(site))
					require.Nil(t, thief.session(site), "a copy of the cookie")
				}
				require.Empty(t, s.rows("sessions"))
			})
		}
	})
}

// The rows that Go makes are those of the adapter at the same sign-in, column by column.
func TestRowsAreTheAdapters(t *testing.T) {
	db := databases(t)["pgx"].open(t)
	idp := newPeople(t)
	var users, accounts, sessions [2][]map[string]any
	for i, tables := range []*tablesOf{newTables(t, db, adapterTables), newTables(t, db, adapterTables)} {
		site := nextSite(t, idp, tables)
		if i == 1 {
			site = goSite(t, idp, newUsers(t, tables, authjsdb.Config{}), nil)
		}
		for _, person := range []string{"ada", "lin"} {
			newBrowser(t).signIn(site, "one", person)
		}
		// Neither takes an address for somebody: not by another provider, nor by another account.
		for _, other := range [][2]string{{"two", "ada"}, {"one", "ada-too"}} {
			to := newBrowser(t).send(site, "signin/"+other[0]+"?login_hint="+other[1], nil)
			require.Equal(t, "/hello", to.Path)
			require.Equal(t, "OAuthAccountNotLinked", to.Query().Get("error"))
		}
		newBrowser(t).signIn(site, "two", "lin") // without an address there is nothing to take
		users[i], accounts[i], sessions[i] = tables.rows("users"), tables.rows("accounts"), tables.rows("sessions")
	}
	require.Len(t, users[0], 3)
	require.Equal(t, users[0], users[1])
	// Some values are new at each sign-in: of those it counts that they are there.
	for _, list := range [][2][]map[string]any{accounts, sessions} {
		require.Len(t, list[0], 3)
		for _, side := range list {
			for _, row := range side {
				for _, name := range []string{"access_token", "id_token", "sessionToken"} {
					if text, ok := row[name].(string); ok {
						require.NotEmpty(t, text)
						row[name] = "new"
					}
				}
				if at, ok := row["expires_at"].(float64); ok {
					require.InDelta(t, time.Now().Add(time.Hour).Unix(), at, 3600)
					row["expires_at"] = "soon"
				}
				if text, ok := row["expires"].(string); ok {
					at, err := time.Parse(time.RFC3339, text)
					require.NoError(t, err)
					require.WithinDuration(t, time.Now().Add(30*24*time.Hour), at, time.Minute)
					row["expires"] = "in 30 days"
				}
			}
		}
		require.Equal(t, list[0], list[1])
	}
}

// SE-11: however often somebody new signs in at once, they are one user, on tables that would let
// them be several.
func TestManySignInsAtOnceMakeOneUser(t *testing.T) {
	postgresDatabases(t, func(t *testing.T, db *sql.DB) {
		s := newTables(t, db, adapterTables)
		users := newUsers(t, s, authjsdb.Config{})
		var all sync.WaitGroup
		var mu sync.Mutex
		subjects := map[string]int{}
		for i := range 24 {
			all.Go(func() {
				who := &session.Session{Provider: "one", Subject: "ada", Email: "ada@example.com", ExpiresAt: time.Now().Add(time.Hour)}
				err := users.Start(t.Context(), strings.Repeat("t", 20+i), who, session.Account{Type: "oidc"})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				subjects[who.Subject]++
			})
		}
		all.Wait()
		require.Len(t, subjects, 1)
		require.Len(t, s.rows("users"), 1)
		require.Len(t, s.rows("accounts"), 1)
		require.Len(t, s.rows("sessions"), 24)
	})
}

// lobeTables are LobeChat's, with what its rows need.
const lobeTables = `
CREATE TABLE users (id text PRIMARY KEY NOT NULL, username text UNIQUE, email text, avatar text, phone text, first_name text, last_name text, full_name text,
	is_onboarded boolean DEFAULT false, clerk_created_at timestamptz, email_verified_at timestamptz, preference jsonb,
	accessed_at timestamptz DEFAULT now() NOT NULL, created_at timestamptz DEFAULT now() NOT NULL, updated_at timestamptz DEFAULT now() NOT NULL);
CREATE TABLE nextauth_accounts (access_token text, expires_at integer, id_token text, provider text NOT NULL, "providerAccountId" text NOT NULL,
	refresh_token text, scope text, session_state text, token_type text, type text NOT NULL,
	"userId" text NOT NULL REFERENCES {schema}.users (id) ON DELETE cascade, PRIMARY KEY (provider, "providerAccountId"));
CREATE TABLE nextauth_sessions (expires timestamp NOT NULL, "sessionToken" text PRIMARY KEY NOT NULL, "userId" text NOT NULL REFERENCES {schema}.users (id) ON DELETE cascade);`

// LobeChat's times have no zone, and are UTC whatever the server's is.
func TestLobeChatsDatabase(t *testing.T) {
	postgresDatabases(t, func(t *testing.T, db *sql.DB) {
		s, idp := newTables(t, db, lobeTables), newPeople(t)
		s.exec(`ALTER DATABASE postgres SET timezone TO 'Asia/Shanghai'`)
		t.Cleanup(func() { _, _ = db.Exec(`ALTER DATABASE postgres RESET timezone`) })
		db.SetMaxIdleConns(0) // of connections from before
		site := goSite(t, idp, newUsers(t, s, authjsdb.LobeChat()), nil)
		b := newBrowser(t)
		b.signIn(site, "one", "ada")
		require.Equal(t, "ada", b.session(site)["user"].(map[string]any)["id"])
		require.Len(t, s.rows("users"), 1)
		row := s.rows("users")[0]
		for name, want := range map[string]any{"id": "ada", "email": "ada@example.com", "full_name": "Ada Lovelace", "avatar": "https://example.com/ada.png", "email_verified_at": nil} {
			require.Equal(t, want, row[name], name)
		}
		require.Equal(t, "ada", s.rows("nextauth_accounts")[0]["userId"])
		stored, err := time.Parse("2006-01-02T15:04:05", s.rows("nextauth_sessions")[0]["expires"].(string))
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(30*24*time.Hour), stored, time.Minute)
		said, err := time.Parse(time.RFC3339, b.session(site)["expires"].(string))
		require.NoError(t, err)
		require.True(t, stored.Equal(said))

		// The same subject at another provider is somebody else.
		to := newBrowser(t).send(site, "signin/two?login_hint=lin", nil)
		require.Equal(t, "/who", to.Path)
		to = newBrowser(t).send(site, "signin/one?login_hint=lin", nil)
		require.Equal(t, "OAuthAccountNotLinked", to.Query().Get("error"))

		s.exec(`DELETE FROM {schema}.users WHERE id = 'ada'`)
		require.Nil(t, b.session(site), "with the user the session is gone")
	})
}

// With sessions in cookies, as LobeChat has them unless told otherwise, the users are in the
// database all the same.
func TestUsersOfSessionsInCookies(t *testing.T) {
	s, idp := newTables(t, databases(t)["pgx"].open(t), lobeTables), newPeople(t)
	users := newUsers(t, s, authjsdb.LobeChat())
	s.exec(`INSERT INTO {schema}.users (id, full_name) VALUES ('from-before', 'Lin');
INSERT INTO {schema}.nextauth_accounts (provider, "providerAccountId", type, "userId") VALUES ('one', 'lin', 'oidc', 'from-before')`)
	site := goSite(t, idp, users, func(c *auth.Config) {
		c.Session.Database, c.UserIDClaim, c.UserID = nil, "userId", auth.SubjectID
		c.Enrich = enrolled(users)
	})
	for person, id := range map[string]string{"ada": "ada", "lin": "from-before"} {
		b := newBrowser(t)
		b.signIn(site, "one", person)
		require.Equal(t, id, b.session(site)["user"].(map[string]any)["id"])
	}
	require.Len(t, s.rows("users"), 2)
	require.Empty(t, s.rows("nextauth_sessions"))
	to := newBrowser(t).send(site, "signin/one?login_hint=ada-too", nil)
	require.Equal(t, "OAuthAccountNotLinked", to.Query().Get("error"))
}
