// Package serve is how the examples serve HTTP: the address comes from HOST and
// PORT, and whoever is being answered when the program is told to end still gets
// the answer. It knows nothing of sign-in; each example is whole without it, given
// [http.ListenAndServe].
//
//	ctx := serve.UntilInterrupt()
//	listener, err := serve.Listen(os.Getenv)
//	if err != nil {
//		log.Fatal(err)
//	}
//	log.Print("Open " + serve.Origin(listener))
//	err = serve.HTTP(ctx, listener, handler)
package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sallyport/auth/envvar"
)

const (
	headerTimeout = 10 * time.Second // for a request's header: a slow client holds a connection no longer
	idleTimeout   = 2 * time.Minute  // of a connection between requests

	// grace is for answers that have begun. `docker stop` kills after 10 seconds
	// unless told otherwise, Kubernetes after 30.
	grace = 20 * time.Second
)

// UntilInterrupt returns a context that ends when the program is interrupted
// (Ctrl-C) or told to terminate (SIGTERM, by `docker stop` for one). From then on
// a second signal kills the program at once.
func UntilInterrupt() context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}

// Listen listens on TCP at HOST and PORT: 127.0.0.1 and 3000 where they are unset,
// so that only this machine gets in. PORT=0 takes any free port. The error says
// which variables choose another address.
func Listen(env envvar.Env) (net.Listener, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(cmp.Or(env("HOST"), "127.0.0.1"), cmp.Or(env("PORT"), "3000")))
	if err != nil {
		return nil, fmt.Errorf("%w (set PORT or HOST)", err)
	}
	return listener, nil
}

// Origin is the address at which a browser on this machine finds what listener
// serves: http://localhost and the port. It says localhost even where HOST is an
// address, because cookies and registered callback URLs tell the two apart.
func Origin(listener net.Listener) string {
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return "http://localhost:" + port
}

// BeyondThisMachine reports whether others than this machine may reach listener.
func BeyondThisMachine(listener net.Listener) bool {
	at, ok := listener.Addr().(*net.TCPAddr)
	return ok && !at.IP.IsLoopback()
}

// HTTP serves handler on listener until ctx ends, then takes no new connection and
// waits up to 20 seconds for the answers that have begun. It closes listener. The
// error is nil where all of them came to their end. A connection that a handler has
// hijacked, as for a WebSocket, is not waited for.
func HTTP(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		stopped <- server.Shutdown(ctx)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
