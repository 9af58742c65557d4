package main

import (
	"net/http/httptest"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/examples/routers/internal/routertest"
)

func TestSite(t *testing.T) {
	server := httptest.NewServer(site(routertest.New(t, "")))
	t.Cleanup(server.Close)
	browser := authtest.NewBrowser(t, server.URL, nil)
	call := func(name string) (string, connect.Code) {
		client := connect.NewClient[emptypb.Empty, wrapperspb.StringValue](browser.Client, server.URL+"/reports.v1.Reports/"+name)
		resp, err := client.CallUnary(t.Context(), connect.NewRequest(&emptypb.Empty{}))
		if err != nil {
			return "", connect.CodeOf(err)
		}
		return resp.Msg.Value, 0
	}
	for _, want := range []struct {
		subject, name  string
		whoami, delete connect.Code
	}{
		{"", "nobody", connect.CodeUnauthenticated, connect.CodeUnauthenticated},
		{"eve", "Eve", 0, connect.CodePermissionDenied},
		{"ada", "Ada", 0, 0},
	} {
		if want.subject != "" {
			browser.Get("/api/auth/signin")
			browser.SignIn("example", want.subject)
		}
		said, code := call("Ping")
		require.Zero(t, code)
		require.Equal(t, want.name, said)
		_, code = call("Whoami")
		require.Equal(t, want.whoami, code, want.name)
		_, code = call("Delete")
		require.Equal(t, want.delete, code, want.name)
	}
}
