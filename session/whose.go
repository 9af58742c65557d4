package session

import (
	"cmp"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
)

// Whose says which sessions are meant: [OfUser], [OfSubject] or [OfProviderSession], and
// of those perhaps one or all but one. The zero value means none.
type Whose struct {
	owner owner
	which which
	id    string

	subject string // if set, whose those of a provider's session are
	logout  int64  // if set, until when an ID token was issued with which nobody signs in any more
}

type which int

const (
	all which = iota
	only
	except
)

// OfUser means the sessions of the user whom the application calls id: those for which
// [Config].UserID is id.
func OfUser(id string) Whose { return Whose{owner: owner{ofUser, id, ""}} }

// OfSubject means the sessions of whom issuer calls subject, whatever the application has
// made of that: what a logout token says as "iss" and "sub" (OpenID Connect Back-Channel
// Logout 2.4).
func OfSubject(issuer, subject string) Whose { return Whose{owner: owner{ofSubject, issuer, subject}} }

// OfProviderSession means the sessions that began with the session id at issuer: what a
// logout token says as "iss" and "sid".
func OfProviderSession(issuer, id string) Whose {
	return Whose{owner: owner{ofProviderSession, issuer, id}}
}

// Only is the session of w with the [Session].ID id, and no other.
func (w Whose) Only(id string) Whose {
	w.which, w.id = only, id
	return w
}

// Except is w but for the session with the [Session].ID id: signing out everywhere else.
func (w Whose) Except(id string) Whose {
	w.which, w.id = except, id
	return w
}

// owner is one thing that sessions may have in common.
type owner struct{ kind, a, b string }

const (
	ofUser            = "user"
	ofSubject         = "subject"
	ofProviderSession = "provider session"
	ofSession         = "session" // one, by its id: for revocations
)

// owners are all that s may be found by.
func (m *Manager) owners(s *Session) (list []owner) {
	if id := m.config.UserID(s); id != "" {
		list = append(list, owner{ofUser, id, ""})
	}
	if s.Issuer != "" {
		list = append(list, owner{ofSubject, s.Issuer, s.providerSubject()})
		if s.ProviderSession != "" {
			list = append(list, owner{ofProviderSession, s.Issuer, s.ProviderSession})
		}
	}
	return list
}

// providerSubject is whom the provider knows s as.
func (s *Session) providerSubject() string { return cmp.Or(s.ProviderSubject, s.Subject) }

// means reports whether s is one of those that w means.
func (m *Manager) means(w Whose, s *Session) bool {
	return slices.Contains(m.owners(s), w.owner) && (w.which == all || (w.which == only) == (w.id == s.ID)) &&
		(w.subject == "" || w.subject == s.providerSubject())
}

// names makes the names under which a store knows owners. A name tells nobody whose it
// is: without the secret nobody can try ids against it. The first secret's is the one
// that is written, all are looked for, so that a new secret loses nothing.
type names struct{ keys [][]byte }

func newNames(secrets []Secret) names {
	var n names
	for _, s := range secrets {
		// The error is about the length alone, which is a constant.
		key, _ := hkdf.Key(sha256.New, []byte(s.Reveal()), nil, "sallyport session owners", sha256.Size)
		n.keys = append(n.keys, key)
	}
	return n
}

// of are the names of o, the one to write first.
func (n names) of(o owner) (list []string) {
	for _, key := range n.keys {
		mac := hmac.New(sha256.New, key)
		for _, part := range [...]string{o.kind, o.a, o.b} {
			// With its length, so that no two owners are one text.
			mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
			mac.Write([]byte(part))
		}
		list = append(list, hex.EncodeToString(mac.Sum(nil)))
	}
	return list
}
