// Package authjsdb reads and writes the users, accounts and sessions of Auth.js's
// database strategy in PostgreSQL, in the tables of @auth/pg-adapter or others like
// them. Its [Database] is a session.DatabaseLister. It has no driver: the program chooses one
// and opens the database.
//
//	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
//	...
//	users, err := authjsdb.New(db, authjsdb.Config{})
//	...
//	a, err := auth.New(auth.Config{Session: session.Config{Database: users}, ...})
//
// With auth.Config.ReadOnly an application with Auth.js signs people in, and nothing is
// written. Otherwise both may sign people in, renew their sessions and end them; each
// finds what the other did. The cookie has the row's token, as Auth.js makes it: a UUID,
// which is in the table as it is. Whoever can read the table can be anybody who is in it.
//
// # Who somebody is
//
// An account is a provider's name and an id there, and belongs to a user. The providers here
// have to be called as Auth.js calls them, and to have the ids that it took: for another
// one, auth.Config.Enrich may set the session's Subject.
//
//	the account is there               its user signs in; nothing is written but the session
//	not, but a user with its address   nobody signs in: session.ErrNotLinked
//	neither                            user and account are made, in one transaction
//
// The rows are those that @auth/core would have written: the e-mail address in lower case,
// emailVerified empty whatever the provider says, tokens as they came with the first sign-in.
// Two things of @auth/core's are not done. An account never joins the user of another one,
// by address (allowDangerousEmailAccountLinking) or because that user is
// signed in in the same browser. And each sign-in has a session of its own, in the place of
// the one before.
//
// A session's Subject is the user's id. It has no Provider and no Groups later than at
// the sign-in itself, for no row has them.
//
// # The tables
//
// The rights that a program needs are SELECT on all three, INSERT on them to sign people
// in, UPDATE on users and sessions, and DELETE on sessions. A column that [Config].Names does
// not list must have a default, or may be null. The schema that @auth/pg-adapter documents
// has no index on what is looked for, and lets an account or an address be there twice.
// One sign-in here waits for another that makes a user; Auth.js waits for nobody. So
// give it these:
//
//	CREATE UNIQUE INDEX ON sessions ("sessionToken");
//	CREATE UNIQUE INDEX ON accounts (provider, "providerAccountId");
//	CREATE UNIQUE INDEX ON users (email);
//
// All statements go to the primary, outside transactions but for a new user's, and keep no
// state in the connection, so that PgBouncer may be in between. Each is bounded by the
// context, and by 5 seconds.
//
// # Errors
//
// An error says which call failed and what the driver said of it. It has neither tokens nor
// a connection string.
package authjsdb
