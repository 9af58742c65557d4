package session

import (
	"net/http"
	"strings"
	"time"
)

// Which of the tokens that a request brings counts, and which of them end, where
// there is no store. The first row that has any counts:
//
//	brought by                       of several         renewed      ended
//	the session cookie, else chunks  the last issued    yes          all
//	v4's, else its chunks            the last issued    UpgradeV4    all
//	Authorization: Bearer            none of two lines  never        yes
//
// A program's token is a bearer token, too: see Issue.
//
// A renewal writes the session cookie with the time that it is, so that what it
// writes is what is loaded next.

// bearer is the token of an Authorization header: RFC 6750 2.1. The scheme's name
// is without case (RFC 9110 11.1). With two headers, which of them counts would
// depend on who reads them: none does.
func bearer(h http.Header) (token string, ok bool) {
	lines := h["Authorization"]
	if len(lines) != 1 || len(lines[0]) < len("Bearer ") || !strings.EqualFold(lines[0][:len("Bearer ")], "Bearer ") {
		return "", false
	}
	return lines[0][len("Bearer "):], true
}

// borne is the session of r's bearer token, or nil.
func (m *Manager) borne(r *http.Request, codec *Codec) *Session {
	left := maxTried
	if token := m.issuedIn(r.Header); token != "" {
		return m.open(pieces{strings.TrimPrefix(token, issuedPrefix)}, m.issued, &left)
	}
	token, ok := bearer(r.Header)
	if !ok || strings.Count(token, ".") != 4 { // a JWE has five parts; others' tokens are not worth a digest
		return nil
	}
	return m.open(pieces{token}, codec, &left)
}

// newest is the session of the token in f that was issued last, of those that
// hold: a cookie that somebody else planted beside it must not sign anybody out.
// Chunks count when no cookie without a suffix does.
func (m *Manager) newest(f *found, codec *Codec) (best *Session) {
	left := maxTried
	for i := range f.nPlain {
		best = newer(best, m.open(pieces{f.value(i)}, codec, &left))
	}
	if best == nil {
		for _, token := range f.joined() {
			best = newer(best, m.open(token, codec, &left))
		}
	}
	return best
}

// opened are the sessions of all tokens that r brings and that open: those among which one would be
// chosen at the next request, or when their time has come.
func (m *Manager) opened(r *http.Request, secure bool) (list []*Session) {
	add := func(s *Session) {
		if s != nil {
			list = append(list, s)
		}
	}
	all := func(name string, codec *Codec) {
		var f found
		find(r.Header, name, &f)
		left := maxTried
		for i := range f.nPlain {
			add(m.verify(pieces{f.value(i)}, codec, &left))
		}
		for _, token := range f.joined() {
			add(m.verify(token, codec, &left))
		}
	}
	all(m.cookieName(secure), m.codec(secure))
	all(v4Name(secure), m.v4)
	add(m.borne(r, m.codec(secure)))
	return list
}

// endBrought ends all sessions that r brings: here, and if there are Revocations, on all
// nodes. What has expired needs none.
func (m *Manager) endBrought(r *http.Request, secure bool) error {
	ctx, done := m.limited(r.Context())
	defer done()
	for _, s := range m.opened(r, secure) {
		if m.config.Revocations != nil && s.ID != "" && m.current(s, m.now()) {
			if err := m.revokeOne(ctx, s.ID, m.endsBy(s)); err != nil {
				return err
			}
		}
		m.endOne(s)
	}
	return nil
}

// endOne ends s in this process.
func (m *Manager) endOne(s *Session) { m.ended.add(s.ID, s, m.last(s), m.now()) }

// newer is the one of a and b, either of which may be nil, that was issued later; a
// if they were issued in the same second.
func newer(a, b *Session) *Session {
	if a == nil || b != nil && b.IssuedAt.After(a.IssuedAt) {
		return b
	}
	return a
}

// open is the session of token if it holds, which is everybody's, or nil. What
// depends on the time, or on a sign-out, is looked at each time.
func (m *Manager) open(token pieces, codec *Codec, left *int) *Session {
	if s := m.verify(token, codec, left); s != nil && m.current(s, m.now()) {
		return s
	}
	return nil
}

// verify opens token, or knows that it did before; left is how many bytes may
// still be verified. The session may have expired, or ended.
func (m *Manager) verify(token pieces, codec *Codec, left *int) *Session {
	if s := m.verified.get(token, codec); s != nil {
		return s
	}
	length := token.length()
	if length > maxToken {
		return nil
	}
	if *left -= length; *left < 0 {
		return nil
	}
	text := token.joined()
	payload, err := codec.Open(text)
	if err != nil {
		return nil
	}
	s, notBefore, ok := decode(payload)
	if !ok || (s.TokenLabel != "") != (codec == m.issued) || notBefore.After(m.now().Add(tolerance)) {
		return nil
	}
	m.bound(s)
	m.verified.put(text, codec, s, payload)
	return s
}

// chosen is the session that r brings and that holds, as [Manager.Load] returns it, or
// nil.
func (m *Manager) chosen(r *http.Request, secure bool) *Session {
	if r.Header["Cookie"] != nil {
		if s := m.inCookies(r.Header, secure); s != nil {
			return s
		}
	}
	if s := m.borne(r, m.codec(secure)); s != nil {
		s = copyOf(s)
		s.readOnly, s.bearer = true, true
		return s
	}
	return nil
}

// inCookies is chosen of the cookies in h.
func (m *Manager) inCookies(h http.Header, secure bool) *Session {
	var f found
	find(h, m.cookieName(secure), &f)
	if s := m.newest(&f, m.codec(secure)); s != nil {
		return copyOf(s)
	}
	var old found
	if find(h, v4Name(secure), &old); old.any {
		if s := m.newest(&old, m.v4); s != nil {
			s = copyOf(s)
			s.v4, s.readOnly = true, !m.config.UpgradeV4
			return s
		}
	}
	return nil
}

// codec is that of the session cookie's name, under which bearer tokens are
// sealed too.
func (m *Manager) codec(secure bool) *Codec {
	if secure {
		return m.secure
	}
	return m.plain
}

// current reports whether s holds at now: RFC 7519 4.1.4 and 4.1.6, with leeway.
// Lifetime has none: it is our own.
func (m *Manager) current(s *Session, now time.Time) bool {
	return now.Before(s.ExpiresAt.Add(tolerance)) &&
		!s.IssuedAt.After(now.Add(tolerance)) &&
		(s.AuthTime.IsZero() || now.Before(s.AuthTime.Add(m.config.Lifetime))) &&
		!m.ended.has(s.ID)
}
