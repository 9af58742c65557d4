package codegrant_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// deviceServer answers without a network, so that time can stand still.
type deviceServer struct {
	answers []string // to one question each; the last one to all that follow. "" is a broken connection
	form    []url.Values
	at      []time.Time
}

func (s *deviceServer) RoundTrip(r *http.Request) (*http.Response, error) {
	_ = r.ParseForm()
	s.form, s.at = append(s.form, r.PostForm), append(s.at, time.Now())
	answer := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	if answer == "" {
		return nil, errors.New("connection reset")
	}
	status, body := 400, `{"error":"`+answer+`"}`
	switch {
	case strings.HasPrefix(answer, "{"):
		status, body = 200, answer
	case answer == "502":
		status, body = 502, "<html>"
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (s *deviceServer) client() *upstream.Client { return upstream.New(&http.Client{Transport: s}) }

func device() codegrant.Device {
	return codegrant.Device{
		Endpoint: "https://x.example/device", Check: upstream.CheckURL,
		Token: codegrant.TokenRequest{
			Provider: "idp", Endpoint: "https://x.example/token", Method: codegrant.ClientSecretPost,
			Client: codegrant.Client{ID: "app", Secret: auth.NewSecret("s3cret"), Now: time.Now},
		},
	}
}

// TestAwaitDevice: how long it is between two questions, and what ends them.
func TestAwaitDevice(t *testing.T) { // RFC 8628 3.5
	const pending, token = "authorization_pending", `{"access_token":"at","token_type":"bearer"}`
	for name, test := range map[string]struct {
		life, interval time.Duration
		answers        []string
		pauses         []int // seconds before each question
		want           error
	}{
		"at once":              {600, 5, []string{token}, []int{5}, nil},
		"later":                {600, 5, []string{pending, pending, token}, []int{5, 5, 5}, nil},
		"as slow as asked for": {600, 7, []string{pending, token}, []int{7, 7}, nil},
		"no interval":          {600, 0, []string{pending, token}, []int{1, 1}, nil},
		"slower, and it stays": {600, 5, []string{"slow_down", pending, "slow_down", pending, token}, []int{5, 10, 10, 15, 15}, nil},
		"an outage":            {600, 5, []string{"", "502", "server_error", "", "", pending, token}, []int{5, 10, 20, 40, 60, 60, 5}, nil},
		"an outage, slower than the longest pause": {600, 90, []string{"", token}, []int{90, 90}, nil},
		"an outage until the end":                  {60, 5, []string{""}, []int{5, 10, 20}, auth.ErrExpired},
		"nobody decides":                           {17, 5, []string{pending}, []int{5, 5, 5}, auth.ErrExpired},
		"expired here":                             {0, 5, []string{token}, nil, auth.ErrExpired},
		"expired there":                            {600, 5, []string{pending, "expired_token"}, []int{5, 5}, auth.ErrExpired},
		"declined":                                 {600, 5, []string{pending, "access_denied"}, []int{5, 5}, auth.ErrDeclined},
		"declined, at Microsoft":                   {600, 5, []string{"authorization_declined"}, []int{5}, auth.ErrDeclined},
		"a wrong client":                           {600, 5, []string{"invalid_client"}, []int{5}, auth.ErrMisconfigured},
		"a code that is used up":                   {600, 5, []string{"invalid_grant"}, []int{5}, auth.ErrExpired},
		"an answer that is none":                   {600, 5, []string{`{"token_type":"bearer"}`}, []int{5}, auth.ErrInvalidResponse},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &deviceServer{answers: test.answers}
				begun := time.Now()
				a := &auth.DeviceAuthorization{DeviceCode: auth.NewSecret("dc"), Interval: test.interval * time.Second, Expires: begun.Add(test.life * time.Second)}
				got, err := device().Await(context.Background(), s.client(), a)
				require.ErrorIs(t, err, test.want)
				require.Equal(t, test.want == nil, got != nil)
				var pauses []int
				for last, at := range s.at {
					before := begun
					if last > 0 {
						before = s.at[last-1]
					}
					pauses = append(pauses, int(at.Sub(before)/time.Second))
				}
				require.Equal(t, test.pauses, pauses)
				require.LessOrEqual(t, time.Since(begun), test.life*time.Second)
				for _, form := range s.form {
					require.Equal(t, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {"dc"}, "client_id": {"app"}, "client_secret": {"s3cret"}}, form)
				}
			})
		})
	}
}

