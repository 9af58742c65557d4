package clerk_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clerk/clerk-sdk-go/v2/user"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

func TestProfiles(t *testing.T) {
	at := &clock{now: time.Now()}
	instance := clerktest.New(clerktest.Config{Production: true, Now: at.Now, People: []clerktest.Person{
		{ID: "user_1", Name: "Ada Lovelace", Email: "ada@example.com", Picture: "https://img.example.com/ada.png"}}})
	api := httptest.NewServer(instance)
	defer api.Close()
	b, err := clerk.New(clerk.Config{PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey),
		JWTKey: instance.PEM(), APIURL: api.URL, Now: at.Now, Profiles: true})
	require.NoError(t, err)
	ask := func(sub string) *auth.Decision {
		d, err := b.Authenticate(bearer(instance.Token(func(_, claims map[string]any) { claims["sub"] = sub })), origin)
		require.NoError(t, err)
		require.NotNil(t, d.Session)
		return d
	}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			s := ask("user_1").Session
			require.Equal(t, "Ada Lovelace ada@example.com https://img.example.com/ada.png", s.Name+" "+s.Email+" "+s.Picture)
			require.True(t, s.EmailVerified)
		})
	}
	group.Wait()
	require.Equal(t, 1, instance.Hits("/v1/users/user_1"), "shared, and kept")
	at.advance(6 * time.Minute)
	ask("user_1")
	require.Equal(t, 2, instance.Hits("/v1/users/user_1"))
	require.Empty(t, ask("user_gone").Session.Name)
	instance.SetDown(true)
	at.advance(6 * time.Minute)
	require.Equal(t, "user_1", ask("user_1").Session.Subject, "signed in without a profile")
	instance.SetDown(false)

	ada, err := user.NewClient(b.SDK()).Get(context.Background(), "user_1")
	require.NoError(t, err)
	require.Equal(t, "Ada", *ada.FirstName)
}

// answering is Clerk's API with one answer for everything.
func answering(answer string) *http.Client {
	return &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
	})}
}

func TestProfileThatIsHalfTrue(t *testing.T) {
	for answer, want := range map[string]string{
		`{"primary_email_address_id":"b","email_addresses":[{"id":"a","email_address":"old@example.com","verification":{"status":"verified"}},null,{"id":"b","email_address":"new@example.com","verification":{"status":"verified"}}]}`: "new@example.com true ",
		`{"primary_email_address_id":"a","email_addresses":[{"id":"a","email_address":"a@example.com","verification":{"status":"unverified"}}]}`:                                                                                        "a@example.com false ",
		`{"primary_email_address_id":"a","email_addresses":[{"id":"a","email_address":"a@example.com","verification":null}],"image_url":"javascript:alert(1)"}`:                                                                         "a@example.com false ",
		`{"primary_email_address_id":null,"email_addresses":[{"id":"a","email_address":"a@example.com","verification":{"status":"verified"}}],"image_url":"https://img.example.com/a"}`:                                                 " false https://img.example.com/a",
	} {
		instance := clerktest.New(clerktest.Config{Production: true})
		b, err := clerk.New(clerk.Config{PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey),
			JWTKey: instance.PEM(), Profiles: true, HTTPClient: answering(answer)})
		require.NoError(t, err)
		d, err := b.Authenticate(bearer(instance.Token(nil)), origin)
		require.NoError(t, err)
		require.Equal(t, want, fmt.Sprint(d.Session.Email, " ", d.Session.EmailVerified, " ", d.Session.Picture))
	}
}

func TestProfilesAreBounded(t *testing.T) {
	_, b, _ := setup(t, true, func(c *clerk.Config) { c.Profiles, c.HTTPClient = true, answering("{}") })
	for n := range 9000 {
		require.NoError(t, clerk.Describe(b, fmt.Sprint("user_", n)))
	}
	require.LessOrEqual(t, clerk.ProfilesKept(b), 2*4096)
}
