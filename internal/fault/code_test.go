package fault_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/fault"
)

// queries of each code, as pages made for Auth.js get them.
var queries = map[fault.Code]string{
	fault.Configuration:       "error=Configuration",
	fault.AccessDenied:        "error=AccessDenied",
	fault.PersonDeclined:      "detail=Declined&error=OAuthCallbackError",
	fault.NotSignedInThere:    "detail=NotSignedInThere&error=OAuthCallbackError",
	fault.ProviderUnavailable: "detail=Unavailable&error=Configuration",
	fault.UnknownRedirectURI:  "detail=RedirectURI&error=Configuration",
	fault.ClockWrong:          "detail=Clock&error=Configuration",
	fault.CookiesBlocked:      "detail=CookiesBlocked&error=Configuration",
	fault.AttemptExpired:      "detail=Expired&error=OAuthCallbackError",
	fault.ResponseInvalid:     "detail=InvalidResponse&error=OAuthCallbackError",
	fault.AccountNotLinked:    "error=OAuthAccountNotLinked",
	fault.SessionTooLarge:     "detail=SessionTooLarge&error=Configuration",
	fault.StoreUnavailable:    "detail=StoreUnavailable&error=Configuration",
	fault.MissingCSRF:         "error=MissingCSRF",
	fault.OAuthCallback:       "error=OAuthCallbackError",
	fault.SessionRequired:     "error=SessionRequired",
	fault.FormNotSent:         "detail=FormNotSent&error=SessionRequired",
	fault.InsideAFrame:        "detail=InsideAFrame&error=SessionRequired",
	fault.AnotherSite:         "detail=AnotherSite&error=AccessDenied",
	fault.SignedOut:           "error=SignedOut",
	fault.CodeWrong:           "code=credentials&error=CredentialsSignin",
	fault.RateLimited:         "code=rate_limited&detail=RateLimited&error=CredentialsSignin",
	fault.TooManyFailures:     "detail=TooManyFailures&error=OAuthCallbackError",
	fault.AnotherWay:          "detail=AnotherWay&error=Configuration",
	fault.NotFound:            "detail=NotFound&error=Configuration",
	fault.MethodNotAllowed:    "detail=MethodNotAllowed&error=Configuration",
	fault.BadRequest:          "detail=BadRequest&error=Configuration",
	fault.Default:             "error=Default",
}

func TestQueryOfEachCode(t *testing.T) {
	for _, code := range fault.Codes {
		want, known := queries[code]
		require.True(t, known, "%s is not in the table", code)
		require.Equal(t, want, code.Query().Encode())
	}
	require.Len(t, queries, len(fault.Codes))
}

func TestCodesAreAllOfThem(t *testing.T) { // LG-04: a closed set
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	require.NoError(t, err)
	declared := map[fault.Code]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Code" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			require.False(t, declared[fault.Code(text)], "%s twice", text)
			declared[fault.Code(text)] = true
		}
		return true
	})
	require.NotEmpty(t, declared)
	listed := map[fault.Code]bool{}
	for _, code := range fault.Codes {
		require.False(t, listed[code], "%s twice", code)
		listed[code] = true
	}
	require.Equal(t, declared, listed)
}
