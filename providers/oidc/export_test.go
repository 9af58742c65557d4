package oidc

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// ReadJWS looks at the form of an ID token.
func ReadJWS(token string) (algorithm, keyID string, err error) {
	t, err := readJWS(token, "JWT")
	return t.algorithm, t.keyID, err
}

// Verifier verifies tokens by the keys of one set, and returns their claims.
func Verifier(set []byte) func(token string) (map[string]json.RawMessage, error) {
	keys := newKeySource(time.Now, func(context.Context) (*keySet, error) { return parseKeySet(set) })
	return func(token string) (map[string]json.RawMessage, error) {
		t, err := readJWS(token, "JWT")
		if err != nil {
			return nil, err
		}
		claims, _, err := keys.verify(context.Background(), t)
		return claims, err
	}
}

// KeptHeader is the header of which p keeps what go-jose made of it.
func KeptHeader(p *Provider) string { return p.keys.header.Load().encoded }

// ReadDiscovery is what go-oidc is given of a discovery document, and the whole.
func ReadDiscovery(p *Provider, status int, body []byte) ([]byte, strictjson.Object, error) {
	r := &upstream.Response{Status: status, Header: http.Header{}, Body: body}
	o, err := p.readDiscovery(r)
	return r.Body, o, err
}

// ReadUserinfo is what go-oidc is given of an answer, and the whole.
func ReadUserinfo(status int, body []byte) ([]byte, strictjson.Object, error) {
	r := &upstream.Response{Status: status, Header: http.Header{}, Body: body}
	o, err := readUserinfo(r, nil)
	return r.Body, o, err
}

// ReadLogout is what a document says as the claims of a logout token.
func ReadLogout(document []byte) (*auth.Logout, error) {
	o, err := strictjson.Parse(document)
	if err != nil {
		return nil, codegrant.Invalid("no JSON object")
	}
	return readLogout(o)
}

// ReadIntrospection is what an answer says of a token of issuer.
func ReadIntrospection(status int, body []byte, issuer string) (strictjson.Object, error) {
	return readIntrospection(&upstream.Response{Status: status, Body: body}, issuer)
}

// KeyAlgorithms is what the one key of a set may verify.
func KeyAlgorithms(set []byte) (algorithms []string, err error) {
	s, err := parseKeySet(set)
	if err != nil || len(s.keys) != 1 {
		return nil, err
	}
	for _, a := range s.keys[0].algorithms {
		algorithms = append(algorithms, string(a))
	}
	return algorithms, nil
}

// NewClaims are those of a document.
func NewClaims(document []byte) (Claims, error) {
	o, err := strictjson.Parse(document)
	return Claims{o}, err
}
