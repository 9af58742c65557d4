package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"

	_ "modernc.org/sqlite"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// An account is somebody at a provider: provider, issuer and subject, to the letter. It
// belongs to one user of the application, who may have several. What has COLLATE NOCASE
// compares as auth.AllowEmails does: without the case of A to Z, before and after the @.
const schema = `
CREATE TABLE IF NOT EXISTS users (
	id       text NOT NULL PRIMARY KEY,
	name     text NOT NULL,
	email    text NOT NULL,
	created  integer NOT NULL DEFAULT (unixepoch()),
	disabled integer NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS accounts (
	provider       text NOT NULL,
	issuer         text NOT NULL,
	subject        text NOT NULL,
	user_id        text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	email          text NOT NULL COLLATE NOCASE,
	email_verified integer NOT NULL,
	PRIMARY KEY (provider, issuer, subject)
);
CREATE INDEX IF NOT EXISTS accounts_user_id ON accounts (user_id);
CREATE INDEX IF NOT EXISTS accounts_email ON accounts (email);`

// openDatabase opens file, and makes the tables that are not there. A transaction has the
// only writer's place from its beginning, so that what it has looked up still holds when
// it writes.
func openDatabase(ctx context.Context, file string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=busy_timeout(2000)&_pragma=foreign_keys(1)")
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// users are the application's. It is safe for concurrent use.
type users struct {
	db *sql.DB

	// link has an account that is new join the user who has its address: see sameAddress.
	link bool
}

// enrich is auth.Config.Enrich: the session is the user's to whom the account belongs, and
// somebody who has none yet gets one. Whether that is so the table says, and not id.Seen,
// which a store forgets, and which of two sign-ins at once both are told is SeenNever.
func (u users) enrich(ctx context.Context, s *session.Session, id *auth.Identity) error {
	user, err := u.find(ctx, s.Provider, id)
	if errors.Is(err, sql.ErrNoRows) {
		if err = u.add(ctx, s.Provider, id); err == nil {
			user, err = u.find(ctx, s.Provider, id)
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", auth.ErrStore, err) // nobody has refused anybody
	}
	s.Subject = user
	return s.SetClaim("first_time", id.Seen == auth.SeenNever)
}

// find returns the user of an account. The address is kept as the provider has it now: one
// that somebody has given up there is not theirs to be found by.
func (u users) find(ctx context.Context, provider string, id *auth.Identity) (user string, err error) {
	err = u.db.QueryRowContext(ctx, `UPDATE accounts SET email = ?, email_verified = ?
		WHERE provider = ? AND issuer = ? AND subject = ? RETURNING user_id`,
		id.Email, id.EmailVerified, provider, id.Issuer, id.Subject).Scan(&user)
	return user, err
}

// add makes an account, and a user for it unless it joins one. Where another sign-in has
// just made the account, it makes neither.
func (u users) add(ctx context.Context, provider string, id *auth.Identity) error {
	tx, err := u.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	user, err := u.sameAddress(ctx, tx, id)
	if errors.Is(err, sql.ErrNoRows) {
		user = rand.Text()
		_, err = tx.ExecContext(ctx, `INSERT INTO users (id, name, email) VALUES (?, ?, ?)`, user, id.Name, id.Email)
	}
	if err != nil {
		return err
	}
	made, err := tx.ExecContext(ctx, `INSERT INTO accounts (provider, issuer, subject, user_id, email, email_verified)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		provider, id.Issuer, id.Subject, user, id.Email, id.EmailVerified)
	if err != nil {
		return err
	}
	if n, err := made.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return tx.Commit()
}

// sameAddress returns the user whom a new account joins, or sql.ErrNoRows.
//
// Whoever gets an account of theirs joined to somebody's user is that user from then on.
// So the operator has to ask for it, which says that every provider here checks addresses
// before it calls them verified; one that does not lets its people take over everybody
// else's users. Both addresses have to be verified: the new one, or anybody could write
// the address of whom they want to be; and the one that is there, or somebody could write
// another person's and wait for them to join. Two users with the address are no answer, and
// where the issuer knows one of the user's accounts by another subject, it says that
// this is somebody else, who has been given the address of one who left, say.
func (u users) sameAddress(ctx context.Context, tx *sql.Tx, id *auth.Identity) (user string, err error) {
	if !u.link || !id.EmailVerified || id.Email == "" {
		return "", sql.ErrNoRows
	}
	err = tx.QueryRowContext(ctx, `WITH same AS (SELECT DISTINCT user_id FROM accounts WHERE email = ? AND email_verified)
		SELECT user_id FROM same WHERE (SELECT count(*) FROM same) = 1
		AND NOT EXISTS (SELECT 1 FROM accounts AS a WHERE a.user_id = same.user_id AND a.issuer = ? AND a.subject <> ?)`,
		id.Email, id.Issuer, id.Subject).Scan(&user)
	return user, err
}

// mayStay is session.Config.Revalidate. It is asked at each sign-in too, so that nobody
// comes back by signing in again.
func (u users) mayStay(ctx context.Context, s *session.Session) error {
	var disabled bool
	err := u.db.QueryRowContext(ctx, `SELECT disabled FROM users WHERE id = ?`, s.Subject).Scan(&disabled)
	if disabled || errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w: the user is disabled, or is no more", auth.ErrNotAllowed)
	}
	return err
}

// accounts are those of a user, in words.
func (u users) accounts(ctx context.Context, user string) (list []string, err error) {
	rows, err := u.db.QueryContext(ctx, `SELECT provider || ': ' || subject || ' at ' || issuer || ', ' || email || iif(email_verified, ' (verified)', '')
		FROM accounts WHERE user_id = ? ORDER BY provider, issuer, subject`, user)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}
