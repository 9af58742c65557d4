package codegrant_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

func TestReadResponse(t *testing.T) { // CB-01 to CB-03, MX-01 to MX-04, ST-12, ST-18
	const own, tenant = "https://x.example", "https://login.example/11111111-2222-3333-4444-555555555555/v2.0"
	type values = url.Values
	one := codegrant.Issuer{URL: own}
	promised := codegrant.Issuer{URL: own, Required: true}
	template := codegrant.Issuer{URL: "https://login.example/common/v2.0", Template: "https://login.example/{tenantid}/v2.0"}
	for name, test := range map[string]struct {
		iss      codegrant.Issuer
		response values
		code     string // "" for an error
		says     string
		class    error
	}{
		"a code":                            {one, values{"code": {"x"}, "state": {"s"}}, "x", "", nil},
		"of all that may stand in one":      {one, values{"code": {" ~"}}, " ~", "", nil},
		"as long as can be":                 {one, values{"code": {strings.Repeat("x", 4096)}}, strings.Repeat("x", 4096), "", nil},
		"longer":                            {one, values{"code": {strings.Repeat("x", 4097)}}, "", "no code of 1 to 4096", auth.ErrInvalidResponse},
		"a control character":               {one, values{"code": {"x\x1f"}}, "", "no code", auth.ErrInvalidResponse},
		"DEL":                               {one, values{"code": {"x\x7f"}}, "", "no code", auth.ErrInvalidResponse},
		"empty":                             {one, values{"code": {""}}, "", "no code", auth.ErrInvalidResponse},
		"nothing":                           {one, values{}, "", "no code", auth.ErrInvalidResponse},
		"a code and an error":               {one, values{"code": {"x"}, "error": {"access_denied"}}, "", "both a code and an error", auth.ErrInvalidResponse},
		"an empty code and an error":        {one, values{"code": {""}, "error": {"access_denied"}}, "", "both a code and an error", auth.ErrInvalidResponse},
		"a code and an empty error":         {one, values{"code": {"x"}, "error": {""}}, "", "both a code and an error", auth.ErrInvalidResponse},
		"an error":                          {one, values{"error": {"access_denied"}, "error_description": {"no, thanks"}}, "", "no, thanks", auth.ErrDeclined},
		"an access token":                   {one, values{"code": {"x"}, "access_token": {"y"}}, "", "brings tokens", auth.ErrInvalidResponse},
		"an ID token":                       {one, values{"code": {"x"}, "id_token": {"y"}}, "", "brings tokens", auth.ErrInvalidResponse},
		"two codes":                         {one, values{"code": {"x", "x"}}, "", "code more than once", auth.ErrInvalidResponse},
		"two states":                        {one, values{"code": {"x"}, "state": {"s", "s"}}, "", "state more than once", auth.ErrInvalidResponse},
		"two issuers":                       {one, values{"code": {"x"}, "iss": {own, "https://evil.example"}}, "", "iss more than once", auth.ErrInvalidResponse},
		"two errors":                        {one, values{"error": {"x", "y"}}, "", "error more than once", auth.ErrInvalidResponse},
		"two descriptions":                  {one, values{"error": {"x"}, "error_description": {"y", "z"}}, "", "error_description more than once", auth.ErrInvalidResponse},
		"its issuer":                        {one, values{"code": {"x"}, "iss": {own}}, "x", "", nil},
		"its issuer, promised":              {promised, values{"code": {"x"}, "iss": {own}}, "x", "", nil},
		"no issuer, promised":               {promised, values{"code": {"x"}}, "", "lacks iss", auth.ErrInvalidResponse},
		"an empty issuer":                   {one, values{"code": {"x"}, "iss": {""}}, "", `iss of the callback is "", want "https://x.example"`, auth.ErrInvalidResponse},
		"a long issuer":                     {one, values{"code": {"x"}, "iss": {strings.Repeat("~", 201)}}, "", `iss of the callback is "` + strings.Repeat("~", 200) + `", want`, auth.ErrInvalidResponse},
		"with a slash":                      {one, values{"code": {"x"}, "iss": {own + "/"}}, "", "iss of the callback", auth.ErrInvalidResponse},
		"with a port":                       {one, values{"code": {"x"}, "iss": {own + ":443"}}, "", "iss of the callback", auth.ErrInvalidResponse},
		"another's error":                   {one, values{"error": {"access_denied"}, "iss": {"https://evil.example"}}, "", "iss of the callback", auth.ErrInvalidResponse},
		"a tenant":                          {template, values{"code": {"x"}, "iss": {tenant}}, "x", "", nil},
		"a tenant, none said":               {template, values{"code": {"x"}}, "x", "", nil},
		"a tenant elsewhere":                {template, values{"code": {"x"}, "iss": {"https://evil.example/11111111-2222-3333-4444-555555555555/v2.0"}}, "", "another issuer's", auth.ErrInvalidResponse},
		"a tenant of version 1":             {template, values{"code": {"x"}, "iss": {"https://login.example/11111111-2222-3333-4444-555555555555/"}}, "", "another issuer's", auth.ErrInvalidResponse},
		"a tenant, promised and not said":   {codegrant.Issuer{Template: template.Template, Required: true}, values{"code": {"x"}}, "", "lacks iss", auth.ErrInvalidResponse},
		"a tenant, the error of another":    {template, values{"error": {"access_denied"}, "iss": {"https://evil.example"}}, "", "another issuer's", auth.ErrInvalidResponse},
		"a tenant, and the address is none": {template, values{"code": {"x"}, "iss": {""}}, "", "another issuer's", auth.ErrInvalidResponse},
	} {
		t.Run(name, func(t *testing.T) {
			code, err := codegrant.ReadResponse("idp", "", test.response, test.iss)
			require.Equal(t, test.code, code)
			if test.code != "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.says)
			require.ErrorIs(t, err, test.class)
		})
	}
}

