package authjsdb_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/sqltest"
	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/authjsdb"
)

var _ session.DatabaseLister = (*authjsdb.Database)(nil)

const token = "6f3c0b52-9d6f-4c0e-8a55-0d6f4c0e8a55"

var expires = time.Date(2031, 2, 3, 10, 5, 6, 0, time.FixedZone("", 3600))

func one(values ...driver.Value) func(context.Context, asked) ([][]driver.Value, int64, error) {
	return func(context.Context, asked) ([][]driver.Value, int64, error) { return [][]driver.Value{values}, 1, nil }
}

func TestFind(t *testing.T) {
	d, server := open(t, authjsdb.Config{})
	s, err := d.Find(t.Context(), token)
	require.NoError(t, err)
	require.Nil(t, s)
	require.Equal(t, []asked{{SQL: `SELECT s."expires", u."id", u."name", u."email", u."emailVerified" IS NOT NULL, u."image"
FROM "sessions" s JOIN "users" u ON u."id" = s."userId" WHERE s."sessionToken" = $1`, Args: []driver.Value{token}}}, server.Said())

	server.Answers(one(expires, int64(7), "Ada", "ada@example.com", true, "https://example.com/ada.png"))
	s, err = d.Find(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, &session.Session{Subject: "7", Name: "Ada", Email: "ada@example.com", EmailVerified: true,
		Picture: "https://example.com/ada.png", ExpiresAt: expires}, s)

	server.Answers(one(expires, "7", nil, nil, false, nil))
	s, err = d.Find(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, &session.Session{Subject: "7", ExpiresAt: expires}, s)
}

func TestList(t *testing.T) { // SE-05
	d, server := open(t, authjsdb.Config{})
	list, err := d.List(t.Context(), "7")
	require.NoError(t, err)
	require.Empty(t, list)
	require.Equal(t, []asked{{SQL: `SELECT s."sessionToken", s."expires", u."id", u."name", u."email", u."emailVerified" IS NOT NULL, u."image"
FROM "sessions" s JOIN "users" u ON u."id" = s."userId" WHERE CAST(u."id" AS text) = $1`, Args: []driver.Value{"7"}}}, server.Said())

	server.Answers(func(context.Context, asked) ([][]driver.Value, int64, error) {
		return [][]driver.Value{{"one", expires, int64(7), "Ada", nil, false, nil}, {"two", expires, int64(7), "Ada", nil, true, nil}}, 0, nil
	})
	list, err = d.List(t.Context(), "7")
	require.NoError(t, err)
	require.Equal(t, map[string]*session.Session{"one": {Subject: "7", Name: "Ada", ExpiresAt: expires}, "two": {Subject: "7", Name: "Ada", EmailVerified: true, ExpiresAt: expires}}, list)

	server.Answers(one("one", "no time", int64(7), nil, nil, false, nil))
	_, err = d.List(t.Context(), "7")
	require.ErrorContains(t, err, "authjsdb: list: ")
}

// SE-10: parameters alone, and the names of another schema.
func TestLobeChatsNames(t *testing.T) {
	config := authjsdb.LobeChat()
	config.Names["users"] = "lobe.users"
	d, server := open(t, config)
	_, err := d.Find(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, `SELECT s."expires", u."id", u."full_name", u."email", u."email_verified_at" IS NOT NULL, u."avatar"
FROM "nextauth_sessions" s JOIN "lobe"."users" u ON u."id" = s."userId" WHERE s."sessionToken" = $1`, server.Said()[0].SQL)
}

func TestUpdate(t *testing.T) {
	d, server := open(t, authjsdb.Config{})
	old := &session.Session{Subject: "7", Name: "Ada", Picture: "https://example.com/ada.png"}
	extended := asked{SQL: `UPDATE "sessions" SET "expires" = $2 WHERE "sessionToken" = $1`, Args: []driver.Value{token, expires.UTC()}}
	for _, c := range []struct {
		name, picture string
		args          []driver.Value // of the user's statement
	}{
		{"Ada", "https://example.com/ada.png", nil},
		{"Ada Lovelace", "https://example.com/ada.png", []driver.Value{"7", "Ada Lovelace", "https://example.com/ada.png"}},
		{"Ada", "", []driver.Value{"7", "Ada", nil}},
	} {
		// The user is who the session was found with.
		found, err := d.Update(t.Context(), token, old, &session.Session{Subject: "8", Name: c.name, Picture: c.picture, Email: "else@example.com", ExpiresAt: expires})
		require.NoError(t, err)
		require.True(t, found)
		want := []asked{extended}
		if c.args != nil {
			want = append(want, asked{SQL: `UPDATE "users" SET "name" = $2, "image" = $3 WHERE "id" = $1`, Args: c.args})
		}
		require.Equal(t, want, server.Said())
	}
	server.Answers(func(context.Context, asked) ([][]driver.Value, int64, error) { return nil, 0, nil })
	found, err := d.Update(t.Context(), token, old, &session.Session{Name: "Ada Lovelace", ExpiresAt: expires})
	require.NoError(t, err)
	require.False(t, found)
	require.Equal(t, []asked{extended}, server.Said(), "nothing is changed where there is no session")
}

