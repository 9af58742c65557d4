package stores_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/e2e/internal/visit"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sqlstore"
)

// fleet is three nodes of one site behind one address, and its identity provider. A request
// goes to the node that its header Node names, or to any.
type fleet struct {
	t     *testing.T
	url   string
	nodes [3]*auth.Authenticator
	idp   *providertest.Server
}

func newFleet(t *testing.T, sessions func() session.Config) *fleet {
	f := &fleet{t: t}
	var handlers [3]http.Handler
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		node := rand.IntN(len(handlers))
		if name := r.Header.Get("Node"); name != "" {
			node = int(name[0] - 'A')
		}
		handlers[node].ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	f.url = front.URL
	f.idp = providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "fleet", Secret: "a-client-secret-4711"}},
		People:  []providertest.Person{{Subject: "subject-4711", Name: "Ada Lovelace", Email: "ada@example.com", EmailVerified: true, Claims: map[string]any{"sid": "sid-4711"}}},
	})
	t.Cleanup(f.idp.Close)
	for i := range f.nodes {
		p, err := oidc.New(oidc.Config{Name: "corp", Issuer: f.idp.Issuer(), ClientID: "fleet", ClientSecret: auth.NewSecret("a-client-secret-4711")})
		require.NoError(t, err)
		f.nodes[i], err = auth.New(auth.Config{
			Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: f.url,
			Providers: []auth.Provider{p}, Session: sessions(), Logger: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		handlers[i] = f.nodes[i].Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello") }))
	}
	return f
}

// person is a browser.
type person struct {
	f *fleet
	*http.Client
}

func (f *fleet) person() *person {
	jar, err := cookiejar.New(nil)
	require.NoError(f.t, err)
	return &person{f, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// send asks a node, with a form if there is one, and follows nothing.
func (p *person) send(node byte, to string, form url.Values) (answer *http.Response, text string) {
	p.f.t.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequest(method, to, strings.NewReader(form.Encode()))
	require.NoError(p.f.t, err)
	r.Header.Set("Node", string(node))
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err = p.Do(r)
	require.NoError(p.f.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(p.f.t, err)
	return answer, string(body)
}

// status is what a node answers to a page that is for people who are signed in.
func (p *person) status(node byte) int {
	p.f.t.Helper()
	answer, _ := p.send(node, p.f.url+"/page", nil)
	return answer.StatusCode
}

// signIn begins on one node and comes back to another.
func (p *person) signIn(begins, comesBack byte) {
	p.f.t.Helper()
	_, page := p.send(begins, p.f.url+"/api/auth/signin", nil)
	action, form, ok := visit.Form(page, "/signin/corp")
	require.True(p.f.t, ok, page)
	answer, text := p.send(begins, p.f.url+action, form)
	require.Equal(p.f.t, http.StatusSeeOther, answer.StatusCode, text)
	answer, text = p.send(begins, answer.Header.Get("Location"), nil) // the identity provider
	require.Equal(p.f.t, 3, answer.StatusCode/100, text)
	answer, text = p.send(comesBack, answer.Header.Get("Location"), nil)
	require.Equal(p.f.t, http.StatusSeeOther, answer.StatusCode, text)
}

// press sends the form of the sessions page that has part in it.
func (p *person) press(node byte, part string) {
	p.f.t.Helper()
	_, page := p.send(node, p.f.url+"/api/auth/sessions", nil)
	action, form, ok := visit.Form(page, part)
	require.True(p.f.t, ok, page)
	answer, text := p.send(node, p.f.url+action, form)
	require.Equal(p.f.t, http.StatusSeeOther, answer.StatusCode, text)
}

// SE-04, SE-05, SE-15: sign in on A, come back to B, be signed out on C.
func threeNodes(t *testing.T, sessions func() session.Config) {
	f := newFleet(t, sessions)
	a, b, c := f.nodes[0], f.nodes[1], f.nodes[2]
	phone, laptop, tablet := f.person(), f.person(), f.person()
	phone.signIn('A', 'B')
	laptop.signIn('B', 'C')
	tablet.signIn('C', 'A')
	everybody := func(want ...int) {
		t.Helper()
		for _, node := range []byte("ABC") {
			for i, p := range []*person{phone, laptop, tablet} {
				require.Equal(t, want[i], p.status(node), "%d on %c", i, node)
			}
		}
	}
	everybody(200, 200, 200)
	phone.press('C', `value="others"`)
	everybody(200, 303, 303)

	ctx := context.Background()
	laptop.signIn('A', 'C')
	require.NoError(t, b.Revoke(ctx, session.OfProviderSession(f.idp.Issuer(), "sid-4711")))
	everybody(303, 303, 303)
	laptop.signIn('A', 'C')
	require.NoError(t, a.Revoke(ctx, session.OfSubject(f.idp.Issuer(), "subject-4711")))
	everybody(303, 303, 303)
	tablet.signIn('C', 'A')
	require.NoError(t, c.Revoke(ctx, session.OfUser("subject-4711")))
	everybody(303, 303, 303)

	phone.signIn('B', 'A')
	laptop.signIn('B', 'A')
	phone.press('B', `value="all"`)
	everybody(303, 303, 303)
}

func TestThreeNodesOnRedis(t *testing.T) {
	server := startRedis(t, "redis-server", "port %s\nsave \"\"")
	store := func() session.Store {
		return redisStore(t, redis.NewClient(&redis.Options{Addr: server.addr, ContextTimeoutEnabled: true}))
	}
	t.Run("store", func(t *testing.T) { threeNodes(t, func() session.Config { return session.Config{Store: store()} }) })
	t.Run("cookies", func(t *testing.T) {
		threeNodes(t, func() session.Config { return session.Config{Revocations: store()} })
	})
	dump, err := server.client(t).Do(t.Context(), "KEYS", "*").StringSlice()
	require.NoError(t, err)
	for _, key := range dump {
		var value any
		switch kind := server.client(t).Type(t.Context(), key).Val(); kind {
		case "string":
			value = server.client(t).Get(t.Context(), key).Val()
		default:
			value = server.client(t).ZRange(t.Context(), key, 0, -1).Val()
		}
		text, err := json.Marshal([]any{key, value})
		require.NoError(t, err)
		tellsNothing(t, string(text))
	}
}

// SE-05: what the person sees and presses, in Chromium, whichever node answers.
func TestSessionsInTheBrowser(t *testing.T) {
	server := startRedis(t, "redis-server", "port %s\nsave \"\"")
	f := newFleet(t, func() session.Config {
		return session.Config{Store: redisStore(t, redis.NewClient(&redis.Options{Addr: server.addr, ContextTimeoutEnabled: true}))}
	})
	browser := exec.Command("node", "browser/sessions.mjs", f.url)
	browser.Dir = ".."
	output, err := browser.CombinedOutput()
	require.NoError(t, err, string(output))
}

func TestThreeNodesOnDatabases(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		table := newTable()
		store := func() session.Store { return d.store(t, d.open(t), sqlstore.Config{Table: table}) }
		t.Run("store", func(t *testing.T) { threeNodes(t, func() session.Config { return session.Config{Store: store()} }) })
		t.Run("cookies", func(t *testing.T) {
			threeNodes(t, func() session.Config { return session.Config{Revocations: store()} })
		})
		db := d.open(t)
		for _, name := range []string{table, table + "_lists"} {
			rows, err := db.QueryContext(t.Context(), `SELECT * FROM `+name)
			require.NoError(t, err)
			defer rows.Close()
			for rows.Next() {
				var one, two, three any
				require.NoError(t, rows.Scan(&one, &two, &three))
				for _, column := range []any{one, two, three} {
					if raw, ok := column.([]byte); ok {
						column = string(raw)
					}
					if text, ok := column.(string); ok {
						tellsNothing(t, text)
					}
				}
			}
			require.NoError(t, rows.Err())
		}
	})
}

// SE-02: what is in a store tells nobody who somebody is, nor signs in.
func tellsNothing(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{"subject-4711", "sid-4711", "Ada Lovelace", "example.com", "127.0.0.1", "Go-http-client"} {
		require.NotContains(t, text, secret)
	}
}
