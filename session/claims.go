package session

import (
	"math"
	"strconv"
	"time"

	"github.com/sallyport/auth/internal/strictjson"
)

// decode reads a token's payload in one pass. It decodes what has a field and
// keeps the rest as it stands. ok is false unless the text is one JSON object in
// UTF-8 whose member names stand once, so that no two readers see two different
// sessions in it (RFC 7519 4 leaves that open), and unless exp and iat are there:
// a session without an end is none. nbf (RFC 7519 4.1.5) is not kept.
func decode(payload []byte) (s *Session, notBefore time.Time, ok bool) {
	s = &Session{}
	var tokenID string
	ok = strictjson.Members(string(payload), func(name, raw string) (ok bool) {
		switch name {
		case "nbf":
			notBefore, ok = timeOf(raw)
			return ok
		case "jti":
			tokenID, ok = text(raw)
		default:
			ok = s.setField(name, raw)
		}
		if !ok {
			s.extra = append(s.extra, extraClaim{name, raw})
		}
		return true
	})
	if s.ID == "" {
		s.ID = tokenID
	}
	return s, notBefore, ok && !s.ExpiresAt.IsZero() && !s.IssuedAt.IsZero()
}

// setField sets the field of the claim name. A claim that has none, or another
// type than its field, is kept as it stands; so is one that says nothing, such as
// null, which a field cannot tell from a claim that is not there.
func (s *Session) setField(name, raw string) (ok bool) {
	str := func(field *string) bool {
		*field, ok = text(raw)
		return ok
	}
	at := func(field *time.Time) bool {
		*field, ok = timeOf(raw)
		return ok
	}
	switch name {
	case "signin_id":
		return str(&s.ID)
	case "sub":
		return str(&s.Subject)
	case "name":
		return str(&s.Name)
	case "email":
		return str(&s.Email)
	case "picture":
		return str(&s.Picture)
	case "provider":
		return str(&s.Provider)
	case "provider_issuer":
		return str(&s.Issuer)
	case "provider_subject":
		return str(&s.ProviderSubject)
	case "preferred_username":
		return str(&s.Username)
	case "provider_session":
		return str(&s.ProviderSession)
	case "provider_tokens":
		s.ProviderTokens, ok = sealedTokensOf(raw)
		if !ok {
			s.ProviderTokens = nil
		}
		s.given = s.ProviderTokens
		return ok
	case "signin_device":
		return str(&s.Device)
	case "signin_address":
		return str(&s.Address)
	case "signin_token":
		ok = str(&s.TokenLabel)
		s.Machine = ok
		return ok
	case "email_verified":
		s.EmailVerified = raw == "true"
		return s.EmailVerified
	case "groups":
		s.Groups, ok = strictjson.Strings(raw)
		return ok && len(s.Groups) > 0
	case "auth_time":
		return at(&s.AuthTime)
	case "iat":
		return at(&s.IssuedAt)
	case "exp":
		return at(&s.ExpiresAt)
	}
	return false
}

// text is the string raw, if it is one that says something.
func text(raw string) (string, bool) {
	s, ok := strictjson.String(raw)
	return s, ok && s != ""
}

// timeOf reads a NumericDate: a JSON number of seconds since 1970, with a fraction
// if it likes (RFC 7519 2). The fraction is cut off. What is before 1970 or
// beyond the year 9999 is cut to it, so that no sum of times overflows. raw is JSON,
// in which nothing but a number is one to strconv.
func timeOf(raw string) (time.Time, bool) {
	seconds, err := strconv.ParseFloat(raw, 64)
	if err != nil && !math.IsInf(seconds, 0) {
		return time.Time{}, false
	}
	return time.Unix(int64(max(min(seconds, maxTime), 0)), 0), true
}

// maxTime is the last second of the year 9999: what RFC 3339 can write.
const maxTime = 253402300799
