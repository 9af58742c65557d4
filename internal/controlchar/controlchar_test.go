package controlchar_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/controlchar"
)

func TestControlCharacters(t *testing.T) {
	for _, plain := range []string{
		"", "alice", "alice smith", "auth0|5f7c", "~", "林晓", "Ünal", "مريم", "\u200eabc\u200f", "a\u200db", "👩‍💻", "\u00a0", "\ue000", "\ufffd",
	} {
		require.False(t, controlchar.In(plain), "%q", plain)
		require.Equal(t, plain, controlchar.Strip(plain))
	}
	for control, stripped := range map[string]string{
		"a\x00b": "ab", "a\tb": "ab", "alice\r\nX-Admin: 1": "aliceX-Admin: 1", "\x1b[31m": "[31m", "a\x1fb": "ab", "a\x7fb": "ab",
		"a\u0080b": "ab", "a\u0085b": "ab", "a\u009fb": "ab", "a\u2028b": "ab", "a\u2029b": "ab",
		"a\u202ab": "ab", "a\u202eb": "ab", "a\u2066b": "ab", "a\u2069b": "ab",
		"a\xffb": "ab", "林\n晓": "林晓", "晓\xe6": "晓", "ü\x7f": "ü", "é\r": "é",
	} {
		require.True(t, controlchar.In(control), "%q", control)
		require.Equal(t, stripped, controlchar.Strip(control))
	}
	for _, neighbour := range []string{"\u00a0", "\u2027", "\u202f", "\u2065", "\u206a", "\u2030"} {
		require.False(t, controlchar.In("a"+neighbour), "%q", neighbour)
	}
}

func FuzzStrip(f *testing.F) {
	for _, seed := range []string{"alice", "a\r\nb", "\u202e\xff", strings.Repeat("é", 40)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		stripped := controlchar.Strip(s)
		if controlchar.In(stripped) || !utf8.ValidString(stripped) {
			t.Errorf("%q stripped is %q", s, stripped)
		}
		if (stripped == s) == controlchar.In(s) {
			t.Errorf("%q: In and Strip differ", s)
		}
	})
}
