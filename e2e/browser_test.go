package e2e_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPerson is a person's whole way in Chromium. Screenshots of each page are
// left in out/.
func TestPerson(t *testing.T) {
	output, err := exec.Command("node", "browser/person.mjs", app).CombinedOutput()
	t.Logf("%s", output)
	require.NoError(t, err)
}
