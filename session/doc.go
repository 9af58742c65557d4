// Package session reads, writes and keeps sign-in sessions. A session is an
// Auth.js session token, so that a Next.js front end and a Go back end share one
// sign-in.
//
// An application configures it by [Config], which is a field of the
// configuration of package auth, finds the signed-in [Session] in a request's
// context, and may bring a [Store]. The [Manager] is what package auth calls:
//
//	m, err := session.NewManager(session.Config{}, secrets, time.Now)
//	...
//	err = m.Start(w, r, &session.Session{Subject: "4711"}, true) // a sign-in
//	s, err := m.Load(r, true)        // a request; s is nil for nobody
//	err = m.Renew(w, r, s, true)     // beside it, once in UpdateAge
//	err = m.End(w, r, true)          // a sign-out
//
// The last argument says that the public address is https. It comes from the
// configuration and not from the connection, which a proxy may have decrypted.
//
// # The token
//
// A token is a set of claims (RFC 7519) encrypted and authenticated as a compact
// JWE (RFC 7516): "dir" with A256CBC-HS512, as Auth.js v5 writes it. A256GCM
// is read too. The key comes from a [Secret] by HKDF (RFC 5869) and depends on the
// cookie's name: a token is worth nothing under another name. Only the holders of
// the secret can read a token, and each of them can make one.
//
// Several secrets are a rotation: the first seals and all of them open, so that a
// new one put in front signs nobody out. [Codec] is this layer alone.
//
// Claims that have a field in [Session] are read and written there. All others
// are kept byte for byte, and [Session.Claim] and [Session.SetClaim] are for
// them.
//
// # Cookies
//
// The cookie is authjs.session-token, with the prefix __Secure- over https. It is
// HttpOnly, SameSite=Lax, Path=/ and, without [Config].CookieDomain, for one
// host (RFC 6265 4.1.2). A value of more than 3936 characters is cut into
// cookies with the suffixes .0, .1 and so on. Four of them are the most that is
// written; more is [ErrTooLarge]. Before that, Groups are dropped that would make an
// answer longer than [Config].MaxSetCookieBytes. A browser that sends several cookies of the one
// name, as one with a cookie planted by a sibling domain does, is signed in if
// any of them holds, however many there are, and chunks are put together in the
// ways that they fit. The newest token wins; with a store, the first value does.
// What planted ones can cost is bounded: 1 MiB of tokens for each name, 180 questions
// to a store. A sign-out ends all that hold.
//
// # Stores
//
// Without a [Store] the token is the session. Nothing is kept on the server, and
// nothing can be taken back there. With one, the cookie holds 32 random bytes, and
// the store has the claims under their SHA-256, sealed with the secrets: a copy of the
// store gives nobody a cookie, and names nobody. Sign-out then ends the session on all nodes. [MemoryStore] is for
// one node and for tests; the [Store] interface says what another has to do.
//
// [Manager.List] and [Manager.Revoke] find the sessions of somebody, in a store that is a
// [Lister]. Where sessions are in cookies, [Config].Revocations is a store in which it
// is written which of them have ended.
//
// A store that fails gives [ErrStore]. Requests must then be refused: who sent
// them is not known, and asking people to sign in would not help.
//
// # Auth.js's database
//
// With a [Database] the cookie holds the token of a row that Auth.js's database strategy
// has, and the row and its user are the session. Nothing is sealed, and the secrets open
// nothing there: whoever reads the table can be anybody in it. There is no Lifetime.
//
// # Time
//
// Three durations of [Config] bound a session. MaxAge, 30 days, is how long a
// token counts from when it was written. UpdateAge, 24 hours or a quarter of MaxAge, is
// how old it gets before a request has it written anew, with a new MaxAge. Lifetime,
// 90 days, is the end in any case, counted from the sign-in.
//
// They hold for tokens that Auth.js has written anew, too. Its middleware does that at
// each request, with a new "jti" and an "exp" of its own, and leaves the claims
// that it does not know alone. So what a session is bound to is "auth_time", when the
// person signed in, and "signin_id", by which a sign-out reaches every token of that
// sign-in; "exp" can only make it shorter.
//
// So a session that is used goes on until Lifetime; one that is not used ends between
// MaxAge less UpdateAge and MaxAge after the last request. The clocks of two nodes may differ by 15 seconds.
//
// # Sharing with Auth.js
//
// Both sides need the same secret, the same cookie name and the same cookie:
// one host, or one CookieDomain. Auth.js v5 then reads what this package writes
// and the other way round. Tokens of next-auth v4 are read, and left to v4 unless
// [Config].UpgradeV4 is set. A session that Auth.js began has no AuthTime, and
// lasts as long as Auth.js says; it is given one when this package first renews it, and
// MaxAge and Lifetime count from there. Until then a sign-out here ends the one token,
// and not what Auth.js made of it.
// With a Store there is nothing to share: Auth.js reads no cookie of that kind,
// and neither its tokens nor bearer tokens are looked at, but those of [Manager.Issue].
//
// # Programs
//
// [Manager.Issue] begins a session for a program, and makes a token that counts in a header
// alone. It takes a Store that is a Lister, or Revocations, and ends at a time that is set.
//
// # What it does not protect from
//
//   - A stolen token. Without a store, and without Revocations, it counts until it
//     expires. This process
//     refuses it after the sign-out, for as long as it could be renewed and until
//     the process is started anew; other nodes do not know of it. One person can fill
//     1,024 of the 131,072 places that there are for that. What is forgotten then is
//     theirs.
//   - A cookie planted by a sibling domain with a valid session of the planter's
//     own, nor one that plants so many that the browser forgets ours. The prefix
//     __Host- would stop the first, but is not Auth.js's.
//   - A request on another node that is slower than the sign-out. A renewal that
//     began before it sets the cookie again, which counts for nothing with Revocations.
//     With a store that takes a sign-out between two calls of the store, and with one that
//     is a [Replacer] it does not happen.
//   - A secret that can be guessed. Nothing is stretched: whoever has one token
//     tries secrets offline. [CheckSecret] knows only the worst of them.
//   - The other holders of the secret. They sign in whom they want.
//   - Cross-site requests. SameSite=Lax helps; the checks are package auth's.
package session
