package strictjson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/strictjson"
)

func takeAll(string, string) bool { return true }

func TestRefused(t *testing.T) { // TK-11, TK-12, ID-31, ID-36
	for name, bad := range map[string]string{
		"nothing":                         "",
		"null":                            "null",
		"an array":                        "[]",
		"a number":                        "5",
		"two objects":                     `{} {}`,
		"something behind":                `{}x`,
		"a byte order mark":               "\ufeff{}",
		"a name twice":                    `{"a":1,"a":2}`,
		"a name twice, deeper":            `{"x":{"a":1,"a":2}}`,
		"a name twice, escaped, in array": `{"x":[{"a":1,"\u0061":2}]}`,
		"not UTF-8":                       "{\"a\":\"\xff\"}",
		"a comma too many":                `{"a":1,}`,
		"nested too deep":                 `{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
		"nested without end":              strings.Repeat("[", 100_000),
	} {
		_, err := strictjson.Parse([]byte(bad))
		require.ErrorIs(t, err, strictjson.ErrInvalid, name)
		require.False(t, strictjson.Members(bad, takeAll), name)
	}
	require.NotContains(t, strictjson.ErrInvalid.Error(), "secret")
}

// agrees holds every way to read text against encoding/json, less what breaks the
// rules.
func agrees(t *testing.T, text string) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	valid := utf8.ValidString(text) && json.Valid([]byte(text)) && keepsRules(d, 0)
	object := valid && strings.TrimLeft(text, " \t\r\n")[0] == '{'
	if got := strictjson.Check([]byte(text)) == nil; got != valid {
		require.Equal(t, valid, got, "Check %q", text)
	}
	if got := strictjson.Members(text, takeAll); got != object {
		require.Equal(t, object, got, "Members %q", text)
	}
	if _, err := strictjson.Parse([]byte(text)); (err == nil) != object {
		require.Equal(t, object, err == nil, "Parse %q", text)
	}
}

func TestSyntaxIsThatOfJSON(t *testing.T) {
	const document = ` { "a\"\\\/\b\f\n\r\t\u09aF" : [ 0 , -0,10.25,1E+20,1e-3 ,2E5, true,false , null,"x é",[ ],{ }],"b":{"c":[[1],"\u0041\ud83d\ude00"]} , "d":-7.0e1 } `
	agrees(t, document)
	require.NoError(t, strictjson.Check([]byte(document)))
	for i := range len(document) {
		agrees(t, document[:i])                // the end is missing
		agrees(t, document[i:])                // the beginning is
		agrees(t, document[:i]+document[i+1:]) // one byte is
		agrees(t, document[:i]+document[:i])   // twice the beginning
		for c := range 256 {                   // another byte, in its place and before it
			agrees(t, document[:i]+string([]byte{byte(c)})+document[i+1:])
			agrees(t, document[:i]+string([]byte{byte(c)})+document[i:])
		}
	}
}

func TestEscapes(t *testing.T) { // TK-11
	for escape, ok := range map[string]bool{
		`\u0041`: true, `\uaBcD`: true, `\u09af`: true, `\u09AF`: true, `\ud800`: true,
		`\uZZZZ`: false, `\u004`: false, `\u00g1`: false, `\u00G1`: false, `\u00/1`: false, `\u00:1`: false, "\\u00`1": false, `\u00@1`: false, `\U0041`: false,
		`\x41`: false, `\'`: false, `\a`: false, `\0`: false, `\`: false, `\u`: false, "\\\n": false,
	} {
		for _, text := range []string{`{"` + escape + `":1}`, `{"a":"` + escape + `"}`, `{"a":["x` + escape + `y"]}`} {
			require.Equal(t, ok, strictjson.Members(text, takeAll), text)
			agrees(t, text)
		}
	}
}

func TestEndsInTheMiddle(t *testing.T) {
	for _, text := range []string{`"`, `"\`, `"\u`, `"\u004`, `{`, `{"`, `{"a`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `[`, `[1`, `[1,`, `-`, `1.`, `1e`, `1e+`, `t`, `tru`, `fals`, `nul`, " "} {
		require.Error(t, strictjson.Check([]byte(text)), text)
	}
}

func TestDepth(t *testing.T) {
	for _, nest := range []struct{ open, inner, end string }{{"[", "", "]"}, {`{"a":`, "{}", "}"}} {
		for levels, want := range map[int]bool{1: true, 64: true, 65: true, 66: false, 1000: false} {
			n := levels
			if nest.inner != "" {
				n--
			}
			text := strings.Repeat(nest.open, n) + nest.inner + strings.Repeat(nest.end, n)
			require.Equal(t, want, strictjson.Check([]byte(text)) == nil, "%d levels of %s", levels, nest.open)
			text = `{"o":` + text + `}`
			want = want && levels < 65 // the object is one
			require.Equal(t, want, strictjson.Members(text, takeAll), "%d levels of %s in an object", levels, nest.open)
			_, err := strictjson.Parse([]byte(text))
			require.Equal(t, want, err == nil, "%d levels of %s in an object", levels, nest.open)
		}
	}
}

func TestNoNameTwiceAmongMany(t *testing.T) { // TK-11, ID-31
	for n := 1; n <= 20; n++ {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprintf(`"m%d":%d`, i, i))
		}
		o, err := strictjson.Parse([]byte("{" + strings.Join(members, ",") + "}"))
		require.NoError(t, err, n)
		require.Len(t, o, n)
		for i := range n {
			again := append(members[:n:n], fmt.Sprintf(`"m%d":0`, i))
			_, err := strictjson.Parse([]byte("{" + strings.Join(again, ",") + "}"))
			require.ErrorIs(t, err, strictjson.ErrInvalid, "name %d of %d", i, n)
		}
	}
}

func TestMembersStopsWhenToldTo(t *testing.T) {
	var names []string
	require.False(t, strictjson.Members(`{"a":1,"b":2,"c":3}`, func(name, _ string) bool {
		names = append(names, name)
		return name != "b"
	}))
	require.Equal(t, []string{"a", "b"}, names)
	require.False(t, strictjson.Members(`{"a":1}`, func(string, string) bool { return false }))
}

func TestMember(t *testing.T) {
	const text = ` { "a" : {"b":1} , "\u0063" : "x\"y" , "d" : [ 1 ] , "A" : 2 } `
	require.True(t, strictjson.Members(text, takeAll))
	for name, want := range map[string]string{"a": `{"b":1}`, "c": `"x\"y"`, "d": "[ 1 ]", "A": "2", "b": "", "D": "", "": "", `\u0063`: ""} {
		require.Equal(t, want, strictjson.Member(text, name), name)
	}
}

func TestNamesMatchExactly(t *testing.T) { // TK-11
	o, err := strictjson.Parse([]byte(`{"sub":"ada","SUB":"eve"}`))
	require.NoError(t, err)
	s, ok := o.String("sub")
	require.True(t, ok)
	require.Equal(t, "ada", s)
	for _, name := range []string{"ſub", "Sub", "sub ", ""} {
		_, ok = o.String(name)
		require.False(t, ok, name)
	}
}

func TestMembersKeepTheirBounds(t *testing.T) {
	data := []byte(`{"a":1,"b":2}`)
	o, err := strictjson.Parse(data)
	require.NoError(t, err)
	_ = append(o["a"], "0000"...)
	require.Equal(t, `{"a":1,"b":2}`, string(data), "what is appended to a member does not run into the next")
	require.True(t, bytes.Equal(o["b"], []byte("2")))
}

func TestTypes(t *testing.T) { // ID-35
	const list = `{"null":null,"true":true,"false":false,"text":"x","empty":"","word":"true","zero":0,"one":1,"object":{},"array":[],"texts":["a","\u0062"],"mixed":["a",1],"holes":["a",null],"nested":[["a"]]}`
	o, err := strictjson.Parse([]byte(list))
	require.NoError(t, err)
	names := []string{"absent"}
	for name := range o {
		names = append(names, name)
	}
	for _, name := range names {
		_, isString := o.String(name)
		require.Equal(t, name == "text" || name == "empty" || name == "word", isString, name)
		b, isBool := o.Bool(name)
		require.Equal(t, name == "true" || name == "false", isBool, name)
		require.Equal(t, name == "true", b, name)
		_, isInt := o.Int(name)
		require.Equal(t, name == "zero" || name == "one", isInt, name)
		texts, isStrings := o.Strings(name)
		require.Equal(t, name == "array" || name == "texts", isStrings, name)
		if name == "texts" {
			require.Equal(t, []string{"a", "b"}, texts)
		} else {
			require.Empty(t, texts, name)
		}
		require.Equal(t, name != "absent" && name != "null", o.Present(name), name)
	}
	var none strictjson.Object
	require.False(t, none.Present("a"))
	for _, value := range []string{"", "null", "1", `{"a":1}`, `["a"]`, "true"} {
		_, ok := strictjson.String(value)
		require.False(t, ok, value)
	}
	s, ok := strictjson.String(`"\u00e9\n\ud800"`)
	require.True(t, ok)
	require.Equal(t, "é\n\ufffd", s)
}

func TestNumbersAreCut(t *testing.T) { // ID-35
	for text, want := range map[string]int64{
		"0": 0, "-0": 0, "7": 7, "-7": -7, "9": 9, "1.9": 1, "-1.9": -1, "0.1": 0, "1e3": 1000, "15E-1": 1, "1e300": math.MaxInt64, "-1e300": math.MinInt64, "1e999": math.MaxInt64, "-1e999": math.MinInt64,
		"9223372036854775807": math.MaxInt64, "9223372036854775808": math.MaxInt64, "-9223372036854775808": math.MinInt64, "-9223372036854775809": math.MinInt64, "9.223372036854775807e18": math.MaxInt64,
	} {
		n, ok := strictjson.Int(text)
		require.True(t, ok, text)
		require.Equal(t, want, n, text)
	}
	for _, text := range []string{"", "null", "true", `"1"`, "[1]", "{}", "/", ":"} {
		_, ok := strictjson.Int(text)
		require.False(t, ok, text)
	}
}
