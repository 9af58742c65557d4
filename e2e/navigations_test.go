package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/session"
)

// TestNavigations is what Chromium, htmx, Turbo and Unpoly do with what somebody gets
// who is not signed in, and with forms and frames of other sites.
func TestNavigations(t *testing.T) { // MW-05, MW-13, CS-01, CK-10
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	t.Cleanup(server.Close)
	secrets := []auth.Secret{auth.NewSecret(formSecret)}
	site := func(c auth.Config) http.Handler {
		c.Secrets, c.AccessCode = secrets, newGate(t, secrets)
		a, err := auth.New(c)
		require.NoError(t, err)
		mux := http.NewServeMux()
		mux.Handle("/", a.Require(http.HandlerFunc(protectedPage)))
		mux.Handle("/open/", http.StripPrefix("/open/", http.FileServer(http.Dir("."))))
		mux.HandleFunc("/open/sw.js", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			w.Header().Set("Service-Worker-Allowed", "/")
			fmt.Fprint(w, `addEventListener('install', () => skipWaiting())
addEventListener('activate', event => event.waitUntil(clients.claim()))
addEventListener('fetch', event => event.respondWith(fetch(event.request)))`)
		})
		return mux
	}
	apps := map[string]http.Handler{
		"app.example": site(auth.Config{URL: "https://app.example", ReturnOrigins: []string{"https://www.app.example"}, Session: session.Config{CookieDomain: "app.example"}}),
		"framed.example": site(auth.Config{URL: "https://framed.example", FrameAncestors: []string{"https://portal.example"},
			Session: session.Config{SameSiteNone: true}}),
	}
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if app := apps[r.Host]; app != nil {
			app.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html") // another site, empty until a test fills it
	})
	browse(t, "browser/navigations.mjs", fmt.Sprintf("MAP *.example %s", server.Listener.Addr()), accessCode)
}

// protectedPage has every library's form and link.
func protectedPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if r.URL.Path == "/orders" {
		fmt.Fprintf(w, "<main id=done><h1>Order taken</h1></main>")
		return
	}
	scripts := map[string]string{
		"/htmx": "htmx.org/dist/htmx.min.js", "/htmx-2": "htmx-2/dist/htmx.min.js", "/turbo": "@hotwired/turbo/dist/turbo.es2017-umd.js", "/unpoly": "unpoly/unpoly.min.js",
	}
	script := ""
	if source := scripts[r.URL.Path]; source != "" {
		script = `<script src="/open/node_modules/` + source + `"></script>`
	}
	fmt.Fprintf(w, `<!doctype html><title>Page</title>%s
<main><h1>%s</h1>
<form method=post action=/orders hx-post=/orders><input name=text><button>Order</button></form>
<a id=link href=/next hx-get=/next>Next</a>
<a id=plain href=/next up-follow>Follow</a>
<form id=up method=post action=/orders up-submit><button>Submit</button></form>
<turbo-frame id=done><a id=inframe href=/next>Into the frame</a><form id=framedform method=post action=/orders><button>In the frame</button></form></turbo-frame>
</main>`, script, r.URL.Path)
}

func newGate(t *testing.T, secrets []auth.Secret) auth.CodeVerifier {
	gate, err := accesscode.New(accesscode.Config{Codes: []accesscode.Code{{Text: auth.NewSecret(accessCode)}}, Secrets: secrets})
	require.NoError(t, err)
	return gate
}
