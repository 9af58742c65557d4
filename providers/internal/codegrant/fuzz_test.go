package codegrant_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

var classes = []error{auth.ErrDeclined, auth.ErrUnavailable, auth.ErrMisconfigured, auth.ErrRedirectURI, auth.ErrExpired, auth.ErrInvalidResponse}

func ours(err error) bool {
	for _, class := range classes {
		if errors.Is(err, class) {
			return true
		}
	}
	return false
}

// FuzzTokenAnswer: x/oauth2 gets an access token of type Bearer with a lifetime of
// at most a year, by their exact names and as the answer has them; or there is an
// error of a class, in one printable line.
func FuzzTokenAnswer(f *testing.F) { // TK-03 to TK-12, TK-17
	const js, form = "application/json", "application/x-www-form-urlencoded"
	f.Add(true, 200, js, []byte(`{"access_token":"a","token_type":"Bearer","expires_in":3600,"id_token":"x.y.z","scope":"s","refresh_token":"r"}`))
	f.Add(true, 200, form, []byte(`access_token=a&token_type=bearer&expires_in=3600&scope=`))
	f.Add(false, 200, form, []byte(`access_token=a&token_type=bearer`))
	f.Add(true, 200, js, []byte(`{"ACCESS_TOKEN":"evil","access_token":"a","token_type":"bearer","expires_in":1e30}`))
	f.Add(true, 200, js, []byte(`{"access_token":"a","access_token":"b","token_type":"bearer"}`))
	f.Add(true, 400, js, []byte(`{"error":"invalid_grant","error_description":"\u001b[31m\r\n"}`))
	f.Add(true, 401, "text/html", []byte(`<html>`))
	f.Fuzz(func(t *testing.T, forms bool, status int, media string, body []byte) {
		given, err := codegrant.ReadAnswer(forms, status, media, body)
		if err != nil {
			require.True(t, ours(err), "%v", err)
			require.Less(t, len(err.Error()), 4096)
			require.False(t, strings.ContainsFunc(err.Error(), unicode.IsControl), "%q", err)
			return
		}
		require.True(t, status == 200 || status == 201)
		var got struct {
			Access  string `json:"access_token"`
			Type    string `json:"token_type"`
			Seconds int64  `json:"expires_in"`
		}
		require.NoError(t, json.Unmarshal(given, &got))
		require.Equal(t, "Bearer", got.Type)
		require.True(t, got.Seconds >= 0 && got.Seconds <= 365*24*3600)
		if o, err := strictjson.Parse(body); err == nil {
			want, _ := o.String("access_token")
			if want != "" {
				require.Equal(t, want, got.Access)
			}
		}
		require.NotEmpty(t, got.Access)
	})
}

// FuzzReadResponse: a code comes out only of an answer that has one code, no error,
// no tokens and no issuer but the right one.
func FuzzReadResponse(f *testing.F) { // CB-01 to CB-03, MX-01 to MX-04, ST-12, ST-18
	for _, query := range []string{"code=x&state=s", "code=x&iss=https%3A%2F%2Fx.example", "code=x&iss=https%3A%2F%2Fx.example%2F", "error=access_denied", "code=x&error=y", "code=a&code=b", "code=%00", "access_token=x&code=y", "iss=&code=x"} {
		f.Add(query, true)
		f.Add(query, false)
	}
	f.Fuzz(func(t *testing.T, query string, required bool) {
		response, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		code, err := codegrant.ReadResponse("idp", "", response, codegrant.Issuer{URL: "https://x.example", Required: required})
		if err != nil {
			require.Empty(t, code)
			require.True(t, ours(err), "%v", err)
			return
		}
		require.Equal(t, []string{code}, response["code"])
		require.True(t, code != "" && len(code) <= 4096 && utf8.ValidString(code))
		require.False(t, response.Has("error") || response.Has("access_token") || response.Has("id_token"))
		if required || response.Has("iss") {
			require.Equal(t, []string{"https://x.example"}, response["iss"])
		}
	})
}

// FuzzDeviceAnswer: what a terminal shows is printable, people are sent to one server,
// by https, and the program does not wait for longer than an hour; or there is an error
// of a class, in one printable line.
func FuzzDeviceAnswer(f *testing.F) { // RFC 8628 3.2
	f.Add(200, []byte(`{"device_code":"d","user_code":"WDJB-MJHT","verification_uri":"https://x.example/d","verification_uri_complete":"https://x.example/d?c=1","expires_in":600,"interval":5}`))
	f.Add(200, []byte(`{"device_code":"d","user_code":"A","verification_url":"https://x.example","expires_in":"1e9","interval":-5}`))
	f.Add(200, []byte(`{"device_code":"d","user_code":"\u001b[2J","verification_uri":"https://x.example\u202e","expires_in":1e300}`))
	f.Add(200, []byte(`{"device_code":"d","user_code":"A","verification_uri":"http://x.example/ x","expires_in":1,"interval":9e18}`))
	f.Add(400, []byte(`{"error":"slow_down","error_description":"\u001b[31m\r\n"}`))
	f.Add(502, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		asked := time.Unix(1_800_000_000, 0)
		got, err := codegrant.ReadDevice(device(), status, body, asked)
		if err != nil {
			require.Nil(t, got)
			require.True(t, ours(err), "%v", err)
			require.Less(t, len(err.Error()), 4096)
			require.False(t, strings.ContainsFunc(err.Error(), unicode.IsControl), "%q", err)
			return
		}
		for _, shown := range []string{got.UserCode, got.VerificationURI} {
			require.NotEmpty(t, shown)
		}
		require.False(t, strings.ContainsFunc(got.UserCode+got.VerificationURI+got.VerificationURIComplete, func(r rune) bool { return r < ' ' || r > '~' }))
		require.LessOrEqual(t, len(got.UserCode), 64)
		require.False(t, got.DeviceCode.IsZero())
		page, err := upstream.CheckURL(got.VerificationURI)
		require.NoError(t, err)
		if got.VerificationURIComplete != "" {
			complete, err := upstream.CheckURL(got.VerificationURIComplete)
			require.NoError(t, err)
			require.True(t, upstream.SameOrigin(page, complete))
		}
		require.True(t, got.Expires.After(asked) && !got.Expires.After(asked.Add(time.Hour)))
		require.True(t, got.Interval >= time.Second && got.Interval <= time.Hour)
	})
}
