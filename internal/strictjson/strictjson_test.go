package strictjson_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/strictjson"
)

func TestParse(t *testing.T) { // TK-11, TK-12, ID-36
	for _, bad := range []string{"", "null", "[]", "5", `{} {}`, `{}x`, "\ufeff{}", `{"a":1,"a":2}`, `{"x":{"a":1,"a":2}}`, `{"x":[{"a":1,"\u0061":2}]}`, "{\"a\":\"\xff\"}", `{"a":1,}`,
		`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, strings.Repeat("[", 100_000)} {
		_, err := strictjson.Parse([]byte(bad))
		require.ErrorIs(t, err, strictjson.ErrInvalid, "%.40q", bad)
		require.False(t, strictjson.Members(bad, func(string, string) bool { return true }), "%.40q", bad)
	}
	o, err := strictjson.Parse([]byte(`{"sub":"ada","SUB":"eve","n":1.9,"big":1e300,"low":-1e300,"t":true,"null":null,"list":["a","b"],"mixed":["a",1],"holes":["a",null],"o":{"x":"y"}}`))
	require.NoError(t, err)
	s, ok := o.String("sub")
	require.True(t, ok && s == "ada")
	require.False(t, strictjson.Members(`{"a":1}`, func(string, string) bool { return false }))
	_, ok = o.String("ſub")
	require.False(t, ok)
	_, ok = o.String("n")
	require.False(t, ok)
	for name, want := range map[string]int64{"n": 1, "big": math.MaxInt64, "low": math.MinInt64} {
		n, ok := o.Int(name)
		require.True(t, ok)
		require.Equal(t, want, n)
	}
	_, ok = o.Int("sub")
	require.False(t, ok)
	b, ok := o.Bool("t")
	require.True(t, b && ok)
	_, ok = o.Bool("sub")
	require.False(t, ok)
	require.False(t, o.Present("null") || o.Present("absent"))
	list, ok := o.Strings("list")
	require.True(t, ok)
	require.Equal(t, []string{"a", "b"}, list)
	for _, name := range []string{"mixed", "holes", "sub", "null", "absent"} {
		_, ok = o.Strings(name)
		require.False(t, ok, name)
	}
}
