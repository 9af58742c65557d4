package providers_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"encoding/xml"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/pages"
	"github.com/sallyport/auth/providers"
)

// TestMarks: every provider has a mark that is a drawing and nothing else, or a reason in
// docs/pages.md to have none.
func TestMarks(t *testing.T) { // HD-05
	none := map[string]bool{"casdoor": true, "cloudflare-zero-trust": true, "cognito": true, "generic-oidc": true, "linkedin": true}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	env := map[string]string{
		"ISSUER": "https://id.example.com", "ID": "app", "SECRET": "app-secret", "TENANT_ID": "common",
		"TEAM_ID": "ABCDE12345", "KEY_ID": "ABCDE12345", "PRIVATE_KEY": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}
	for id, factory := range providers.All() {
		p, err := factory(func(name string) string {
			if id == "microsoft-entra-id" && variable(id, name) == "ISSUER" {
				return "" // it would be one of Microsoft's
			}
			return env[variable(id, name)]
		}, id, nil)
		require.NoError(t, err, id)
		mark := p.(auth.Presenter).Presentation().Mark
		if none[id] {
			require.Zero(t, mark, "%s: it is in the list of those that have none", id)
			continue
		}
		require.Equal(t, "0 0 24 24", mark.ViewBox, id)
		for _, path := range mark.Paths {
			require.Regexp(t, `^M[-MmLlHhVvCcSsAaZz0-9 .]+$`, path.D, id)
			require.Regexp(t, `^(#[0-9A-F]{6})?$`, path.Fill, id)
		}
		var svg bytes.Buffer
		require.NoError(t, pages.Templates().ExecuteTemplate(&svg, "mark", pages.Provider{Mark: mark}))
		require.Less(t, svg.Len(), 1500, id)
		elements := map[string]int{}
		for x := xml.NewDecoder(&svg); ; {
			token, err := x.Token()
			if err == io.EOF {
				break
			}
			require.NoError(t, err, id)
			if start, ok := token.(xml.StartElement); ok {
				elements[start.Name.Local]++
			}
		}
		require.Equal(t, map[string]int{"svg": 1, "path": len(mark.Paths)}, elements, id)
	}
}
