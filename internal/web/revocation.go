package web

import (
	"context"
	"net/http"
	"time"

	"github.com/sallyport/auth/session"
)

const (
	// revocationLimit is how long taking tokens back may take, discovery and all.
	revocationLimit = 5 * time.Second

	// maxRevocations are how many are under way at once. What comes beyond them is left
	// to expire: a provider that hangs must not fill the memory.
	maxRevocations = 32
)

// revokeTokens has the identity provider take back the tokens of who, who has signed
// out. Nobody waits for that, and nothing depends on it.
func (s *Server) revokeTokens(r *http.Request, way *Way, who *session.Session) {
	if way == nil || way.Revoke == nil || who.ProviderTokens == nil || who.ProviderTokens.AccessToken == "" && who.ProviderTokens.RefreshToken == "" {
		return
	}
	select {
	case s.revoking <- struct{}{}:
	default:
		s.log.WarnContext(r.Context(), "auth: the tokens of somebody who signed out are not revoked: the provider does not keep up", "provider", way.Name)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), revocationLimit)
	go func() {
		defer func() { cancel(); <-s.revoking }()
		if err := way.Revoke(ctx, who.ProviderTokens); err != nil {
			s.log.WarnContext(ctx, "auth: the tokens of somebody who signed out are not revoked", "provider", way.Name, "cause", err.Error())
		}
	}()
}
