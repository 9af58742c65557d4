package session_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

func TestASecretIsPrintedAsRedacted(t *testing.T) { // LG-01
	type config struct {
		Secret session.Secret
		List   []session.Secret
	}
	for _, s := range []session.Secret{session.NewSecret("tell-nobody"), {}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t", "%10.3s"} {
			require.Equal(t, "[redacted]", fmt.Sprintf(verb, s), verb)
		}
		require.NotContains(t, fmt.Sprintf("%p %T", s, s), "tell", "fmt asks no method for these")
		require.Equal(t, "[redacted]", s.String())
		require.Equal(t, "[redacted]", s.GoString())
		require.Equal(t, "[redacted]", s.LogValue().String())
		text, err := s.MarshalText()
		require.NoError(t, err)
		require.Equal(t, "[redacted]", string(text))
		raw, err := json.Marshal(config{s, []session.Secret{s}})
		require.NoError(t, err)
		require.Equal(t, `{"Secret":"[redacted]","List":["[redacted]"]}`, string(raw))
		raw, err = json.Marshal(map[session.Secret]int{s: 1})
		require.NoError(t, err)
		require.Equal(t, `{"[redacted]":1}`, string(raw))
		raw, err = xml.Marshal(config{Secret: s})
		require.NoError(t, err)
		require.Equal(t, "<config><Secret>[redacted]</Secret></config>", string(raw))
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "config", config{Secret: s})
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "config", config{Secret: s})
		require.NotContains(t, log.String(), "tell")
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", config{s, []session.Secret{s}}, &config{Secret: s}, &s), "tell")
	}
}

func TestASecretIsItsText(t *testing.T) {
	require.True(t, session.Secret{}.IsZero())
	require.True(t, session.NewSecret("").IsZero())
	require.False(t, session.NewSecret(" ").IsZero())
	require.Empty(t, session.Secret{}.Reveal())
	require.Equal(t, " a\n", session.NewSecret(" a\n").Reveal())
}
