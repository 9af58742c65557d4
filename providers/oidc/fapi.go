package oidc

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
)

// fapiAlgorithms are those of the FAPI 2.0 Security Profile, 5.4.1: for what the client
// signs, and for ID tokens.
var fapiAlgorithms = []string{"PS256", "ES256", "EdDSA"}

// fapiCipherSuites are those for TLS 1.2 that RFC 9325 4.2 recommends, which the profile
// wants (5.2.1). TLS 1.3 has none that are worse.
var fapiCipherSuites = []uint16{
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
}

// checkFAPI2 holds a configuration to section 5.3.3 of the profile.
func (c *Config) checkFAPI2() error {
	if !c.FAPI2 {
		return nil
	}
	var err error
	problem := func(text string) { err = errors.Join(err, fmt.Errorf("auth: oidc.Config %q: FAPI2: %s", c.Name, text)) }
	secret := !c.ClientSecret.IsZero() || c.SecretIssuer != ""
	if secret || c.ClientAuth != "" && c.ClientAuth != PrivateKeyJWT && !c.ClientAuth.byCertificate() || c.PrivateKey == nil && c.Certificate == nil {
		problem("the client authenticates by PrivateKey (private_key_jwt) or by Certificate, and has no secret")
	}
	if c.DPoPKey == nil && c.Certificate == nil {
		problem("tokens are bound: set DPoPKey or Certificate")
	}
	if c.InsecureNoPKCE {
		problem("InsecureNoPKCE: the profile requires PKCE")
	}
	if c.InsecureHTTP {
		problem("InsecureHTTP: the profile requires TLS")
	}
	for _, a := range c.Algorithms {
		if !slices.Contains(fapiAlgorithms, a) {
			problem(fmt.Sprintf("Algorithms: %q is none of %q", a, fapiAlgorithms))
		}
	}
	return err
}
