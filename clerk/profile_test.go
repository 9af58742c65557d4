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
	for range 3 {
		require.Equal(t, "Ada Lovelace", ask("user_1").Session.Name, "the last that is known")
		require.Equal(t, "user_2", ask("user_2").Session.Subject, "signed in without a profile")
	}
	require.Equal(t, 3, instance.Hits("/v1/users/user_1"), "an outage is not asked about at each request")
	require.Equal(t, 1, instance.Hits("/v1/users/user_2"))
	instance.SetDown(false)
	at.advance(31 * time.Second)
	ask("user_1")
	require.Equal(t, 4, instance.Hits("/v1/users/user_1"))

	ada, err := user.NewClient(b.SDK()).Get(context.Background(), "user_1")
	require.NoError(t, err)
	require.Equal(t, "Ada", *ada.FirstName)
}

// withProfiles is a backend that asks client about people, and about nothing else.
func withProfiles(t *testing.T, client *http.Client) (*clerktest.Instance, *clerk.Backend, *clock) {
	at := &clock{now: time.Now()}
	instance := clerktest.New(clerktest.Config{Production: true, Now: at.Now})
	b, err := clerk.New(clerk.Config{PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey),
		JWTKey: instance.PEM(), Profiles: true, HTTPClient: client, Now: at.Now})
	require.NoError(t, err)
	return instance, b, at
}

func TestProfileOfAPersonWhoIsGone(t *testing.T) {
	status, body := 200, `{"first_name":"Ada"}`
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})}
	instance, b, at := withProfiles(t, client)
	name := func() string {
		d, err := b.Authenticate(bearer(instance.Token(nil)), origin)
		require.NoError(t, err)
		return d.Session.Name
	}
	require.Equal(t, "Ada", name())
	at.advance(6 * time.Minute)
	status, body = 404, `{"errors":[{"code":"resource_not_found"}]}`
	require.Empty(t, name())
}

func TestNoRequestWaitsLongForAProfile(t *testing.T) {
	release := make(chan struct{})
	instance, b, _ := withProfiles(t, &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		<-release
		return nil, io.ErrUnexpectedEOF
	})})
	defer close(release)
	clerk.SetProfileWait(b, time.Millisecond)
	done := make(chan error, 1)
	go func() {
		d, err := b.Authenticate(bearer(instance.Token(nil)), origin)
		if err == nil && d.Session.Subject != "user_1" {
			err = io.EOF
		}
		done <- err
	}()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(5 * time.Second):
		t.Fatal("it waits for Clerk")
	}
}

// answering is Clerk's API with one answer for everything.
func answering(answer string) *http.Client {
	return &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
	})}
}

func TestProfileThatIsHalfTrue(t *testing.T) {
	api := &scripted{status: 200}
	instance, b, _ := withProfiles(t, &http.Client{Transport: api})
	for answer, want := range map[string]string{
		`{"primary_email_address_id":"b","email_addresses":[{"id":"a","email_address":"old@example.com","verification":{"status":"verified"}},null,{"id":"b","email_address":"new@example.com","verification":{"status":"verified"}}]}`: "new@example.com true ",
		`{"primary_email_address_id":"a","email_addresses":[{"id":"a","email_address":"a@example.com","verification":{"status":"unverified"}}]}`:                                                                                        "a@example.com false ",
		`{"primary_email_address_id":"a","email_addresses":[{"id":"a","email_address":"a@example.com","verification":null}],"image_url":"javascript:alert(1)"}`:                                                                         "a@example.com false ",
		`{"primary_email_address_id":null,"email_addresses":[{"id":"a","email_address":"a@example.com","verification":{"status":"verified"}}],"image_url":"https://img.example.com/a"}`:                                                 " false https://img.example.com/a",
	} {
		api.answer = answer
		d, err := b.Authenticate(bearer(instance.Token(set("sub", fmt.Sprint("user_", len(api.sent))))), origin)
		require.NoError(t, err)
		require.Equal(t, want, fmt.Sprint(d.Session.Email, " ", d.Session.EmailVerified, " ", d.Session.Picture))
	}
}

func TestProfilesAreBounded(t *testing.T) {
	_, b, _ := setup(t, true, func(c *clerk.Config) { c.Profiles, c.HTTPClient = true, answering("{}") })
	for n := range 9000 {
		clerk.Describe(b, fmt.Sprint("user_", n))
	}
	require.LessOrEqual(t, clerk.ProfilesKept(b), 2*4096)
}
