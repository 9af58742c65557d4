package authjsdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport/auth/internal/sqlerror"
	"github.com/sallyport/auth/session"
)

const (
	byAccountSQL = `SELECT u.{users.id}, u.{users.name}, u.{users.email}, u.{users.emailVerified} IS NOT NULL, u.{users.image}
FROM {users} u JOIN {accounts} a ON a.{accounts.userId} = u.{users.id} WHERE a.{accounts.provider} = $1 AND a.{accounts.providerAccountId} = $2`

	// lockSQL ends with the transaction. Whoever makes a user holds it, for the tables may
	// let an account or an address be there twice.
	lockSQL = `SELECT pg_advisory_xact_lock(7305808869229538677)`

	takenSQL = `SELECT EXISTS (SELECT FROM {users} WHERE {users.email} = $1)`

	// takenWithIDSQL is takenSQL where ids are not the database's: two providers may know
	// two people by one subject.
	takenWithIDSQL = `SELECT EXISTS (SELECT FROM {users} WHERE {users.email} = $1 OR {users.id} = $2)`

	newUserSQL = `INSERT INTO {users} ({users.name}, {users.email}, {users.image}) VALUES ($1, $2, $3) RETURNING {users.id}`

	newUserWithIDSQL = `INSERT INTO {users} ({users.name}, {users.email}, {users.image}, {users.id}) VALUES ($1, $2, $3, $4) RETURNING {users.id}`

	newAccountSQL = `INSERT INTO {accounts} ({accounts.userId}, {accounts.provider}, {accounts.type}, {accounts.providerAccountId},
{accounts.access_token}, {accounts.expires_at}, {accounts.refresh_token}, {accounts.id_token}, {accounts.scope}, {accounts.token_type})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

	newSessionSQL = `INSERT INTO {sessions} ({sessions.userId}, {sessions.expires}, {sessions.sessionToken}) VALUES ($1, $2, $3)`
)

// Start implements session.Database.
func (d *Database) Start(ctx context.Context, token string, s *session.Session, a session.Account) error {
	ctx, done := context.WithTimeout(ctx, limit)
	defer done()
	if err := d.enroll(ctx, s, a); err != nil {
		return err
	}
	_, err := d.db.ExecContext(ctx, d.newSession, s.Subject, s.ExpiresAt.UTC(), token)
	return sqlerror.Of(ctx, "authjsdb: start", err)
}

// Enroll makes s a session of the user who has the account s.Subject at s.Provider, and
// makes that user where there is none, as Start does, but begins no session. It is for
// auth.Config.Enrich, where sessions are in cookies and the users in a database: s.Subject
// is the user's id afterwards. The error wraps session.ErrNotLinked where another user has
// the e-mail address, and session.ErrStore where the database failed.
func (d *Database) Enroll(ctx context.Context, s *session.Session, a session.Account) error {
	ctx, done := context.WithTimeout(ctx, limit)
	defer done()
	err := d.enroll(ctx, s, a)
	if err != nil && !errors.Is(err, session.ErrNotLinked) {
		return fmt.Errorf("%w: %w", session.ErrStore, err)
	}
	return err
}

func (d *Database) enroll(ctx context.Context, s *session.Session, a session.Account) error {
	if s.Provider == "" || s.Subject == "" {
		return errors.New("authjsdb: the session names no account: Provider or Subject is empty")
	}
	found, err := d.userOf(ctx, d.db, s)
	if err == nil && !found {
		err = d.register(ctx, s, a)
	}
	if errors.Is(err, session.ErrNotLinked) {
		return err
	}
	return sqlerror.Of(ctx, "authjsdb: sign in", err)
}

// userOf sets of s what the user is who has its account, if anybody.
func (d *Database) userOf(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, s *session.Session) (found bool, err error) {
	of := *s
	err = db.QueryRowContext(ctx, d.byAccount, s.Provider, s.Subject).Scan(user(&of)...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	of.ProviderSubject = s.Subject
	*s = of
	return true, nil
}

// register makes the user and the account, unless somebody else has done so by now.
func (d *Database) register(ctx context.Context, s *session.Session, a session.Account) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, d.lock); err != nil {
		return err
	}
	if found, err := d.userOf(ctx, tx, s); found || err != nil {
		return err
	}
	email, id := known(strings.ToLower(s.Email)), []any(nil)
	if d.userID != nil {
		id = []any{d.userID(s.Provider, s.Subject)}
	}
	var taken bool
	if err := tx.QueryRowContext(ctx, d.taken, append([]any{email}, id...)...).Scan(&taken); err != nil {
		return err
	}
	if taken {
		return fmt.Errorf("authjsdb: %w", session.ErrNotLinked)
	}
	of := *s
	of.Email, of.EmailVerified, of.ProviderSubject = email.String, false, s.Subject
	if err := tx.QueryRowContext(ctx, d.newUser, append([]any{known(s.Name), email, known(s.Picture)}, id...)...).Scan(&of.Subject); err != nil {
		return err
	}
	expires := sql.NullInt64{Int64: a.ExpiresAt.Unix(), Valid: !a.ExpiresAt.IsZero()}
	_, err = tx.ExecContext(ctx, d.newAccount, of.Subject, s.Provider, a.Type, s.Subject,
		known(a.AccessToken), expires, known(a.RefreshToken), known(a.IDToken), known(a.Scope), known(strings.ToLower(a.TokenType)))
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	*s = of
	return nil
}
