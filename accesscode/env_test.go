package accesscode_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/session"
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
	for _, value := range []string{"", " ", ",", " , ,", "hunt2", "hunter2,hunt3", `"0123456789abcdef"`, `'0123456789abcdef'`} {
		_, _, err := fromEnv(value)
		require.ErrorContains(t, err, "ACCESS_CODE", value)
		require.NotContains(t, err.Error(), "hunt")
		require.NotContains(t, err.Error(), "0123456789abcdef")
	}
}

func TestConfigFromEnvTakesAStore(t *testing.T) { // AC-05
	env := func(string) string { return "alpha-team:0123456789,beta-team:0123456789" }
	store := session.NewMemoryStore(0, nil)
	defer store.Close()
	var nodes []*accesscode.Gate
	for range 2 {
		c, err := accesscode.ConfigFromEnv(env, []auth.Secret{auth.NewSecret(testSecret)}, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		c.Store = store
		g, err := accesscode.New(c)
		require.NoError(t, err)
		nodes = append(nodes, g)
	}
	id, err := nodes[0].Verify(ctx, alice, "beta-team:0123456789")
	require.NoError(t, err)
	require.Equal(t, "access code 2", id.Name)
	for i := range 5 {
		require.Zero(t, guess(t, nodes[i%2], alice))
	}
	for _, g := range nodes {
		require.Positive(t, guess(t, g, alice))
	}
}

// TestCodesThatDeploymentsHave: what starts, what is warned of, and what is refused.
func TestCodesThatDeploymentsHave(t *testing.T) { // AC-07
	for value, want := range map[string]string{ // what is said; an error where it begins with a capital
		"hunter":                        "short",
		"hunter2-and-3-xx":              "",
		"芝麻开门吧啊":                        "short",
		"芝麻开门":                          "ACCESS_CODE has code 1, which has fewer than 6 characters",
		"hunt2":                         "ACCESS_CODE has code 1, which has fewer than 6 characters",
		"lobe66":                        "ACCESS_CODE has code 1, which is one that public documentation shows, which strangers try first",
		" LOBE66 ":                      "ACCESS_CODE has code 1, which is one that public documentation shows",
		"lobe67":                        "short",
		"awCTe)re_r74":                  "ACCESS_CODE has code 1, which is one that public",
		"rtrt_ewee3@09!":                "ACCESS_CODE has code 1, which is one that public",
		"hunter9999,lobe66":             "ACCESS_CODE has code 2, which is one that public",
		"code1,code2,code3":             "ACCESS_CODE has code 3, which has fewer than 6 characters",
		strings.Repeat("x", 1024) + "y": "ACCESS_CODE has code 1, which has more than 1024 bytes",
	} {
		_, log, err := fromEnv(value)
		if strings.HasPrefix(want, "ACCESS_CODE") {
			require.ErrorContains(t, err, want)
			require.NotContains(t, err.Error(), "lobe66")
		} else {
			require.NoError(t, err, value)
			require.Equal(t, want != "", strings.Contains(log, "is short"), value)
		}
		// What the environment does not take, New does not take, and the reverse.
		if list := strings.Split(strings.TrimSpace(value), ","); len(list) == 1 {
			_, newErr := accesscode.New(accesscode.Config{Codes: []accesscode.Code{{Text: auth.NewSecret(value)}}, Secrets: []auth.Secret{auth.NewSecret(testSecret)}})
			require.Equal(t, err == nil, newErr == nil, value)
		}
	}
}

// TestSpacesAroundACode: whoever pastes one brings some along.
func TestSpacesAroundACode(t *testing.T) {
	v, _, err := fromEnv("alpha team:0123456789")
	require.NoError(t, err)
	g, err := accesscode.New(accesscode.Config{Codes: []accesscode.Code{{Text: auth.NewSecret("alpha team:0123456789\n")}}, Secrets: []auth.Secret{auth.NewSecret(testSecret)}})
	require.NoError(t, err)
	for typed, right := range map[string]bool{
		"alpha team:0123456789": true, " alpha team:0123456789\r\n": true, "\u3000alpha team:0123456789\t": true,
		"alpha  team:0123456789": false, "alphateam:0123456789": false, " ": false,
	} {
		for _, one := range []auth.CodeVerifier{v, g} {
			_, err := one.Verify(ctx, alice, typed)
			require.Equal(t, right, err == nil, "%q", typed)
		}
	}
	_, err = accesscode.New(accesscode.Config{Codes: []accesscode.Code{{Text: auth.NewSecret("alpha-team ")}, {Text: auth.NewSecret("alpha-team")}}, Secrets: []auth.Secret{auth.NewSecret(testSecret)}})
	require.ErrorContains(t, err, "code 2 is the same as code 1")
}
