// Command connect has sign-in in front of procedures of connect.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/connectauth"
	"github.com/sallyport/auth/examples/routers/internal/live"
	"github.com/sallyport/auth/providers"
)

func main() {
	config, err := auth.ConfigFromEnv(os.Getenv, auth.Parts{Providers: providers.All(), AccessCode: accesscode.FromEnv})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(config)
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "127.0.0.1:3000", Handler: site(a), ReadHeaderTimeout: 10 * time.Second}
	log.Print("open http://localhost:3000/api/auth/signin")
	log.Fatal(server.ListenAndServe())
}

// site serves three procedures, which as a rule are generated: for everybody, for members,
// for administrators.
func site(a *auth.Authenticator) http.Handler {
	mux := http.NewServeMux()
	for procedure, guard := range map[string]func(http.Handler) http.Handler{
		"/reports.v1.Reports/Ping":   a.Identify,
		"/reports.v1.Reports/Whoami": connectauth.Require(a),
		"/reports.v1.Reports/Delete": connectauth.RequireRule(a, live.Admins),
	} {
		mux.Handle(procedure, guard(connect.NewUnaryHandler(procedure, whoami)))
	}
	return a.Identify(mux) // answers the routes of sign-in
}

func whoami(ctx context.Context, _ *connect.Request[emptypb.Empty]) (*connect.Response[wrapperspb.StringValue], error) {
	who, ok := auth.FromContext(ctx)
	if !ok {
		return connect.NewResponse(wrapperspb.String("nobody")), nil
	}
	return connect.NewResponse(wrapperspb.String(who.Name)), nil
}
