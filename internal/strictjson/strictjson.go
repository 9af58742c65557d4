// Package strictjson decodes JSON objects from strangers: names match exactly,
// none stands twice in any object, nothing follows the value, and the text is
// UTF-8. encoding/json matches names without case, takes the last of duplicates,
// and its Decoder ignores what follows.
package strictjson

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"unicode/utf8"
)

// ErrInvalid is the one error: the text itself may be a secret.
var ErrInvalid = errors.New("not a strict JSON object")

// Members walks through text, which must be one JSON object that keeps the rules,
// and gives member each name, decoded, with its value as it stands. It reports
// whether text is, and member took everything. What member was given before
// something broke the rules does not count.
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

// Member returns the value of name in text, which [Members] took, or "".
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

// Check reports whether data is one JSON value that keeps the rules.
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

// Object is a decoded JSON object with its members as they stood.
type Object map[string]json.RawMessage

// Parse decodes data, which must be one JSON object. The members share memory
// with data.
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

// Present reports whether the member name is there and not null.
func (o Object) Present(name string) bool {
	raw, ok := o[name]
	return ok && string(raw) != "null"
}

// String returns the string member name. ok is false when it is absent, null or
// no string.
func (o Object) String(name string) (s string, ok bool) { return String(string(o[name])) }

// Bool returns the boolean member name.
func (o Object) Bool(name string) (b, ok bool) {
	raw := string(o[name])
	return raw == "true", raw == "true" || raw == "false"
}

// Strings returns the member name, an array of strings.
func (o Object) Strings(name string) (list []string, ok bool) { return Strings(string(o[name])) }

// Int returns the number member name, as [Int] does.
func (o Object) Int(name string) (n int64, ok bool) { return Int(string(o[name])) }

// String decodes a value that is a string.
func String(value string) (s string, ok bool) {
	if value == "" || value[0] != '"' {
		return "", false
	}
	return (&scanner{text: value}).string()
}

// Strings decodes a value that is an array of strings.
func Strings(value string) (list []string, ok bool) {
	var items []*string
	if value == "" || value[0] != '[' || json.Unmarshal([]byte(value), &items) != nil {
		return nil, false
	}
	for _, s := range items {
		if s == nil {
			return nil, false
		}
		list = append(list, *s)
	}
	return list, true
}

// Int decodes a value that is a number, fractions cut, and cut to what an int64
// holds.
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
