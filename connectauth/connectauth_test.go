package connectauth_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/connectauth"
	"github.com/sallyport/auth/session"
)

func TestUnary(t *testing.T) { // MW-10, MW-13
	for protocol, options := range protocols {
		t.Run(protocol, func(t *testing.T) {
			s := newSite(t)
			who, err := s.call(unary, s.ada(), options...)
			require.Nil(t, err)
			require.Equal(t, "ada", who)
			who, err = s.call(unary, bearer("right"), options...)
			require.Nil(t, err)
			require.NotEmpty(t, who)
			calls := s.calls

			page := http.Header{"Accept": {"text/html"}, "Sec-Fetch-Mode": {"navigate"}}
			for _, h := range []http.Header{nil, page, {"Cookie": {"__Secure-authjs.session-token=forged"}}} {
				_, err = s.call(unary, h, options...)
				require.Equal(t, connect.CodeUnauthenticated, err.Code())
				require.Equal(t, "Not signed in. Sign in at "+s.URL+"/api/auth/signin", err.Message())
				require.Contains(t, err.Meta().Get("WWW-Authenticate"), "Cookie realm=")
				require.Equal(t, "no-store", strings.TrimPrefix(err.Meta().Get("Cache-Control"), "private, no-cache, "))
			}
			_, err = s.call(unary, bearer("wrong"), options...)
			require.Equal(t, connect.CodeUnauthenticated, err.Code())
			require.Contains(t, err.Meta().Get("WWW-Authenticate"), `error="invalid_token"`)
			_, err = s.call(unary, bearer("down"), options...)
			require.Equal(t, connect.CodeUnavailable, err.Code())
			require.Equal(t, "5", err.Meta().Get("Retry-After"))
			require.NotContains(t, err.Message(), "down")
			_, err = s.call(unary, bearer("limited"), options...)
			require.Equal(t, connect.CodeResourceExhausted, err.Code())
			require.NotEmpty(t, err.Meta().Get("Retry-After"))
			require.Equal(t, calls, s.calls)
		})
	}
}

func TestRule(t *testing.T) { // HD-01
	for protocol, options := range protocols {
		if protocol == "connect-get" {
			continue // what deletes is no GET
		}
		t.Run(protocol, func(t *testing.T) {
			s := newSite(t)
			_, err := s.call(admin, nil, options...)
			require.Equal(t, connect.CodeUnauthenticated, err.Code())
			_, err = s.call(admin, s.ada("staff"), options...)
			require.Equal(t, connect.CodePermissionDenied, err.Code())
			foreign := s.ada("admins")
			foreign.Set("Origin", "https://evil.example")
			_, err = s.call(admin, foreign, options...)
			require.Equal(t, connect.CodePermissionDenied, err.Code(), "a page of another origin")
			require.Zero(t, s.calls)
			who, err := s.call(admin, s.ada("admins"), options...)
			require.Nil(t, err)
			require.Equal(t, "ada", who)
		})
	}
}

// TestStream: each message has its answer while the call goes on.
func TestStream(t *testing.T) { // MW-16
	for _, protocol := range []string{"connect", "json", "grpc", "grpc-web"} {
		t.Run(protocol, func(t *testing.T) {
			s := newSite(t)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			client := connect.NewClient[emptypb.Empty, wrapperspb.StringValue](s.Client(), s.URL+watch, protocols[protocol]...)
			stream := client.CallBidiStream(ctx)
			require.NoError(t, stream.Send(nil)) // the header alone
			_, err := stream.Receive()
			require.Equal(t, connect.CodeUnauthenticated, connect.CodeOf(err))
			var refused *connect.Error
			require.ErrorAs(t, err, &refused)
			require.Contains(t, refused.Meta().Get("WWW-Authenticate"), "Cookie realm=")
			require.Zero(t, s.calls)

			stream = client.CallBidiStream(ctx)
			for name, values := range s.ada() {
				stream.RequestHeader()[name] = values
			}
			for range 3 {
				require.NoError(t, stream.Send(&emptypb.Empty{}))
				msg, err := stream.Receive()
				require.NoError(t, err)
				require.Equal(t, "ada", msg.Value)
			}
			require.NoError(t, stream.CloseRequest())
			_, err = stream.Receive()
			require.ErrorIs(t, err, io.EOF)
			require.NoError(t, stream.CloseResponse())
		})
	}
}

// unread is a body that nobody is to read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	require.Fail(u.t, "a stranger's message is read")
	return 0, io.EOF
}

func TestNothingOfStrangersIsRead(t *testing.T) { // MW-16
	s := newSite(t)
	r, err := http.NewRequest("POST", s.URL+unary, unread{t})
	require.NoError(t, err)
	for contentType := range map[string]bool{"application/json": true, "application/proto": true, "application/grpc": true, "application/connect+json": true} {
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Connect-Protocol-Version", "1")
		s.Config.Handler.ServeHTTP(discard{http.Header{}}, r)
	}
	require.Zero(t, s.calls)
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(b []byte) (int, error) { return len(b), nil }

// TestOthers: what is no call is answered as anywhere.
func TestOthers(t *testing.T) { // MW-13
	s := newSite(t)
	s.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for accept, want := range map[string]int{"text/html": 303, "*/*": 401} {
		r, err := http.NewRequest("GET", s.URL+unary, nil)
		require.NoError(t, err)
		r.Header.Set("Accept", accept)
		resp, err := s.Client().Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, resp.StatusCode)
	}
	require.Zero(t, s.calls)
}

// TestAnswerIsForOnePerson: a call by GET may be kept by caches.
func TestAnswerIsForOnePerson(t *testing.T) { // HD-01
	s := newSite(t)
	r, err := http.NewRequest("GET", s.URL+unary+"?connect=v1&encoding=json&message=%7B%7D", nil)
	require.NoError(t, err)
	r.Header = s.ada()
	resp, err := s.Client().Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, []string{"private, no-store"}, resp.Header["Cache-Control"])
	require.Contains(t, resp.Header.Get("Vary"), "Cookie")
}

// answering is a refusal that answers by itself.
type answering struct{ http.HandlerFunc }

func (answering) Error() string { return "answers by itself" }

func TestRefusalThatAnswers(t *testing.T) {
	s := newSite(t)
	for want, answer := range map[connect.Code]http.HandlerFunc{
		connect.CodePermissionDenied: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/plans", http.StatusSeeOther) },
		connect.CodeInternal:         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
	} {
		s.Config.Handler = connectauth.RequireRule(s.auth, auth.Rule(func(*session.Session) error { return answering{answer} }))(http.NotFoundHandler())
		_, err := s.call(unary, s.ada())
		require.Equal(t, want, err.Code())
		require.Equal(t, "refused", err.Message())
	}
}