// TestAwaitDeviceEndsWithItsContext: between two questions too.
func TestAwaitDeviceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &deviceServer{answers: []string{""}}
		ctx, cancel := context.WithTimeout(context.Background(), 7*time.Second)
		defer cancel()
		_, err := device().Await(ctx, s.client(), &auth.DeviceAuthorization{Interval: 5 * time.Second, Expires: time.Now().Add(time.Hour)})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, s.at, 1)
	})
}

const deviceAnswer = `"device_code":"dc","user_code":"WDJB-MJHT","expires_in":600`

func TestReadDevice(t *testing.T) { // RFC 8628 3.2
	const page = `"verification_uri":"https://x.example/d"`
	asked := time.Unix(1_800_000_000, 0)
	good := func(change func(*auth.DeviceAuthorization)) *auth.DeviceAuthorization {
		d := &auth.DeviceAuthorization{
			DeviceCode: auth.NewSecret("dc"), UserCode: "WDJB-MJHT", VerificationURI: "https://x.example/d",
			Expires: asked.Add(10 * time.Minute), Interval: 5 * time.Second,
		}
		if change != nil {
			change(d)
		}
		return d
	}
	life := func(seconds int) *auth.DeviceAuthorization {
		return good(func(d *auth.DeviceAuthorization) { d.Expires = asked.Add(time.Duration(seconds) * time.Second) })
	}
	every := func(seconds int) *auth.DeviceAuthorization {
		return good(func(d *auth.DeviceAuthorization) { d.Interval = time.Duration(seconds) * time.Second })
	}
	with := func(codes, life string) string { return "{" + codes + `,"expires_in":` + life + "," + page + "}" }
	const codes = `"device_code":"dc","user_code":"WDJB-MJHT"`
	for name, test := range map[string]struct {
		status int
		body   string
		want   *auth.DeviceAuthorization
		fault  error
		text   string
	}{
		"plain":                {200, "{" + deviceAnswer + "," + page + "}", good(nil), nil, ""},
		"created":              {201, "{" + deviceAnswer + "," + page + "}", good(nil), nil, ""},
		"Google's name":        {200, "{" + deviceAnswer + `,"verification_url":"https://x.example/d"}`, good(nil), nil, ""},
		"both names":           {200, "{" + deviceAnswer + "," + page + `,"verification_url":"https://evil.example/d"}`, good(nil), nil, ""},
		"complete":             {200, "{" + deviceAnswer + "," + page + `,"verification_uri_complete":"https://X.example:443/d?c=1"}`, good(func(d *auth.DeviceAuthorization) { d.VerificationURIComplete = "https://X.example:443/d?c=1" }), nil, ""},
		"http on loopback":     {200, "{" + deviceAnswer + `,"verification_uri":"http://127.0.0.1:1/d"}`, good(func(d *auth.DeviceAuthorization) { d.VerificationURI = "http://127.0.0.1:1/d" }), nil, ""},
		"its interval":         {200, "{" + deviceAnswer + `,"interval":90,` + page + "}", every(90), nil, ""},
		"an interval of 0":     {200, "{" + deviceAnswer + `,"interval":0,` + page + "}", every(5), nil, ""},
		"a negative interval":  {200, "{" + deviceAnswer + `,"interval":-1,` + page + "}", every(5), nil, ""},
		"an endless interval":  {200, "{" + deviceAnswer + `,"interval":9e17,` + page + "}", every(3600), nil, ""},
		"a second":             {200, with(codes, "1"), life(1), nil, ""},
		"a day is an hour":     {200, with(codes, "86400"), life(3600), nil, ""},
		"a life as text":       {200, with(codes, `"60"`), life(60), nil, ""},
		"no life":              {200, with(codes, "0"), nil, auth.ErrInvalidResponse, "expires_in"},
		"over already":         {200, with(codes, "-1"), nil, auth.ErrInvalidResponse, "expires_in"},
		"a life that is none":  {200, with(codes, "true"), nil, auth.ErrInvalidResponse, "expires_in"},
		"no device code":       {200, with(`"user_code":"A"`, "60"), nil, auth.ErrInvalidResponse, "device_code"},
		"a long device code":   {200, with(`"user_code":"A","device_code":"`+strings.Repeat("x", 4097)+`"`, "60"), nil, auth.ErrInvalidResponse, "device_code"},
		"a control in it":      {200, with(`"user_code":"A","device_code":"a\u0000"`, "60"), nil, auth.ErrInvalidResponse, "device_code"},
		"no user code":         {200, with(`"device_code":"dc"`, "60"), nil, auth.ErrInvalidResponse, "user_code"},
		"a long user code":     {200, with(`"device_code":"dc","user_code":"`+strings.Repeat("A", 65)+`"`, "60"), nil, auth.ErrInvalidResponse, "user_code"},
		"a terminal's escape":  {200, with(`"device_code":"dc","user_code":"A\u001b[2J"`, "60"), nil, auth.ErrInvalidResponse, "user_code"},
		"another direction":    {200, with(`"device_code":"dc","user_code":"A\u202eB"`, "60"), nil, auth.ErrInvalidResponse, "user_code"},
		"no page":              {200, "{" + deviceAnswer + "}", nil, auth.ErrInvalidResponse, "verification_uri"},
		"a page by http":       {200, "{" + deviceAnswer + `,"verification_uri":"http://x.example/d"}`, nil, auth.ErrInvalidResponse, "verification_uri"},
		"a script":             {200, "{" + deviceAnswer + `,"verification_uri":"javascript:alert(1)"}`, nil, auth.ErrInvalidResponse, "verification_uri"},
		"a page in disguise":   {200, "{" + deviceAnswer + `,"verification_uri":"https://x.example/?\u202e"}`, nil, auth.ErrInvalidResponse, "verification_uri"},
		"a page and a space":   {200, "{" + deviceAnswer + `,"verification_uri":"https://x.example/? --x"}`, nil, auth.ErrInvalidResponse, "verification_uri"},
		"a long address":       {200, "{" + deviceAnswer + `,"verification_uri":"https://x.example/` + strings.Repeat("d", 2048) + `"}`, nil, auth.ErrInvalidResponse, "verification_uri"},
		"another server":       {200, "{" + deviceAnswer + "," + page + `,"verification_uri_complete":"https://x.example.evil.example/d"}`, nil, auth.ErrInvalidResponse, "another server"},
		"another port":         {200, "{" + deviceAnswer + "," + page + `,"verification_uri_complete":"https://x.example:444/d"}`, nil, auth.ErrInvalidResponse, "another server"},
		"a complete script":    {200, "{" + deviceAnswer + "," + page + `,"verification_uri_complete":"javascript:x"}`, nil, auth.ErrInvalidResponse, "verification_uri_complete"},
		"a member twice":       {200, `{"user_code":"EVIL",` + deviceAnswer + "," + page + "}", nil, auth.ErrUnavailable, "want a JSON object"},
		"a refusal":            {400, `{"error":"invalid_scope","error_description":"no\u001b"}`, nil, auth.ErrMisconfigured, `invalid_scope (no\x1b)`},
		"a refusal, as GitHub": {200, `{"error":"device_flow_disabled"}`, nil, auth.ErrMisconfigured, "device_flow_disabled"},
		"a wrong secret":       {401, `{"error":"invalid_client"}`, nil, auth.ErrMisconfigured, "set ClientAuth"},
		"a refusal beside":     {200, `{"error":"x",` + deviceAnswer + "," + page + "}", nil, auth.ErrInvalidResponse, "answered x"},
		"down":                 {503, "<html>", nil, auth.ErrUnavailable, "status 503"},
		"not there":            {404, "{" + deviceAnswer + "," + page + "}", nil, auth.ErrUnavailable, "status 404"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := codegrant.ReadDevice(device(), test.status, []byte(test.body), asked)
			if test.fault == nil {
				require.NoError(t, err)
				require.Equal(t, test.want, got)
				return
			}
			require.ErrorIs(t, err, test.fault)
			require.ErrorContains(t, err, test.text)
			require.Nil(t, got)
		})
	}
}

// TestAuthorizeDevice: the request is sent once, as the client.
func TestAuthorizeDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &deviceServer{answers: []string{"{" + deviceAnswer + `,"verification_uri":"https://x.example/d"}`}}
		d := device()
		d.Params = url.Values{"scope": {"openid"}}
		got, err := d.Authorize(context.Background(), s.client())
		require.NoError(t, err)
		require.Equal(t, time.Now().Add(10*time.Minute), got.Expires)
		require.Equal(t, []url.Values{{"scope": {"openid"}, "client_id": {"app"}, "client_secret": {"s3cret"}}}, s.form)
		shown, err := json.Marshal(got)
		require.NoError(t, err)
		require.NotContains(t, string(shown), `"dc"`, "the program alone has it")

		s = &deviceServer{answers: []string{"502"}}
		_, err = d.Authorize(context.Background(), s.client())
		require.ErrorIs(t, err, auth.ErrUnavailable)
		require.Len(t, s.form, 1)
	})
}
