package connectauth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/connectauth"
	"github.com/sallyport/auth/session"
)

const (
	unary = "/reports.v1.Reports/Get"
	watch = "/reports.v1.Reports/Watch"
	admin = "/reports.v1.Reports/Delete"
)

// codes are a way in that is down or refuses, by what is sent.
type codes struct{}

func (codes) Verify(_ context.Context, _ netip.Addr, code string) (*auth.Identity, error) {
	switch code {
	case "right":
		return &auth.Identity{Issuer: "https://app.example", Subject: "cli", Name: "CLI"}, nil
	case "limited":
		return nil, &auth.LimitError{RetryAfter: time.Minute}
	case "wrong":
		return nil, auth.ErrWrongCode
	}
	return nil, errors.New("down")
}

func (codes) Valid(string) bool { return true }

// site is a program with a service.
type site struct {
	*httptest.Server
	t     *testing.T
	auth  *auth.Authenticator
	calls int
}

func newSite(t *testing.T) *site {
	s := &site{t: t}
	var err error
	s.auth, err = auth.New(auth.Config{
		Secrets:    []auth.Secret{auth.NewSecret("Z3e1xNwXyq0kD7tVhC5mB9rJ2uLsPfA8oGiK4jEbRnQ=")},
		AccessCode: codes{}, AccessCodeHeaders: []string{"Authorization"},
		Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	get := func(ctx context.Context, _ *connect.Request[emptypb.Empty]) (*connect.Response[wrapperspb.StringValue], error) {
		s.calls++
		return connect.NewResponse(caller(ctx)), nil
	}
	mux := http.NewServeMux()
	protected := connectauth.Require(s.auth)
	mux.Handle(unary, protected(connect.NewUnaryHandler(unary, get, connect.WithIdempotency(connect.IdempotencyNoSideEffects))))
	mux.Handle(admin, connectauth.RequireRule(s.auth, admins)(connect.NewUnaryHandler(admin, get)))
	mux.Handle(watch, protected(connect.NewBidiStreamHandler(watch, func(ctx context.Context, stream *connect.BidiStream[emptypb.Empty, wrapperspb.StringValue]) error {
		s.calls++
		for {
			if _, err := stream.Receive(); err != nil {
				return nil
			}
			if err := stream.Send(caller(ctx)); err != nil {
				return err
			}
		}
	})))
	s.Server = httptest.NewUnstartedServer(mux)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// caller says who calls.
func caller(ctx context.Context) *wrapperspb.StringValue {
	who, ok := auth.FromContext(ctx)
	if !ok {
		return wrapperspb.String("nobody")
	}
	return wrapperspb.String(who.Subject)
}

// admins is a rule.
func admins(who *session.Session) error {
	if slices.Contains(who.Groups, "admins") {
		return nil
	}
	return fmt.Errorf("%w: no administrator", auth.ErrNotAllowed)
}

// ada is what her browser sends, of groups.
func (s *site) ada(groups ...string) http.Header {
	s.t.Helper()
	h := http.Header{}
	for _, c := range authtest.SignIn(s.t, s.auth, s.URL, &session.Session{Subject: "ada", Groups: groups}) {
		h.Add("Cookie", c.Name+"="+c.Value)
	}
	return h
}

// bearer is what a program sends.
func bearer(code string) http.Header { return http.Header{"Authorization": {"Bearer " + code}} }

// protocols are those that connect speaks.
var protocols = map[string][]connect.ClientOption{
	"connect": nil, "connect-get": {connect.WithHTTPGet(), connect.WithIdempotency(connect.IdempotencyNoSideEffects)}, "json": {connect.WithProtoJSON()},
	"grpc": {connect.WithGRPC()}, "grpc-web": {connect.WithGRPCWeb()},
}

// call calls procedure with what h has.
func (s *site) call(procedure string, h http.Header, options ...connect.ClientOption) (string, *connect.Error) {
	s.t.Helper()
	client := connect.NewClient[emptypb.Empty, wrapperspb.StringValue](s.Client(), s.URL+procedure, options...)
	req := connect.NewRequest(&emptypb.Empty{})
	for name, values := range h {
		req.Header()[name] = values
	}
	resp, err := client.CallUnary(s.t.Context(), req)
	if err != nil {
		var refused *connect.Error
		require.ErrorAs(s.t, err, &refused)
		return "", refused
	}
	return resp.Msg.Value, nil
}
