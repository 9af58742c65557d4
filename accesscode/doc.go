// Package accesscode lets in whoever knows a code: a password for the service,
// or several. There are no accounts. Attempts are limited for each client and in
// total.
//
//	codes, err := accesscode.New(accesscode.Config{
//		Secrets: secrets,
//		Codes:   []accesscode.Code{{Text: auth.NewSecret(text), Label: "board"}},
//	})
//	a, err := auth.New(auth.Config{Secrets: secrets, AccessCode: codes})
//
// A [Gate] is an [auth.CodeVerifier]. It reads no request and writes no answer:
// [auth.Authenticator] has the form, the cookie and the status codes, and asks
// the gate. A program that is configured by its environment gives [FromEnv] to
// [auth.Parts] instead.
//
// # Codes
//
// A code has 6 characters at least, and 1024 bytes at most; fewer than 16 characters
// can be guessed, and FromEnv warns of them. `openssl rand -hex 16` makes a good one.
// Codes that public documentation shows, such as LobeChat's, are refused. White space
// around a code is ignored, as it is configured and as it is typed, in the form and in
// a header. What is left is compared byte by byte, without Unicode normalization: a
// code with letters outside ASCII may be typed in another form than it is stored.
//
// What is compared are digests under a key of this process, in constant time, and
// with every code that has not expired. How long an answer takes says neither how
// much of a guess was right nor how long a code is.
//
// Whoever knows a code gets an [auth.Identity] with [Issuer], a subject that
// belongs to the code, the code's label for a name, and its groups; there is no
// e-mail address. The subject is an HMAC of the code under the first of
// Config.Secrets, so that it is the same on every node and after a restart, and
// nobody without the secret can try codes against it.
//
// For each request of such a session [Gate.Valid] is asked whether the subject
// still belongs to a code. A code that is removed, or expires, ends its sessions
// with the next request, and nobody else's. A new secret in front ends none; a
// secret that is removed ends those that were made with it.
//
// # Limits
//
// A right code never counts, against nobody. A wrong one counts before it is
// answered, and who has sent too many is refused before the next is looked at.
//
//	Verify(client, text)
//	   |
//	   v
//	 client closed out? -- yes --> *auth.LimitError: how long from now
//	   | no
//	   v
//	 a strong code      -- right --> *auth.Identity
//	   | wrong
//	   v
//	 site or provider closed out, client not known? -- yes --> *auth.LimitError
//	   | no
//	   v
//	 room at the ceiling -- not within 10 seconds --> *auth.LimitError
//	   | now, or when it is the attempt's turn
//	   v
//	 another code       -- right --> *auth.Identity
//	   | wrong
//	   v
//	 counted at the ceiling, and for each network --> auth.ErrWrongCode
//
// An attempt comes from three networks. Each has a number of wrong codes at once,
// of which one is forgotten after a time:
//
//	             IPv4   IPv6   at once   one forgotten each
//	client       /32    /64          5   10 minutes
//	site         /24    /48         40   minute
//	provider     /16    /32        320   10 seconds
//
// The fifth wrong code of a client and each one after it close the client out, for
// a time that doubles from 15 seconds to 15 minutes: that makes about 150 guesses
// a day. A site or a provider is closed out while it has none left, except for
// clients that are known: a right code came from them in the last 30 days. So are
// browsers that bring a device, which [Gate.VerifyDevice] gave them. A device has
// the wrong codes of one more client, whatever others at its address do.
//
// The ceiling is for wrong codes of all clients together: 100 at once, then 20 a
// second. While there is no room, up to 200 attempts wait. The first is who is
// known, then whose networks have used the least of their wrong codes, and of
// several such who came last. That a client was wrong is remembered for this
// purpose for 12 hours at least, of 262,144 clients. Right codes use up no room, so
// that they leave the queue together.
//
// A strong code is what `openssl rand -hex 16` prints: 32 hexadecimal digits or
// more that look random. Nobody guesses one, however fast, so that it needs
// neither ceiling nor the limits of wider networks. Where all codes are strong,
// nobody is kept out by wrong codes from another client than their own. Any other
// code is one that can be guessed: no length makes words or dates random.
//
// Clients without an address, behind a Unix socket, are one client. So are all
// who come through a proxy that is not among auth.Config.TrustedProxies.
//
// # Several nodes
//
// Each node counts for itself unless Config.Store counts for all of them: with n
// nodes, an attacker has n times the guesses. A store has the wrong codes of clients
// and devices, by the rules above; those of wider networks, who is known, and the
// ceiling stay with each node. Any [session.Replacer] will do, and the one that has the
// sessions as well.
//
// An attempt is counted before the code is looked at, and taken back if it was right. Of
// many right codes that a client sends at once, some may be refused meanwhile. When
// the store fails, the attempt is refused with [auth.ErrStore]: who cannot be counted is
// not let in. An attempt counts whether or not its request goes on.
//
// A client's key is an HMAC under the first of Config.Secrets, and so is what makes the
// data a count: a copy of the store tells no addresses. With a new first secret, counts
// begin anew. What stands under a key and is no count is replaced by five wrong codes.
// A count that a later release wrote is left alone, and its client is refused until it
// is gone. Counts expire with what there is to forget, and 5 minutes later: the clocks of
// the nodes and of the store should differ by less.
//
// A [Limiter] takes the place of the store, and has rules of its own.
//
// Give every node the same Codes and Secrets. A session that one node made is then
// good on all.
//
// # What it does not protect from
//
// A code is shared. Nobody can tell who of those that know it signed in, nor take
// it back from one of them: change it, and tell the others. [auth.Policy] is not
// asked about code sessions; a route that wants a person has to say so.
//
// A code that is not strong can be guessed however attempts are limited: whoever
// has a million networks makes 1.7 million guesses a day against each node. As long
// as such an attacker has networks that have sent nothing wrong yet, people who come
// for the first time are among many, and may be told to come back.
//
// A client that shares its address with an attacker is closed out together with it,
// except for browsers in which somebody knew a code before.
//
// Without a store, counts end with the process.
package accesscode
