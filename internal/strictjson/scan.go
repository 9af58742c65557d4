package strictjson

import "encoding/json"

// maxDepth bounds how deep values nest: the outermost is at 0. The scanner calls
// itself for each level, and no document that is read here has ten.
const maxDepth = 64

// scanner walks through JSON text that is known to be UTF-8. Its methods return
// false where the text breaks the rules; at then means nothing.
type scanner struct {
	text string
	at   int
}

// take passes over c if it is next.
func (s *scanner) take(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// space passes over white space, which is these four and nothing else: RFC 8259 2.
func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// string returns the string that begins here, decoded. encoding/json decodes the
// escapes, so that both agree on surrogates; the scanner has checked their form.
func (s *scanner) string() (string, bool) {
	start := s.at
	plain, ok := s.skipString()
	if !ok {
		return "", false
	}
	if plain {
		return s.text[start+1 : s.at-1], true
	}
	var decoded string
	err := json.Unmarshal([]byte(s.text[start:s.at]), &decoded)
	return decoded, err == nil
}

// skipString passes over a string, in which control characters have to be escaped:
// RFC 8259 7. plain says that it has no escapes.
func (s *scanner) skipString() (plain, ok bool) {
	if !s.take('"') {
		return false, false
	}
	plain = true
	for s.at < len(s.text) {
		c := s.text[s.at]
		s.at++
		switch {
		case c == '"':
			return plain, true
		case c < 0x20:
			return false, false
		case c == '\\':
			plain = false
			if !s.escape() {
				return false, false
			}
		}
	}
	return false, false
}

// escape passes over what follows a backslash.
func (s *scanner) escape() bool {
	if s.at >= len(s.text) {
		return false
	}
	c := s.text[s.at]
	s.at++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			if s.at >= len(s.text) || !isHex(s.text[s.at]) {
				return false
			}
			s.at++
		}
		return true
	}
	return false
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// value passes over any value, and everything in it. depth is its own.
func (s *scanner) value(depth int) bool {
	if s.at >= len(s.text) || depth > maxDepth {
		return false
	}
	switch c := s.text[s.at]; {
	case c == '"':
		_, ok := s.skipString()
		return ok
	case c == '{':
		return s.object(depth, nil)
	case c == '[':
		return s.array(func() bool { return s.value(depth + 1) })
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	default:
		return s.number()
	}
}

// object walks through an object, and gives member, if there is one, each name and
// where its value is. member returns whether to go on.
func (s *scanner) object(depth int, member func(name string, start, end int) bool) bool {
	if !s.take('{') {
		return false
	}
	var names nameSet
	s.space()
	for first := true; ; first = false {
		if s.take('}') {
			return true
		}
		if !first && !s.take(',') {
			return false
		}
		s.space()
		name, ok := s.string() // not "}": a comma is followed by a member
		if !ok || !names.add(name) {
			return false
		}
		s.space()
		if !s.take(':') {
			return false
		}
		s.space()
		start := s.at
		if !s.value(depth+1) || member != nil && !member(name, start, s.at) {
			return false
		}
		s.space()
	}
}

// array passes over an array, whose "[" is next. element passes over one of its values.
func (s *scanner) array(element func() bool) bool {
	s.at++
	s.space()
	for first := true; ; first = false {
		if s.take(']') {
			return true
		}
		if !first && !s.take(',') {
			return false
		}
		s.space()
		if !element() { // not "]": likewise
			return false
		}
		s.space()
	}
}

// word passes over w. What follows it is looked at by the caller: "truex" is no
// value, since x is neither "," nor an end.
func (s *scanner) word(w string) bool {
	if len(s.text)-s.at < len(w) || s.text[s.at:s.at+len(w)] != w {
		return false
	}
	s.at += len(w)
	return true
}

// number passes over a number: RFC 8259 6. There is no plus in front, and no zero
// but a single one.
func (s *scanner) number() bool {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return false
	}
	if s.take('.') && !s.digits() {
		return false
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		return s.digits()
	}
	return true
}

// digits passes over one digit or more.
func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at > start
}

// nameSet notices a name that stands twice. Most objects have few names, and those
// need no map; with many, a map keeps the time in proportion to the text.
type nameSet struct {
	few  [16]string
	n    int
	many map[string]struct{}
}

// add reports whether name is new.
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
