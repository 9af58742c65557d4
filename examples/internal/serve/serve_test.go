package serve_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/examples/internal/serve"
)

func env(pairs ...string) envvar.Env {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestAddress(t *testing.T) {
	listener, err := serve.Listen(env("PORT", "0"))
	require.NoError(t, err)
	defer listener.Close()
	host, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", host, "nobody else gets in unasked")
	require.NotEqual(t, "0", port)
	require.Equal(t, "http://localhost:"+port, serve.Origin(listener))

	_, err = serve.Listen(env("PORT", port))
	require.ErrorContains(t, err, "(set PORT or HOST)")
	var taken *net.OpError
	require.ErrorAs(t, err, &taken)

	_, err = serve.Listen(env("HOST", "no host", "PORT", "0"))
	require.ErrorContains(t, err, "no host")

	if other, err := serve.Listen(env()); err == nil {
		require.Equal(t, "127.0.0.1:3000", other.Addr().String())
		require.NoError(t, other.Close())
	} else {
		require.ErrorContains(t, err, "127.0.0.1:3000", "somebody else has it")
	}
}

func TestBeyondThisMachine(t *testing.T) {
	for host, want := range map[string]bool{"": false, "127.0.0.1": false, "127.0.0.2": false, "localhost": false, "0.0.0.0": true} {
		listener, err := serve.Listen(env("HOST", host, "PORT", "0"))
		require.NoError(t, err)
		require.Equal(t, want, serve.BeyondThisMachine(listener), host)
		require.NoError(t, listener.Close())
	}
	listener, err := net.Listen("unix", t.TempDir()+"/s")
	require.NoError(t, err)
	defer listener.Close()
	require.False(t, serve.BeyondThisMachine(listener))
}

// TestAnswersComeToTheirEnd: who is being answered when the program is told to end
// gets the whole answer, and nobody else gets in.
func TestAnswersComeToTheirEnd(t *testing.T) {
	listener, err := serve.Listen(env("PORT", "0"))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	began, finish := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- serve.HTTP(ctx, listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "begun, ")
			_ = http.NewResponseController(w).Flush()
			close(began)
			<-finish
			_, _ = io.WriteString(w, "ended")
		}))
	}()
	resp, err := http.Get(serve.Origin(listener))
	require.NoError(t, err)
	defer resp.Body.Close()
	<-began
	cancel()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, 10*time.Second, 10*time.Millisecond)
	close(finish)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "begun, ended", string(body))
	require.NoError(t, <-done)
}

func TestListenerThatIsGone(t *testing.T) {
	listener, err := serve.Listen(env("PORT", "0"))
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	err = serve.HTTP(context.Background(), listener, http.NotFoundHandler())
	require.ErrorIs(t, err, net.ErrClosed)
}