func TestProviderErrors(t *testing.T) { // CB-01, TK-03, TK-17
	for _, test := range []struct {
		code, description string
		class             error
	}{
		{"access_denied", "", auth.ErrDeclined},
		{"login_required", "", auth.ErrInteractionRequired},
		{"interaction_required", "", auth.ErrInteractionRequired},
		{"account_selection_required", "", auth.ErrInteractionRequired},
		{"consent_required", "", auth.ErrInteractionRequired},
		{"consent_required", "AADSTS65004: User declined to consent to access the app.", auth.ErrDeclined},
		{"access_denied", "User is not assigned to the client application.", auth.ErrNotAllowed},
		{"access_denied", "The resource owner or authorization server denied the request.", auth.ErrDeclined},
		{"access_denied", "AADSTS50105: Your administrator has configured the application to block users.", auth.ErrNotAllowed},
		{"access_denied", "Policy evaluation failed for this request, please check the policy configurations.", auth.ErrNotAllowed},
		{"server_error", "User is not assigned to the client application.", auth.ErrUnavailable},
		{"unauthorized", "user is blocked", auth.ErrNotAllowed},
		{"unauthorized_client", "", auth.ErrMisconfigured},
		{"unsupported_response_type", "", auth.ErrMisconfigured},
		{"invalid_scope", "", auth.ErrMisconfigured},
		{"invalid_request_object", "", auth.ErrMisconfigured},
		{"", "", auth.ErrInvalidResponse},
		{"ACCESS_DENIED", "", auth.ErrInvalidResponse},
		{"invalid_client", "AADSTS50011: x", auth.ErrRedirectURI},
		{"odd", "AADSTS50011: x", auth.ErrInvalidResponse},
		{"slow_down", "", auth.ErrUnavailable},
		{"temporarily_unavailable", "", auth.ErrUnavailable},
		{"temporarily_unavailable", "authentication_expired", auth.ErrExpired},
		{"access_denied", "authentication_expired", auth.ErrDeclined},
		{"invalid_request", "Pushed Authorization Request is only allowed.", auth.ErrMisconfigured},
	} {
		err := codegrant.ProviderError("idp", test.code, test.description)
		require.ErrorIs(t, err, test.class, test.code)
	}
	var refusal *auth.ProviderError
	require.ErrorAs(t, codegrant.ProviderError("idp", strings.Repeat("c", 65), strings.Repeat("d", 201)), &refusal)
	require.Equal(t, strings.Repeat("c", 64), refusal.Code)
	require.Equal(t, strings.Repeat("d", 200), refusal.Description)
	require.Equal(t, "idp", refusal.Provider)
}

func TestPrintable(t *testing.T) { // CB-01, LG-02
	for _, test := range []struct {
		text string
		most int
		want string
	}{
		{"text", 4, "text"}, {"text", 3, "tex"}, {"text", 5, "text"}, {"", 5, ""}, {"é", 1, `\xc3`},
		{"a\r\n\x1b[31m\u202e\"", 20, `a\r\n\x1b[31m\u202e\"`},
	} {
		require.Equal(t, test.want, codegrant.Printable(test.text, test.most))
	}
}

// TestExpired: as Keycloak says it, and nobody else.
func TestExpired(t *testing.T) { // CB-01, ST-08
	for _, test := range []struct {
		query string
		want  bool
	}{
		{"error=temporarily_unavailable&error_description=authentication_expired", true},
		{"error=temporarily_unavailable", false},
		{"error=temporarily_unavailable&error_description=maintenance", false},
		{"error=access_denied&error_description=authentication_expired", false},
		{"error=temporarily_unavailable&error_description=authentication_expired&code=x", false},
		{"", false},
	} {
		response, err := url.ParseQuery(test.query)
		require.NoError(t, err)
		require.Equal(t, test.want, codegrant.Expired(response), test.query)
	}
}

// TestConsentThatWasNotGiven: asked for, it was declined; not to be asked for, it is
// missing.
func TestConsentThatWasNotGiven(t *testing.T) { // CB-01
	for asked, want := range map[string]error{"": auth.ErrDeclined, "login": auth.ErrDeclined, "none": auth.ErrInteractionRequired} {
		_, err := codegrant.ReadResponse("idp", asked, url.Values{"state": {"s"}, "error": {"consent_required"}}, codegrant.Issuer{URL: "https://x.example"})
		require.ErrorIs(t, err, want, asked)
	}
	_, err := codegrant.ReadResponse("idp", "", url.Values{"state": {"s"}, "error": {"login_required"}}, codegrant.Issuer{URL: "https://x.example"})
	require.ErrorIs(t, err, auth.ErrInteractionRequired)
}
