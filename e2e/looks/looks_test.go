package looks_test

import (
	"flag"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what is in testdata, and the pictures in docs/images")

func browse(t *testing.T, arguments ...string) string {
	t.Helper()
	out, err := exec.Command("node", arguments...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// TestPagesUnderAxe holds every page to WCAG 2.2 AA, in every language.
func TestPagesUnderAxe(t *testing.T) { // HD-03, HD-05
	t.Log(browse(t, "../browser/looks.mjs", serve(t)))
}

func TestKeyboardAlone(t *testing.T) { // AC-09
	browse(t, "../browser/keyboard.mjs", serve(t))
}

// TestForcedColours: with the few colours that a person's system allows, nothing is invisible.
func TestForcedColours(t *testing.T) {
	t.Log(browse(t, "../browser/forced.mjs", serve(t)))
}

// TestWeight: a page is all that a browser loads, but for the site's own logo.
func TestWeight(t *testing.T) { // HD-03, HD-05
	for _, s := range states(t) {
		for _, l := range languages(t) {
			page := render(t, s, l)
			require.Less(t, len(page), 20_000, "%s in %s", s.name, l.Tag)
			require.NotRegexp(t, `(?i)<script|<link|<iframe|javascript:| on[a-z]+=| style=`, string(page), s.name)
		}
	}
}

// TestBoxes: everything is where it was, to the pixel, and no mark is larger than another.
// With -update it writes where that is.
func TestBoxes(t *testing.T) {
	const file = "testdata/boxes.txt"
	got := browse(t, "../browser/boxes.mjs", serve(t), "signin-one", "signin-three", "signin-eight", "signin-branded", "signin-again", "signin-failed",
		"signin-code-wrong", "code", "code-wrong", "limited", "signout", "signout-there", "sessions-one", "sessions-twelve", "sessions-tokens", "error-AccessDenied", "error-RedirectURI", "error-SignedOut")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got+"\n"), 0o644))
	}
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	was, is := strings.Split(strings.TrimSpace(string(raw)), "\n"), strings.Split(got, "\n")
	page := ""
	for i := range min(len(was), len(is)) {
		if strings.Contains(was[i], ", ") {
			page = was[i]
		}
		require.True(t, sameBox(was[i], is[i]), "%s: %q was %q; if that is as it should be: go test ./looks -run TestBoxes -update", page, is[i], was[i])
	}
	require.Len(t, is, len(was), "%s and on", page)
}

// TestCells: everything is as bright as it was, roughly. It sees a button that lost its fill,
// a mark that is not drawn, and a dark page with a light part; not a thin line. With -update
// it writes how bright that is.
func TestCells(t *testing.T) {
	const file = "testdata/cells.txt"
	got := browse(t, "../browser/cells.mjs", serve(t), "signin-three", "signin-code-wrong", "signout-there", "sessions-tokens", "error-AccessDenied")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got+"\n"), 0o644))
	}
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	was, is := strings.Split(strings.TrimSpace(string(raw)), "\n"), strings.Split(got, "\n")
	require.Equal(t, len(was), len(is), "lines; if that is as it should be: go test ./looks -run TestCells -update")
	picture, top := "", 0
	for i := range is {
		if strings.Contains(was[i], ", ") {
			picture, top = was[i], i+1
			require.Equal(t, picture, is[i])
			continue
		}
		require.Len(t, is[i], len(was[i]), picture)
		for x := range is[i] {
			by := math.Abs(float64(is[i][x]) - float64(was[i][x]))
			require.LessOrEqual(t, by, tolerance, "%s, at %d, %d; if that is as it should be: go test ./looks -run TestCells -update", picture, 20*x, 20*(i-top))
		}
	}
}

// tolerance is how far a square may be from what it was, of 64 degrees: as much as an edge that
// is a pixel further makes of it, or letters that a browser smooths otherwise.
const tolerance = 3.0

// sameBox reports whether two lines say the same. Browsers round otherwise by a pixel.
func sameBox(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		m, notNumber := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if notNumber != nil && x[i] != y[i] || math.Abs(float64(m-n)) > 1 {
			return false
		}
	}
	return true
}
