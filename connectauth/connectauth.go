// Package connectauth has package auth protect procedures of connectrpc.com/connect, and
// refuses in the words of the protocol that the client speaks: Connect, gRPC or gRPC-Web.
//
//	path, handler := reportsv1connect.NewReportsHandler(reports)
//	mux.Handle(path, connectauth.Require(a)(handler))
//	http.ListenAndServe(":3000", a.Identify(mux)) // answers /api/auth
//
// A procedure finds out with [auth.FromContext] who calls it:
//
//	func (reports) Get(ctx context.Context, req *connect.Request[v1.GetRequest]) (*connect.Response[v1.Report], error) {
//		who, _ := auth.FromContext(ctx)
//
// One of a service that asks for more is given a rule of its own, by its whole path:
//
//	mux.Handle(reportsv1connect.ReportsDeleteProcedure, connectauth.RequireRule(a, admins)(handler))
//
// # What clients get
//
//	nobody is signed in, a token or a code does not count    unauthenticated      401
//	a policy or a rule refuses, a page of another origin     permission_denied    403
//	too many wrong codes or tokens                           resource_exhausted   429
//	the session store, or who else is asked, is down         unavailable          503
//	anything else                                            internal             500
//
// Metadata beside the error has WWW-Authenticate and Retry-After where HTTP has them. A
// request that is of none of the protocols, such as a browser's that is on its way to a
// page, is answered as [auth.Authenticator.Require] does.
//
// # Why it is no interceptor
//
// connect reads and decodes the message of a unary call before it asks interceptors. Here
// nothing that a stranger sends is read.
package connectauth

import (
	"net/http"

	"connectrpc.com/connect"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// Require returns the middleware that lets only people, or programs, reach a handler of
// connect who are signed in, as [auth.Authenticator.Require] has it. It answers the routes
// of sign-in as well where it is asked for them.
func Require(a *auth.Authenticator) func(handler http.Handler) http.Handler {
	return RequireRule(a, func(*session.Session) error { return nil })
}

// RequireRule is [Require] for those whom rule admits. A refusal that is an [http.Handler],
// as [auth.Rule] has it, does not answer a call by itself: the client learns that
// permission is denied.
func RequireRule(a *auth.Authenticator, rule auth.Rule) func(handler http.Handler) http.Handler {
	guard := a.RequireRule(rule)
	// Any GET may be a call, and any POST of JSON, unless clients have to say so.
	refusals := connect.NewErrorWriter(connect.WithRequireConnectProtocolHeader())
	return func(handler http.Handler) http.Handler {
		pages := guard(handler)
		return a.Identify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !refusals.IsSupported(r) {
				pages.ServeHTTP(w, r)
				return
			}
			if err := refusal(guard, w.Header(), r); err != nil {
				_ = refusals.Write(w, r, err)
				return
			}
			handler.ServeHTTP(w, r)
		}))
	}
}
