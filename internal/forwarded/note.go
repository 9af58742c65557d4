package forwarded

import (
	"log/slog"
	"net/http"
	"sync"
)

// A reason for ignoring a header.
type reason int

const (
	notTrusted reason = iota
	clientNotBelieved
	forwardedIgnored
	xForwardedIgnored
	prefixNotPlain
	schemeUnvouched
	reasons
)

// otherKind is the reason for ignoring the kind of header that does not count.
func (p *Proxies) otherKind() reason {
	if p.forwarded {
		return xForwardedIgnored
	}
	return forwardedIgnored
}

// What an operator reads: what happened, and the setting that would change it.
var texts = [reasons]struct{ happened, setting string }{
	notTrusted: {
		"auth: forwarding headers are ignored, because the peer that sends them is no trusted proxy; if it is a proxy of yours, trust its address",
		"Config.TrustedProxies (gateway: TRUSTED_PROXIES)",
	},
	clientNotBelieved: {
		"auth: a proxy on a private address is not believed about its clients' addresses, so that all of them count as one client; if only proxies can connect from that network, trust its address",
		"Config.TrustedProxies (gateway: TRUSTED_PROXIES)",
	},
	forwardedIgnored: {
		"auth: a Forwarded header is ignored, because X-Forwarded-* count; where it contradicts them, neither is believed; if your proxies write Forwarded, say so, and if not, have them remove it",
		"Config.Forwarded",
	},
	xForwardedIgnored: {
		"auth: an X-Forwarded-* header is ignored, because Forwarded counts; where it contradicts that, neither is believed; if your proxies write X-Forwarded-*, say so, and if not, have them remove it",
		"Config.Forwarded",
	},
	schemeUnvouched: {
		"auth: X-Forwarded-Proto says https of a hop that no trusted proxy vouches for, and http of the others, so that http counts; if the connection to your first proxy is https, trust the addresses of all your proxies and have each add to X-Forwarded-For, or say the address yourself",
		"Config.TrustedProxies (gateway: TRUSTED_PROXIES) or Config.URL (NEXTAUTH_URL)",
	},
	prefixNotPlain: {
		"auth: an X-Forwarded-Prefix header is ignored, because it is not one plain path such as /app; have your proxies set it, or say the prefix yourself",
		"Config.URL (NEXTAUTH_URL)",
	},
}

// notes tell the log once of each reason: whoever can send a header could
// otherwise fill it.
type notes struct {
	log  *slog.Logger
	said [reasons]sync.Once
}

func (n *notes) say(r *http.Request, why reason) {
	n.said[why].Do(func() {
		n.log.WarnContext(r.Context(), texts[why].happened, "peer", r.RemoteAddr, "setting", texts[why].setting)
	})
}
