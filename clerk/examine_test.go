package clerk_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

func TestExamine(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		date   time.Duration
		grade  auth.Grade
		want   string
	}{
		"fine":              {200, 0, auth.GradeFine, "takes the secret key"},
		"a wrong key":       {401, 0, auth.GradeFaulty, "refuses the secret key"},
		"down":              {503, 0, auth.GradeDoubtful, "503"},
		"another time":      {200, time.Minute, auth.GradeFaulty, "1m0s apart"},
		"an earlier time":   {200, -time.Minute, auth.GradeFaulty, "1m0s apart"},
		"nobody answers it": {0, 0, auth.GradeFaulty, ""},
	} {
		now := time.Now().Truncate(time.Second)
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", now.Add(test.date).UTC().Format(http.TimeFormat))
			w.WriteHeader(test.status)
		}))
		if test.status == 0 {
			api.Close()
		}
		i := clerktest.New(clerktest.Config{Production: true})
		b, err := clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), APIURL: api.URL, Now: func() time.Time { return now }})
		require.NoError(t, err)
		found := b.Examine(context.Background(), "")
		last := found[len(found)-1]
		require.Equal(t, test.grade, last.Grade, name)
		require.Contains(t, last.Text, test.want, name)
		require.NotContains(t, last.Text+last.Cure, i.SecretKey, name)
		api.Close()
	}
}
