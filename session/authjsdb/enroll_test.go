package authjsdb_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/authjsdb"
)

// people are a server with accounts and addresses in it.
type people struct {
	accounts map[string][]driver.Value // "github 1": id, name, ...
	taken    bool
	locked   func() // is called when a transaction has the lock
	fail     string // what a statement begins with that fails
}

func (p *people) answer(_ context.Context, a asked) ([][]driver.Value, int64, error) {
	if p.fail != "" && strings.HasPrefix(a.SQL, p.fail) {
		return nil, 0, errors.New("down")
	}
	switch {
	case strings.Contains(a.SQL, "pg_advisory_xact_lock") && p.locked != nil:
		p.locked()
	case strings.HasPrefix(a.SQL, "SELECT u."):
		if row := p.accounts[a.Args[0].(string)+" "+a.Args[1].(string)]; row != nil {
			return [][]driver.Value{row}, 0, nil
		}
	case strings.HasPrefix(a.SQL, "SELECT EXISTS"):
		return [][]driver.Value{{p.taken}}, 0, nil
	case strings.Contains(a.SQL, "RETURNING"):
		return [][]driver.Value{{int64(7)}}, 1, nil
	}
	return nil, 1, nil
}

var adaRow = []driver.Value{int64(7), "Ada of the database", "ada@example.org", true, nil}

func ada() *session.Session {
	return &session.Session{Provider: "github", Subject: "1", Issuer: "https://github.com/login/oauth", Name: "Ada", Email: "Ada@Example.COM", EmailVerified: true,
		Picture: "https://example.com/ada.png", ExpiresAt: expires}
}

const byAccount = `SELECT u."id", u."name", u."email", u."emailVerified" IS NOT NULL, u."image"
FROM "users" u JOIN "accounts" a ON a."userId" = u."id" WHERE a."provider" = $1 AND a."providerAccountId" = $2`

const newSession = `INSERT INTO "sessions" ("userId", "expires", "sessionToken") VALUES ($1, $2, $3)`

func TestAKnownAccount(t *testing.T) {
	d, server := open(t, authjsdb.Config{})
	server.Answers((&people{accounts: map[string][]driver.Value{"github 1": adaRow}}).answer)
	s := ada()
	require.NoError(t, d.Start(t.Context(), token, s, session.Account{Type: "oauth"}))
	require.Equal(t, []asked{
		{SQL: byAccount, Args: []driver.Value{"github", "1"}},
		{SQL: newSession, Args: []driver.Value{"7", expires.UTC(), token}},
	}, server.Said())
	want := ada()
	want.Subject, want.ProviderSubject, want.Name, want.Email, want.Picture = "7", "1", "Ada of the database", "ada@example.org", ""
	require.Equal(t, want, s)
}