func TestDelete(t *testing.T) {
	d, server := open(t, authjsdb.Config{})
	require.NoError(t, d.Delete(t.Context(), token))
	require.Equal(t, []asked{{SQL: `DELETE FROM "sessions" WHERE "sessionToken" = $1`, Args: []driver.Value{token}}}, server.Said())
}

// SE-10: a name is a name.
func TestNames(t *testing.T) {
	for _, c := range []struct {
		name, own, want string // "" is none
	}{
		{"users", "User", ""},
		{"users", "auth.user", ""},
		{"users.id", "_id0", ""},
		{"users", strings.Repeat("a", 63), ""},
		{"users", strings.Repeat("a", 64), "want a table"},
		{"users", "a.b.c", "want a table"},
		{"users", "", "want a table"},
		{"users", `a"; DROP TABLE users; --`, "want a table"},
		{"users", "a b", "want a table"},
		{"users", "a\n", "want a table"},
		{"users", "1a", "want a table"},
		{"users", "ä", "want a table"},
		{"users.id", "u.id", "want a column"},
		{"users.id", "id)", "want a column"},
		{"users.nickname", "nick", "want one of users, users.id"},
		{"", "x", "want one of"},
	} {
		d, err := authjsdb.New(sql.OpenDB(&sqltest.Database{}), authjsdb.Config{Names: map[string]string{c.name: c.own}})
		if c.want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, c.want, c.own)
		require.Nil(t, d)
	}
	_, err := authjsdb.New(nil, authjsdb.Config{Names: map[string]string{"x": "", "users": ""}})
	for _, want := range []string{"db is nil", `"x"`, `for "users"`} {
		require.ErrorContains(t, err, want)
	}
}

// each calls every method, by the name that its errors have.
func each(d *authjsdb.Database, test func(name string, call func(ctx context.Context) error)) {
	of := func() *session.Session {
		return &session.Session{Provider: "github", Subject: "4711", Name: "name-4711", Email: "email-4711", ExpiresAt: expires}
	}
	account := session.Account{Type: "oauth", ProviderTokens: session.ProviderTokens{AccessToken: "gho-4711"}}
	test("find", func(ctx context.Context) error { _, err := d.Find(ctx, token); return err })
	test("list", func(ctx context.Context) error {
		list, err := d.List(ctx, "7")
		if list != nil && err != nil {
			return errors.New("a list, with an error")
		}
		return err
	})
	test("update", func(ctx context.Context) error {
		found, err := d.Update(ctx, token, of(), of())
		if found && err != nil {
			return errors.New("found, with an error")
		}
		return err
	})
	test("delete", func(ctx context.Context) error { return d.Delete(ctx, token) })
	test("sign in", func(ctx context.Context) error { return d.Start(ctx, token, of(), account) })
	test("sign in", func(ctx context.Context) error { return d.Enroll(ctx, of(), account) })
}

// SE-06: an error is the driver's, says which call it was, and has no token.
func TestErrors(t *testing.T) {
	down := errors.New("connection refused")
	d, server := open(t, authjsdb.Config{})
	each(d, func(name string, call func(ctx context.Context) error) {
		server.Answers(func(context.Context, asked) ([][]driver.Value, int64, error) { return nil, 0, down })
		err := call(t.Context())
		require.ErrorIs(t, err, down, name)
		require.ErrorContains(t, err, "authjsdb: "+name+": connection refused")

		server.Answers(func(context.Context, asked) ([][]driver.Value, int64, error) {
			return nil, 0, &url.Error{Op: "parse", URL: "postgres://u:hidden@host", Err: down}
		})
		require.NotContains(t, call(t.Context()).Error(), "hidden", name)

		server.Answers(func(ctx context.Context, _ asked) ([][]driver.Value, int64, error) {
			<-ctx.Done()
			return nil, 0, errors.New("the driver gave up")
		})
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			err := call(context.Background())
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
			require.Equal(t, 5*time.Second, time.Since(begun), name)
		})
	})
}
