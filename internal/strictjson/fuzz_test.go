package strictjson_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/strictjson"
)

// FuzzParse: what is taken is what encoding/json takes, less what breaks the
// rules, and the members are the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,{"b":null}],"c":"\u0064"}`, `{"a":1,"\u0061":2}`, `{"x":{"a":1,"a":2}}`, ` { "n" : -0.5e+10 , "t":true,"f":false } `,
		`{"a":01}`, `{"a":.5}`, `{"a":1.}`, `{"a":-}`, `{"a":1e}`, `{"a":"\x"}`, "{\"a\":\"\n\"}", `{"a":"\ud800"}`, `{"a":[1,]}`, `{"a":1,}`, `{,}`, `[]`, `{"":""}`, "{\"a\":\"\xff\"}",
		`{"a":"\uZZZZ"}`, `{"\u00g0":1}`, `{"a":"\`, `{"a" 1}`, `{"a":1E5}`, `{"a":1 "b":2}`, `{"a":truex}`,
		`{"a":[],"b":[ ],"c":["x", "\u0079" ],"d":["x",null],"e":[["x"]]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := strictjson.Parse(data)
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		valid := utf8.Valid(data) && json.Valid(data) && keepsRules(d, 0)
		require.Equal(t, valid, strictjson.Check(data) == nil)
		var want map[string]json.RawMessage
		require.Equal(t, valid && json.Unmarshal(data, &want) == nil && want != nil, err == nil)
		if err != nil {
			return
		}
		require.Equal(t, want, map[string]json.RawMessage(o))
		n := 0
		require.True(t, strictjson.Members(string(data), func(name, value string) bool {
			n++
			require.Equal(t, string(o[name]), value)
			require.Equal(t, value, strictjson.Member(string(data), name))
			var text *string
			got, ok := strictjson.String(value)
			require.Equal(t, json.Unmarshal([]byte(value), &text) == nil && text != nil, ok)
			require.True(t, !ok || *text == got)
			var texts []*string
			list, ok := strictjson.Strings(value)
			require.Equal(t, json.Unmarshal([]byte(value), &texts) == nil && texts != nil && !slices.Contains(texts, nil), ok)
			require.True(t, ok || list == nil)
			for i, text := range list {
				require.Equal(t, *texts[i], text)
			}
			require.True(t, !ok || len(list) == len(texts))
			return true
		}))
		require.Equal(t, len(o), n)
	})
}

// keepsRules is the slow way, by encoding/json's tokens.
func keepsRules(d *json.Decoder, depth int) bool {
	t, err := d.Token()
	open, nested := t.(json.Delim)
	if err != nil || depth > 64 || !nested {
		return err == nil && depth <= 64
	}
	seen := map[string]bool{}
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil || seen[name.(string)] {
				return false
			}
			seen[name.(string)] = true
		}
		if !keepsRules(d, depth+1) {
			return false
		}
	}
	_, err = d.Token()
	return err == nil
}
