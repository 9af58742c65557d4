// Package strictjson decodes JSON objects from strangers: names match exactly,
// none stands twice in any object, nothing follows the value, and the text is
// UTF-8. The grammar is that of RFC 8259.
//
// Two parsers that read one text in two ways are how a check is got around: one
// of them checks what the other does not use. RFC 8259 4 leaves names that stand
// twice to each parser; RFC 7515 4 and RFC 7519 4 want them refused, or the last
// one taken.
//
//	text                     encoding/json                 here
//	{"iss":"a","iss":"b"}    the last one                  refused, at any depth
//	{"iss":1,"\u0069ss":2}   the last one                  refused: the names are equal
//	{"ISS":"a"}              is taken for a field iss      another member
//	{"iſs":"a"}              likewise: ſ folds to s        another member
//	{} {}                    Decoder ignores the second    refused
//	bytes that aren't UTF-8  become U+FFFD                 refused (RFC 8259 8.1)
//	a byte order mark        refused                       refused
//	66 levels and more       taken, up to 10,000           refused
//	"\ud800", half a pair    becomes U+FFFD                likewise
//
// What is refused is refused as a whole: there is no error that tells where, and
// no half of a document.
//
// There are two ways to read. [Parse] makes a map of an object's members, for
// documents that are looked into here and there. [Members] and [Member] walk
// through the text without a map, for what is read with each request. Both leave
// values as they stand, and [String], [Strings] and [Int] decode them: those trust
// that the value is well-formed, and say only whether it has the type.
//
// How long a text may be is the caller's to bound, before it is read. Nothing in
// the package keeps state; everything may be called concurrently.
package strictjson

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"unicode/utf8"
)

// ErrInvalid is the one error. It says nothing about the text, which may be a
// secret, or an attacker's to write into a log.
var ErrInvalid = errors.New("not a strict JSON object")

// Members walks through text, which must be one JSON object that keeps the rules,
// and gives member each name, decoded, with its value as it stands. It reports
// whether text is, and member took everything: when member returns false, it is
// given no more, and Members returns false. What member was given before something
// broke the rules does not count, so nothing may be done about it until Members
// has returned true. The values share memory with text.
func Members(text string, member func(name, value string) bool) bool {
	if !utf8.ValidString(text) {
		return false
	}
	s := scanner{text: text}
	s.space()
	if !s.object(0, func(name string, start, end int) bool { return member(name, text[start:end]) }) {
		return false
	}
	s.space()
	return s.at == len(text)
}

// Member returns the value of name in text, as it stands, or "" if there is none;
// no value is empty. text must be one that [Members] took: Member stops at the name
// and does not look at what follows.
func Member(text, name string) (value string) {
	s := scanner{text: text}
	s.space()
	s.object(0, func(other string, start, end int) bool {
		if other == name {
			value = text[start:end]
		}
		return other != name
	})
	return value
}

// Check returns [ErrInvalid] unless data is one JSON value that keeps the rules,
// an object or any other. After it, encoding/json may decode data into a type whose
// fields do not differ by case alone; it still matches names without case.
func Check(data []byte) error {
	s := scanner{text: string(data)}
	s.space()
	if !utf8.Valid(data) || !s.value(0) {
		return ErrInvalid
	}
	if s.space(); s.at != len(data) {
		return ErrInvalid
	}
	return nil
}

// Object is a decoded JSON object with its members as they stood, under their
// decoded names. A nested object is a value that [Parse] takes in turn. An Object
// may be read concurrently. A nil one has no members.
type Object map[string]json.RawMessage

// Parse decodes data, which must be one JSON object; the error is [ErrInvalid]. The
// members share memory with data, which must not change as long as they are used.
func Parse(data []byte) (Object, error) {
	s := scanner{text: string(data)}
	o := Object{}
	s.space()
	if !utf8.Valid(data) || !s.object(0, func(name string, start, end int) bool { o[name] = data[start:end:end]; return true }) {
		return nil, ErrInvalid
	}
	if s.space(); s.at != len(data) {
		return nil, ErrInvalid
	}
	return o, nil
}

// Present reports whether the member name is there and not null. false, 0 and ""
// are there.
func (o Object) Present(name string) bool {
	raw, ok := o[name]
	return ok && string(raw) != "null"
}

// String returns the string member name. ok is false when it is absent, null or
// no string. An empty string is one.
func (o Object) String(name string) (s string, ok bool) { return String(string(o[name])) }

// Bool returns the boolean member name. ok is false when it is absent or anything
// else: "true" in quotes and 1 are no booleans.
func (o Object) Bool(name string) (b, ok bool) {
	raw := string(o[name])
	return raw == "true", raw == "true" || raw == "false"
}

// Strings returns the member name, an array of strings, as [Strings] does.
func (o Object) Strings(name string) (list []string, ok bool) { return Strings(string(o[name])) }

// Int returns the number member name, as [Int] does.
func (o Object) Int(name string) (n int64, ok bool) { return Int(string(o[name])) }

// String decodes a value that is a string. ok is false for any other.
func String(value string) (s string, ok bool) {
	if value == "" || value[0] != '"' {
		return "", false
	}
	return (&scanner{text: value}).string()
}

// Strings decodes a value that is an array of strings. ok is false for any other,
// one string alone too, and when an element is not a string; null is none. The list
// of an empty array is nil.
func Strings(value string) (list []string, ok bool) {
	if value == "" || value[0] != '[' {
		return nil, false
	}
	n, s := 0, scanner{text: value}
	if !s.array(func() bool { n++; _, ok := s.skipString(); return ok }) {
		return nil, false
	}
	if n == 0 {
		return nil, true
	}
	list, s.at = make([]string, 0, n), 0
	ok = s.array(func() bool {
		text, ok := s.string()
		list = append(list, text)
		return ok
	})
	return list, ok
}

// Int decodes a value that is a number, fractions cut, and cut to what an int64
// holds: 1.9 is 1, -1.9 is -1, 1e300 is [math.MaxInt64]. ok is false for any other
// value. Numbers of 2^53 and more that have a fraction or an exponent are as exact
// as a float64 is (RFC 8259 6).
func Int(value string) (n int64, ok bool) {
	if value == "" || value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return 0, false
	}
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		return n, true
	}
	f, _ := strconv.ParseFloat(value, 64) // out of range gives an infinity
	switch {
	case f >= math.MaxInt64:
		return math.MaxInt64, true
	case f <= math.MinInt64:
		return math.MinInt64, true
	}
	return int64(f), true
}
