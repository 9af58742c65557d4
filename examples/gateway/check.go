package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/sallyport/auth"
)

// checkLimit bounds what the application is asked.
const checkLimit = 10 * time.Second

// check writes whether people can sign in with what the environment says, and see the
// application, and returns what to exit with. Nothing is served.
func check(ctx context.Context, env auth.Env, out io.Writer) int {
	g, err := prepare(env, slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelWarn})))
	defer g.close()
	if err != nil {
		fmt.Fprintln(out, err) // a problem a line
		return 1
	}
	if g.store.migrate != nil {
		if err := g.store.migrate(ctx); err != nil {
			fmt.Fprintf(out, "the tables of the session store cannot be made: %v\n", err)
			return 1
		}
	}
	report := append(g.auth.Doctor(ctx), upstreamFinding(ctx, g))
	fmt.Fprint(out, report)
	if report.Err() != nil {
		return 1
	}
	return 0
}

// upstreamFinding asks the application for its front page. Any answer will do.
func upstreamFinding(ctx context.Context, g prepared) auth.Finding {
	f := auth.Finding{About: "application", Text: "it answers at " + g.upstream.Host}
	client := http.Client{Timeout: checkLimit, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, "GET", g.upstream.String(), nil)
	if err == nil {
		var resp *http.Response
		if resp, err = client.Do(req); err == nil {
			resp.Body.Close()
			return f
		}
	}
	f.Grade, f.Text, f.Cure = auth.GradeFaulty, fmt.Sprintf("nobody answers at %s: %v", g.upstream.Host, err), "start it, or set UPSTREAM_URL to where it is"
	return f
}
