// Package strictjson decodes JSON objects from strangers: names match exactly,
// none stands twice in any object, nothing follows the value, and the text is
// UTF-8. encoding/json matches names without case, takes the last of duplicates,
// and its Decoder ignores what follows.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"unicode/utf8"
)

// ErrInvalid is the one error: the text itself may be a secret.
var ErrInvalid = errors.New("not a strict JSON object")

const maxDepth = 64

// Object is a decoded JSON object with its members as they stood.
type Object map[string]json.RawMessage

// Parse decodes data, which must be one JSON object.
func Parse(data []byte) (Object, error) {
	if err := Check(data); err != nil {
		return nil, err
	}
	var o Object
	if err := json.Unmarshal(data, &o); err != nil || o == nil {
		return nil, ErrInvalid
	}
	return o, nil
}

// Check reports whether data is one JSON value that keeps the rules.
func Check(data []byte) error {
	if !utf8.Valid(data) {
		return ErrInvalid
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := check(d, 0); err != nil {
		return ErrInvalid
	}
	if _, err := d.Token(); err != io.EOF {
		return ErrInvalid
	}
	return nil
}

func check(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil || depth > maxDepth {
		return ErrInvalid
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if s := name.(string); seen[s] {
				return ErrInvalid
			} else {
				seen[s] = true
			}
		}
		if err := check(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// Present reports whether the member name is there and not null.
func (o Object) Present(name string) bool {
	raw, ok := o[name]
	return ok && string(raw) != "null"
}

// String returns the string member name. ok is false when it is absent, null or
// no string.
func (o Object) String(name string) (s string, ok bool) {
	return s, o.decode(name, &s)
}

// Bool returns the boolean member name.
func (o Object) Bool(name string) (b, ok bool) {
	return b, o.decode(name, &b)
}

// Strings returns the member name, an array of strings.
func (o Object) Strings(name string) (list []string, ok bool) {
	var items []*string
	if !o.decode(name, &items) {
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

// Object returns the member name, an object.
func (o Object) Object(name string) (inner Object, ok bool) {
	return inner, o.decode(name, &inner)
}

// Int returns the number member name, fractions cut, and cut to what an int64
// holds.
func (o Object) Int(name string) (n int64, ok bool) {
	raw := string(o[name])
	if raw == "" || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false
	}
	if n, err := strconv.ParseInt(raw, 10, 64); err == nil {
		return n, true
	}
	f, _ := strconv.ParseFloat(raw, 64) // out of range gives an infinity
	switch {
	case f >= math.MaxInt64:
		return math.MaxInt64, true
	case f <= math.MinInt64:
		return math.MinInt64, true
	}
	return int64(f), true
}

func (o Object) decode(name string, v any) bool {
	return o.Present(name) && json.Unmarshal(o[name], v) == nil
}
