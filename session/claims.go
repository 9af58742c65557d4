package session

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// maxDepth bounds how deep claims nest.
const maxDepth = 64

// decode reads a token's payload in one pass. It decodes what has a field and
// checks the rest without decoding it: the text is one JSON object in UTF-8 whose
// member names are spelt exactly and stand once. exp and iat must be there.
func decode(payload []byte) (s *Session, notBefore time.Time, ok bool) {
	if !utf8.Valid(payload) {
		return nil, notBefore, false
	}
	p := scanner{text: string(payload)}
	s = &Session{}
	p.space()
	if !p.take('{') {
		return nil, notBefore, false
	}
	p.space()
	var names nameSet
	for first := true; ; first = false {
		if p.take('}') {
			break
		}
		if !first && !p.take(',') {
			return nil, notBefore, false
		}
		p.space()
		name, ok := p.string() // not "}": a comma is followed by a member
		if !ok || !names.add(name) {
			return nil, notBefore, false
		}
		p.space()
		if !p.take(':') {
			return nil, notBefore, false
		}
		p.space()
		start := p.at
		if !p.value(0) {
			return nil, notBefore, false
		}
		raw := p.text[start:p.at]
		if name == "nbf" {
			notBefore, ok = timeOf(raw)
			if !ok {
				return nil, notBefore, false
			}
		} else if !s.setField(name, raw) {
			s.extra = append(s.extra, extraClaim{name, raw})
		}
		p.space()
	}
	p.space()
	return s, notBefore, p.at == len(p.text) && !s.ExpiresAt.IsZero() && !s.IssuedAt.IsZero()
}

// setField sets the field of the claim name. A claim that has none, or another
// type than its field, is kept as it stands.
func (s *Session) setField(name, raw string) (ok bool) {
	str := func(field *string) bool {
		*field, ok = stringOf(raw)
		return ok
	}
	at := func(field *time.Time) bool {
		*field, ok = timeOf(raw)
		return ok
	}
	switch name {
	case "jti":
		return str(&s.ID)
	case "sub":
		return str(&s.Subject)
	case "name":
		return str(&s.Name)
	case "email":
		return str(&s.Email)
	case "picture":
		return str(&s.Picture)
	case "provider":
		return str(&s.Provider)
	case "provider_issuer":
		return str(&s.Issuer)
	case "preferred_username":
		return str(&s.Username)
	case "email_verified":
		s.EmailVerified = raw == "true"
		return raw == "true" || raw == "false"
	case "groups":
		return json.Unmarshal([]byte(raw), &s.Groups) == nil
	case "auth_time":
		return at(&s.AuthTime)
	case "iat":
		return at(&s.IssuedAt)
	case "exp":
		return at(&s.ExpiresAt)
	}
	return false
}

// nameSet notices a name that stands twice.
type nameSet struct {
	few  [16]string
	n    int
	many map[string]struct{}
}

func (n *nameSet) add(name string) bool {
	if n.many == nil {
		for _, other := range n.few[:n.n] {
			if other == name {
				return false
			}
		}
		if n.n < len(n.few) {
			n.few[n.n] = name
			n.n++
			return true
		}
		n.many = make(map[string]struct{})
		for _, other := range n.few {
			n.many[other] = struct{}{}
		}
	}
	if _, twice := n.many[name]; twice {
		return false
	}
	n.many[name] = struct{}{}
	return true
}

func stringOf(raw string) (string, bool) {
	if raw == "null" {
		return "", true
	}
	if raw[0] != '"' {
		return "", false
	}
	p := scanner{text: raw}
	return p.string()
}

// timeOf reads a NumericDate: RFC 7519 2. What is beyond the year 9999 is cut to
// it.
func timeOf(raw string) (time.Time, bool) {
	if c := raw[0]; c != '-' && (c < '0' || c > '9') {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseInt(raw, 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(raw, 64)
		if err != nil && !math.IsInf(f, 0) {
			return time.Time{}, false
		}
		seconds = int64(max(min(f, maxTime), 0))
	}
	return time.Unix(max(min(seconds, maxTime), 0), 0), true
}

const maxTime = 253402300799

// scanner walks through JSON text that is known to be UTF-8.
type scanner struct {
	text string
	at   int
}

func (p *scanner) take(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *scanner) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// string returns the string that begins here, decoded.
func (p *scanner) string() (string, bool) {
	start := p.at
	plain, ok := p.skipString()
	if !ok {
		return "", false
	}
	if plain {
		return p.text[start+1 : p.at-1], true
	}
	var s string
	err := json.Unmarshal([]byte(p.text[start:p.at]), &s)
	return s, err == nil
}

// skipString passes over a string. plain says that it has no escapes.
func (p *scanner) skipString() (plain, ok bool) {
	if !p.take('"') {
		return false, false
	}
	plain = true
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch {
		case c == '"':
			return plain, true
		case c < 0x20:
			return false, false
		case c == '\\':
			plain = false
			if !p.escape() {
				return false, false
			}
		}
	}
	return false, false
}

func (p *scanner) escape() bool {
	if p.at >= len(p.text) {
		return false
	}
	c := p.text[p.at]
	p.at++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			if p.at >= len(p.text) || !isHex(p.text[p.at]) {
				return false
			}
			p.at++
		}
		return true
	}
	return false
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// value passes over any value.
func (p *scanner) value(depth int) bool {
	if p.at >= len(p.text) || depth > maxDepth {
		return false
	}
	switch c := p.text[p.at]; {
	case c == '"':
		_, ok := p.skipString()
		return ok
	case c == '{':
		return p.members(depth, '}', true)
	case c == '[':
		return p.members(depth, ']', false)
	case c == 't':
		return p.word("true")
	case c == 'f':
		return p.word("false")
	case c == 'n':
		return p.word("null")
	default:
		return p.number()
	}
}

// members passes over an object or an array.
func (p *scanner) members(depth int, end byte, named bool) bool {
	p.at++
	p.space()
	for first := true; ; first = false {
		if p.take(end) {
			return true
		}
		if !first && !p.take(',') {
			return false
		}
		p.space()
		if named {
			if _, ok := p.skipString(); !ok {
				return false
			}
			p.space()
			if !p.take(':') {
				return false
			}
			p.space()
		}
		if !p.value(depth + 1) {
			return false
		}
		p.space()
	}
}

func (p *scanner) word(w string) bool {
	if len(p.text)-p.at < len(w) || p.text[p.at:p.at+len(w)] != w {
		return false
	}
	p.at += len(w)
	return true
}

func (p *scanner) number() bool {
	p.take('-')
	if !p.take('0') && !p.digits() {
		return false
	}
	if p.take('.') && !p.digits() {
		return false
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		return p.digits()
	}
	return true
}

func (p *scanner) digits() bool {
	start := p.at
	for p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at > start
}
