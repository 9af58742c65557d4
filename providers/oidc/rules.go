package oidc

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

const (
	clockSkew = time.Minute // how far our clock and the issuer's may be apart
	maxIDAge  = time.Hour   // how old an ID token may be at sign-in

	maxSubject = 255 // bytes: Core 2
)

// checkIssuer wants the issuer that the metadata names, to the letter: go-oidc takes
// accounts.google.com for https://accounts.google.com. Where the name is a
// template, tid says which tenant.
func checkIssuer(want string, o strictjson.Object, k verificationKey) error {
	tenant, _ := o.String("tid")
	if strings.Contains(want, codegrant.TenantMark) {
		if !guid.MatchString(tenant) {
			return codegrant.Invalid("tid is no GUID")
		}
		want = strings.Replace(want, codegrant.TenantMark, tenant, 1)
	}
	if got, _ := o.String("iss"); got != want {
		return codegrant.Invalid("iss is %q, want %q", codegrant.Printable(got, 200), want)
	}
	// Microsoft says which issuer each key is for, in the same form.
	if k.issuer != "" && strings.ReplaceAll(k.issuer, codegrant.TenantMark, tenant) != want {
		return codegrant.Invalid("the key that signed it belongs to another issuer")
	}
	return nil
}

// audiences reads aud, a string or an array of strings: RFC 7519 4.1.3.
func audiences(o strictjson.Object) ([]string, bool) {
	if one, ok := o.String("aud"); ok {
		return []string{one}, true
	}
	return o.Strings("aud")
}

// checkAudience wants us among the audiences, nobody whom the configuration does
// not know unless it leaves that to the issuer, and us as the authorized party: Core
// 3.1.3.7, 3 to 5. go-oidc looks for us among the audiences, and at nothing else.
// Whoever else is an audience could bring the token here as somebody's sign-in;
// azp says that it is from one of ours. What is wrong here, the issuer has signed, and
// signs again next time: it is a fault of the set-up.
func (p *Provider) checkAudience(o strictjson.Object) error {
	list, ok := audiences(o)
	if !ok {
		return codegrant.Misconfigured("aud is neither a string nor a list of strings")
	}
	if !slices.Contains(list, p.config.ClientID) {
		return codegrant.Misconfigured("aud is %q, want the client id", codegrant.Printable(strings.Join(list, " "), 200))
	}
	for _, a := range list {
		if a != p.config.ClientID && !p.config.AudiencesByIssuer && !slices.Contains(p.config.TrustedAudiences, a) {
			return codegrant.Misconfigured("aud names %q, which TrustedAudiences (in the environment AUTH_%s_TRUSTED_AUDIENCES) does not", codegrant.Printable(a, 200), codegrant.Variable(p.config.Name))
		}
	}
	if _, there := o["azp"]; !there {
		if len(list) > 1 {
			return codegrant.Misconfigured("it has several audiences and no azp")
		}
		return nil
	}
	if azp, ok := o.String("azp"); !ok || azp != p.config.ClientID {
		return codegrant.Misconfigured("azp is not the client id")
	}
	return nil
}

// checkHash verifies c_hash where it is: the left half of the hash that belongs to
// the algorithm (Core 3.3.2.11). Ed25519 goes with SHA-512.
func checkHash(o strictjson.Object, name, algorithm, value string) error {
	if _, there := o[name]; !there {
		return nil
	}
	h := sha256.New()
	switch {
	case algorithm == "EdDSA" || strings.HasSuffix(algorithm, "512"):
		h = sha512.New()
	case strings.HasSuffix(algorithm, "384"):
		h = sha512.New384()
	}
	h.Write([]byte(value))
	got, _ := o.String(name)
	want := base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:h.Size()/2])
	if subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return codegrant.Invalid("%s does not match", name)
	}
	return nil
}

// checkAuthTime wants somebody who signed in lately, where max_age was asked for:
// Core 3.1.2.1 and 3.1.3.7, 13. A provider that does not heed it says so by an
// auth_time that is too old, or by none. What counts is the time until the attempt
// began, not what the person did at the provider since.
func (p *Provider) checkAuthTime(o strictjson.Object, tx auth.Transaction) error {
	asked := p.config.AuthParams.Get("max_age")
	if v := tx.Params.Get("max_age"); v != "" && slices.Contains(p.config.ParamNames, "max_age") {
		asked = v
	}
	if asked == "" {
		return nil
	}
	maxAge, err := strconv.ParseUint(asked, 10, 31)
	if err != nil {
		return codegrant.Invalid("max_age was asked for, and is no number of seconds")
	}
	at, ok := o.Int("auth_time")
	if !ok {
		return codegrant.Invalid("max_age was asked for, and auth_time is missing or no number")
	}
	now := p.config.Now()
	begun := tx.Begun
	if begun.IsZero() {
		begun = now
	}
	skew := int64(clockSkew / time.Second)
	switch {
	case at > now.Unix()+skew:
		return codegrant.Invalid("auth_time is in the future")
	case at < begun.Unix()-int64(maxAge)-skew:
		return codegrant.Invalid("the person signed in longer ago than the max_age that was asked for: the provider did not ask again")
	}
	return nil
}

// checkTimes holds exp, iat and nbf to the clock here, with clockSkew each way: Core
// 3.1.3.7, 9 and 10, RFC 7519 4.1.5. exp and iat are required: Core 2. An ID token is
// from the moment of the exchange, so an old one is somebody's who kept it. Fractions
// of a second are cut, and numbers too large for a date are far away, not in the past.
func checkTimes(o strictjson.Object, now time.Time) error {
	exp, ok := o.Int("exp")
	if !ok {
		return codegrant.Invalid("exp is missing or no number")
	}
	iat, ok := o.Int("iat")
	if !ok {
		return codegrant.Invalid("iat is missing or no number")
	}
	skew := int64(clockSkew / time.Second)
	if exp <= now.Unix()-skew {
		return clockError("it has expired", now)
	}
	if iat > now.Unix()+skew {
		return clockError("it was issued in the future", now)
	}
	if iat < now.Unix()-int64(maxIDAge/time.Second)-skew {
		return clockError("it was issued more than an hour ago", now)
	}
	if _, there := o["nbf"]; there {
		nbf, ok := o.Int("nbf")
		if !ok {
			return codegrant.Invalid("nbf is no number")
		}
		if nbf > now.Unix()+skew {
			return clockError("it is not valid yet", now)
		}
	}
	return nil
}

// clockError is a token that would be good at another time: an operator whose clock
// is wrong needs to see it.
func clockError(text string, now time.Time) error {
	return fmt.Errorf("%w: %w: %s; the clock here says %s", auth.ErrClock, auth.ErrInvalidResponse, text, now.UTC().Format(time.RFC3339))
}
