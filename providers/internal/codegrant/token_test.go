package codegrant_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// TestReadAnswer: what x/oauth2 gets to see of an answer, or what an operator reads.
func TestReadAnswer(t *testing.T) { // TK-03 to TK-12, TK-17, TK-18
	const js, form = "application/json", "application/x-www-form-urlencoded"
	const least = `{"access_token":"a","token_type":"Bearer"}`
	for name, test := range map[string]struct {
		forms  bool
		status int
		media  string
		body   string
		want   string // the JSON, or the error's end
		class  error
	}{
		"least":                        {false, 200, js, least, least, nil},
		"created":                      {false, 201, "", least, least, nil},
		"all of it":                    {false, 200, js, `{"access_token":"a","token_type":"bearer","expires_in":60,"refresh_token":"r","id_token":"i","scope":"s","more":1}`, `{"access_token":"a","token_type":"Bearer","expires_in":60,"refresh_token":"r","id_token":"i","scope":"s"}`, nil},
		"of other types":               {false, 200, js, `{"access_token":"a","token_type":"bearer","expires_in":true,"refresh_token":1,"id_token":2,"scope":["s"]}`, least, nil},
		"an empty scope":               {false, 200, js, `{"access_token":"a","token_type":"bearer","scope":""}`, `{"access_token":"a","token_type":"Bearer","scope":""}`, nil},
		"a lifetime as text":           {false, 200, js, `{"access_token":"a","token_type":"bearer","expires_in":"60"}`, `{"access_token":"a","token_type":"Bearer","expires_in":60}`, nil},
		"a lifetime of a second":       {false, 200, js, `{"access_token":"a","token_type":"bearer","expires_in":1}`, `{"access_token":"a","token_type":"Bearer","expires_in":1}`, nil},
		"a lifetime of two years":      {false, 200, js, `{"access_token":"a","token_type":"bearer","expires_in":63072000}`, `{"access_token":"a","token_type":"Bearer","expires_in":31536000}`, nil},
		"a lifetime of none":           {false, 200, js, `{"access_token":"a","token_type":"bearer","expires_in":0}`, least, nil},
		"a lifetime in hexadecimal":    {false, 200, js, `{"access_token":"a","token_type":"bearer","expires_in":"0x10"}`, least, nil},
		"a null error":                 {false, 200, js, `{"error":null,"access_token":"a","token_type":"bearer"}`, least, nil},
		"a form":                       {true, 200, form, "access_token=a&token_type=bearer&expires_in=60&scope=s", `{"access_token":"a","token_type":"Bearer","expires_in":60,"scope":"s"}`, nil},
		"a form, another member twice": {true, 200, form, "access_token=a&token_type=bearer&~=1&~=2", "the answer has ~ more than once", auth.ErrInvalidResponse},
		"a form, no text":              {true, 200, form, "access_token=a&token_type=bearer&scope=%ff", least, nil},
		"a form, malformed":            {true, 200, form, "access_token=%zz", "the answer is malformed", auth.ErrUnavailable},
		"a form where none may be":     {false, 200, form, "access_token=a&token_type=bearer", `status 200 with "application/x-www-form-urlencoded", want a JSON object`, auth.ErrUnavailable},
		"JSON where a form may be":     {true, 200, js, least, least, nil},
		"no access token":              {false, 200, js, `{"token_type":"bearer"}`, "the answer has no access_token", auth.ErrInvalidResponse},
		"an empty type":                {false, 200, js, `{"access_token":"a","token_type":""}`, `token_type is "", want bearer`, auth.ErrMisconfigured},
		"another type":                 {false, 200, js, `{"access_token":"a","token_type":"` + strings.Repeat("~", 33) + `"}`, `token_type is "` + strings.Repeat("~", 32) + `", want bearer`, auth.ErrMisconfigured},
		"bound to a key":               {false, 200, js, `{"access_token":"a","token_type":"DPoP"}`, `token_type is "DPoP", want bearer`, auth.ErrMisconfigured},
		"a proof that is wanted":       {false, 400, js, `{"error":"invalid_dpop_proof","error_description":"DPoP proof is missing"}`, "DPoP proof is missing", auth.ErrMisconfigured},
		"a nonce of a proof":           {false, 400, js, `{"error":"use_dpop_nonce"}`, "use_dpop_nonce", auth.ErrMisconfigured},
		"accepted":                     {false, 202, js, least, "status 202", auth.ErrUnavailable},
		"an error, 200":                {false, 200, js, `{"error":"invalid_grant","error_description":"used"}`, "used", auth.ErrExpired},
		"an error, 499":                {false, 499, js, `{"error":"invalid_grant"}`, "invalid_grant", auth.ErrExpired},
		"an error, 500":                {false, 500, js, `{"error":"invalid_grant"}`, "status 500", auth.ErrUnavailable},
		"an error, 429":                {false, 429, js, `{"error":"invalid_grant"}`, "status 429", auth.ErrUnavailable},
		"an error of another type":     {false, 400, js, `{"error":{},"error_description":5}`, "", auth.ErrInvalidResponse},
		"no error, 400":                {false, 400, js, `{}`, "status 400", auth.ErrUnavailable},
		"no error, 401":                {false, 401, js, `{}`, "status 401", auth.ErrUnavailable},
		"no JSON, 401":                 {false, 401, "text/html", `<html>`, "are client id and secret right?", auth.ErrMisconfigured},
		"no JSON, 200":                 {false, 200, "text/html; charset=utf-8", `<html>`, `the token endpoint answered status 200 with "text/html", want a JSON object`, auth.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := codegrant.ReadAnswer(test.forms, test.status, test.media, []byte(test.body))
			require.ErrorIs(t, err, test.class)
			if err != nil {
				require.ErrorContains(t, err, test.want)
				return
			}
			require.Equal(t, test.want, string(got))
		})
	}
}

// TestRefusedClient: what an operator has to look at.
func TestRefusedClient(t *testing.T) { // TK-17
	const secret, key, public = ": are client id and secret right? They went by ", ": does the provider have the public half of this private key?", ": is the client id right, and that of a public client?"
	for _, test := range []struct {
		method codegrant.Method
		secret string
		status int
		code   string
		hint   string
	}{
		{codegrant.ClientSecretBasic, "plain", 400, "invalid_client", secret},
		{codegrant.ClientSecretBasic, "plain", 401, "invalid_client", secret},
		{codegrant.ClientSecretBasic, "plain", 401, "unauthorized_client", secret}, // Keycloak
		{codegrant.ClientSecretBasic, "plain", 403, "unauthorized_client", secret}, // Glewlwyd
		{codegrant.ClientSecretBasic, "plain", 400, "unauthorized_client", ""},
		{codegrant.ClientSecretBasic, "plain", 401, "invalid_grant", ""},
		{codegrant.ClientSecretPost, "a+b", 401, "invalid_client", secret},
		{codegrant.ClientSecretBasic, "a+b", 401, "unauthorized_client", "or choose a secret of letters and digits"},
		{codegrant.PrivateKeyJWT, "", 401, "invalid_client", key},
		{codegrant.None, "", 401, "invalid_client", public},
	} {
		err := codegrant.RefusedClient(test.method, auth.NewSecret(test.secret), test.status, test.code)
		for _, hint := range []string{secret, key, public, "letters and digits"} {
			require.Equal(t, test.hint != "" && strings.HasSuffix(test.hint, hint), strings.Contains(err.Error(), hint), "%+v: %v", test, err)
		}
		if test.hint == secret {
			require.ErrorContains(t, err, string(test.method)+"; where the provider has another method down for this client, set ClientAuth (in the environment AUTH_")
		}
	}
}