func TestANewAccount(t *testing.T) {
	d, server := open(t, authjsdb.Config{})
	server.Answers((&people{}).answer)
	s := ada()
	require.NoError(t, d.Start(t.Context(), token, s, session.Account{Type: "oauth", ProviderTokens: session.ProviderTokens{AccessToken: "a", RefreshToken: "r", IDToken: "i",
		TokenType: "Bearer", Scope: "read:user", ExpiresAt: time.Unix(1790000000, 5)}}))
	require.Equal(t, []asked{
		{SQL: byAccount, Args: []driver.Value{"github", "1"}},
		{SQL: "BEGIN"},
		{SQL: "SELECT pg_advisory_xact_lock(7305808869229538677)"},
		{SQL: byAccount, Args: []driver.Value{"github", "1"}},
		{SQL: `SELECT EXISTS (SELECT FROM "users" WHERE "email" = $1)`, Args: []driver.Value{"ada@example.com"}},
		{SQL: `INSERT INTO "users" ("name", "email", "image") VALUES ($1, $2, $3) RETURNING "id"`, Args: []driver.Value{"Ada", "ada@example.com", "https://example.com/ada.png"}},
		{SQL: `INSERT INTO "accounts" ("userId", "provider", "type", "providerAccountId",
"access_token", "expires_at", "refresh_token", "id_token", "scope", "token_type")
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, Args: []driver.Value{"7", "github", "oauth", "1", "a", int64(1790000000), "r", "i", "read:user", "bearer"}},
		{SQL: "COMMIT"},
		{SQL: newSession, Args: []driver.Value{"7", expires.UTC(), token}},
	}, server.Said())
	want := ada()
	want.Subject, want.ProviderSubject, want.Email, want.EmailVerified = "7", "1", "ada@example.com", false
	require.Equal(t, want, s)
}

func TestANewAccountOfWhomLittleIsKnown(t *testing.T) {
	d, server := open(t, authjsdb.LobeChat())
	server.Answers((&people{}).answer)
	s := &session.Session{Provider: "oidc", Subject: "sub|1"}
	require.NoError(t, d.Enroll(t.Context(), s, session.Account{Type: "oidc"}))
	said := server.Said()
	require.Equal(t, asked{SQL: `SELECT EXISTS (SELECT FROM "users" WHERE "email" = $1 OR "id" = $2)`, Args: []driver.Value{nil, "sub|1"}}, said[4])
	require.Equal(t, asked{SQL: `INSERT INTO "users" ("full_name", "email", "avatar", "id") VALUES ($1, $2, $3, $4) RETURNING "id"`, Args: []driver.Value{nil, nil, nil, "sub|1"}}, said[5])
	require.Equal(t, []driver.Value{"7", "oidc", "oidc", "sub|1", nil, nil, nil, nil, nil, nil}, said[6].Args)
	require.Equal(t, asked{SQL: "COMMIT"}, said[7])
	require.Len(t, said, 8, "no session is begun")
}

// An account never joins another one's user.
func TestAnAddressThatIsTaken(t *testing.T) {
	d, server := open(t, authjsdb.Config{})
	server.Answers((&people{taken: true}).answer)
	s := ada()
	err := d.Start(t.Context(), token, s, session.Account{Type: "oauth"})
	require.ErrorIs(t, err, session.ErrNotLinked)
	require.NotContains(t, err.Error(), "xample")
	require.Equal(t, ada(), s)
	said := server.Said()
	require.Equal(t, "ROLLBACK", said[len(said)-1].SQL)
	for _, a := range said {
		require.NotContains(t, a.SQL, "INSERT")
	}
}

// SE-11: of two sign-ins at once the second one waits for the lock, and finds the user that
// the first one made.
func TestASignInThatWaited(t *testing.T) {
	d, server := open(t, authjsdb.Config{})
	p := &people{accounts: map[string][]driver.Value{}, taken: true}
	p.locked = func() { p.accounts["github 1"] = adaRow }
	server.Answers(p.answer)
	s := ada()
	require.NoError(t, d.Start(t.Context(), token, s, session.Account{Type: "oauth"}))
	require.Equal(t, "7", s.Subject)
	inserts := 0
	for _, a := range server.Said() {
		if strings.Contains(a.SQL, "INSERT") {
			inserts++
		}
	}
	require.Equal(t, 1, inserts, "the session's")
}

// SE-06: whatever fails, nobody is half there, and the session is as it was.
func TestASignInThatFails(t *testing.T) {
	for _, fail := range []string{"SELECT u.", "BEGIN", "SELECT pg_adv", "SELECT EXISTS", `INSERT INTO "users"`, `INSERT INTO "accounts"`, "COMMIT", `INSERT INTO "sessions"`} {
		d, server := open(t, authjsdb.Config{})
		server.Answers((&people{fail: fail}).answer)
		s := ada()
		require.ErrorContains(t, d.Start(t.Context(), token, s, session.Account{Type: "oauth"}), "down", fail)
		committed := false
		for _, a := range server.Said() {
			committed = committed || a.SQL == "COMMIT"
		}
		require.Equal(t, fail == "COMMIT" || fail == `INSERT INTO "sessions"`, committed, fail)
		if fail != `INSERT INTO "sessions"` {
			require.Equal(t, ada(), s, fail)
		}
	}
}

func TestEnrollSaysThatTheDatabaseFailed(t *testing.T) { // SE-06
	d, server := open(t, authjsdb.Config{})
	server.Answers((&people{fail: "BEGIN"}).answer)
	require.ErrorIs(t, d.Enroll(t.Context(), ada(), session.Account{}), session.ErrStore)
	server.Answers((&people{taken: true}).answer)
	err := d.Enroll(t.Context(), ada(), session.Account{})
	require.ErrorIs(t, err, session.ErrNotLinked)
	require.NotErrorIs(t, err, session.ErrStore)
}

func TestASessionWithoutAnAccount(t *testing.T) {
	d, server := open(t, authjsdb.Config{})
	for _, s := range []*session.Session{{Subject: "1"}, {Provider: "github"}} {
		require.ErrorContains(t, d.Start(t.Context(), token, s, session.Account{}), "names no account")
	}
	require.Empty(t, server.Said())
}
