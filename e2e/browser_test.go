package e2e_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPerson is a person's whole way in Chromium. Screenshots of each page are
// left in out/.
func TestPerson(t *testing.T) {
	browse(t, "browser/person.mjs", app)
}

// TestAccessCode is the way in by access code, wrong and right.
func TestAccessCode(t *testing.T) { // AC-01, AC-09
	browse(t, "browser/code.mjs", "http://"+codeAddress, accessCode)
}

// TestClerkInTheBrowser is examples/clerk with its stand-in for Clerk.
func TestClerkInTheBrowser(t *testing.T) {
	browse(t, "browser/clerk.mjs", "http://localhost:"+clerkPort)
}

// TestClerkTokenEnds is a person whose session tokens end while they look.
func TestClerkTokenEnds(t *testing.T) {
	browse(t, "browser/clerk-expiry.mjs", "http://"+briefAddress, briefLife.String())
}

func browse(t *testing.T, arguments ...string) {
	output, err := exec.Command("node", arguments...).CombinedOutput()
	t.Logf("%s", output)
	require.NoError(t, err)
}
