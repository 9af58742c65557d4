package accesscode_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
)

func fromEnv(value string) (auth.CodeVerifier, string, error) {
	var log bytes.Buffer
	v, err := accesscode.FromEnv(func(string) string { return value }, []auth.Secret{auth.NewSecret(testSecret)}, slog.New(slog.NewTextHandler(&log, nil)))
	return v, log.String(), err
}

func TestFromEnv(t *testing.T) { // AC-07, AC-08
	for value, labels := range map[string]map[string]string{
		"alpha-team:0123456789":                           {"alpha-team:0123456789": "access code"},
		" alpha-team:0123456789 ,, beta-team:0123456789,": {"alpha-team:0123456789": "access code 1", "beta-team:0123456789": "access code 2"},
		"alpha-team:0123456789\n":                         {"alpha-team:0123456789": "access code"},
		"0123456789abcdef,0123456789abcdef":               {"0123456789abcdef": "access code"},
	} {
		v, log, err := fromEnv(value)
		require.NoError(t, err, value)
		require.Empty(t, log)
		for code, label := range labels {
			id, err := v.Verify(ctx, alice, code)
			require.NoError(t, err, code)
			require.Equal(t, label, id.Name)
		}
	}
	_, log, err := fromEnv("short-one")
	require.NoError(t, err)
	require.Contains(t, log, "ACCESS_CODE")
	require.Contains(t, log, "openssl rand")
	require.NotContains(t, log, "short-one")
	for _, value := range []string{"", " ", ",", " , ,", "hunter2", "hunter2,hunter3", `"0123456789abcdef"`, `'0123456789abcdef'`} {
		_, _, err := fromEnv(value)
		require.ErrorContains(t, err, "ACCESS_CODE", value)
		require.NotContains(t, err.Error(), "hunter")
		require.NotContains(t, err.Error(), "0123456789abcdef")
	}
}
