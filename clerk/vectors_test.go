package clerk_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/clerkvectors"
)

// TestVectors asks what @clerk/backend 3.25.0 was asked. Where the answers differ,
// ours is kept too, with the reason: always on the stricter side. In e2e/,
// go test -run TestClerk -update asks it again.
func TestVectors(t *testing.T) { // CL-01, CL-03
	var kept clerkvectors.Decisions
	require.NoError(t, clerkvectors.Read("testdata/decisions.json.gz", &kept))
	require.GreaterOrEqual(t, len(kept.Cases), 400)
	var apis []string
	for _, i := range kept.Instances {
		server := httptest.NewServer(i)
		defer server.Close()
		apis = append(apis, server.URL)
	}
	for n, c := range kept.Cases {
		ours, err := c.Decide(kept.Instances[c.Instance], apis[c.Instance], time.Unix(kept.Now, 0))
		require.NoError(t, err)
		if c.Difference == "" {
			c.Ours = &ours // to be shown
			require.True(t, ours.Same(c.Theirs), "case %d: %s", n, c)
			continue
		}
		require.Equal(t, *c.Ours, ours, "case %d: %s: %s", n, c.Difference, c)
		require.False(t, ours.Same(c.Theirs), "case %d: no difference any more", n)
	}
}

// TestQuestions asks what has() and verifyWebhook() were asked.
func TestQuestions(t *testing.T) { // GHSA-w24r-5266-9c3c, CVE-2025-53548
	var kept clerkvectors.Questions
	require.NoError(t, clerkvectors.Read("testdata/questions.json.gz", &kept))
	yes, accepted := kept.Check(t)
	require.Greater(t, yes, 200, "not everything is denied")
	require.Greater(t, accepted, 20)
	require.GreaterOrEqual(t, len(kept.Webhooks), 50)
}
