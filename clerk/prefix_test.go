package clerk_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

// TestBelowAPrefix: Clerk sends browsers back to the address that they have, whether or
// not a proxy has taken the prefix off on the way here.
func TestBelowAPrefix(t *testing.T) { // MW-13, RD-09
	instance, b, at := setup(t, false, nil)
	site := func(prefix string) http.Handler {
		a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(sealing)}, URL: origin.String() + prefix + "/api/auth", Backend: b, Now: at.Now})
		require.NoError(t, err)
		return a.Require(http.NotFoundHandler())
	}
	const www = "https://www.example.com"
	for _, test := range []struct{ prefix, path, want string }{
		{"/app", "/reports?a=b", "/app/reports?a=b"},
		{"/app", "/app/reports?a=b", "/app/reports?a=b"},
		{"/app", "/a%2Fb", "/app/a%2Fb"},
		{"/app", "/application", "/app/application"},
		{"", "/app/reports?a=b", "/app/reports?a=b"},
	} {
		w := httptest.NewRecorder()
		site(test.prefix).ServeHTTP(w, page(test.path))
		to, err := w.Result().Location()
		require.NoError(t, err, test.path)
		require.Equal(t, "/v1/client/handshake", to.Path)
		require.Equal(t, www+test.want, to.Query().Get("redirect_url"), test.path)

		// On the way back, too, when the handshake is taken out of the address.
		at, err := url.Parse(test.path)
		require.NoError(t, err)
		q := at.Query()
		q.Set("__clerk_handshake", instance.HandshakeToken("__client_uat=7; Path=/", "__session="+instance.Token(nil)+"; Path=/"))
		at.RawQuery = q.Encode()
		w = httptest.NewRecorder()
		site(test.prefix).ServeHTTP(w, page(at.String()))
		require.Equal(t, www+test.want, w.Header().Get("Location"), test.path)
	}
	below := *origin
	below.Path = "/app"
	require.Equal(t, www+"/app/", b.ReturnURL("https://evil.example/", &below))
	require.Equal(t, www+"/app/x", b.ReturnURL(www+"/app/x", &below))
}
