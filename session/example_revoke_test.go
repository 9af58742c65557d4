package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/sallyport/auth/session"
)

// signedIn is a request of somebody who has just signed in.
func signedIn(m *session.Manager, s *session.Session) *http.Request {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "https://app.example/", nil)
	if err := m.Start(w, r, s, true); err != nil {
		panic(err)
	}
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	return r
}

// Ada has lost her phone, and signs out everywhere but on her laptop.
func ExampleManager_Revoke() {
	secrets := []session.Secret{session.NewSecret("Hq2cY7Nn0wVtE4rXbS9uKd6LfJmZ1gPa")} // openssl rand -base64 32
	m, err := session.NewManager(session.Config{Store: session.NewMemoryStore(0, nil)}, secrets, time.Now)
	if err != nil {
		panic(err)
	}
	phone := signedIn(m, &session.Session{Subject: "4711", Device: "Safari, iPhone"})
	laptop := signedIn(m, &session.Session{Subject: "4711", Device: "Firefox, Linux"})

	ctx := context.Background()
	list, err := m.List(ctx, session.OfUser("4711"))
	fmt.Println(len(list), err)

	here, _ := m.Load(laptop, true)
	fmt.Println(m.Revoke(ctx, session.OfUser("4711").Except(here.ID)))

	for _, r := range []*http.Request{phone, laptop} {
		s, err := m.Load(r, true)
		fmt.Println(s != nil, err)
	}
	// Output:
	// 2 <nil>
	// <nil>
	// false <nil>
	// true <nil>
}

// Sessions stay in cookies, and what is taken back is in a store that the nodes share.
func ExampleConfig_revocations() {
	secrets := []session.Secret{session.NewSecret("Hq2cY7Nn0wVtE4rXbS9uKd6LfJmZ1gPa")}
	config := session.Config{Revocations: session.NewMemoryStore(0, nil)} // or redisstore's, or sqlstore's
	var nodes []*session.Manager
	for range 2 {
		m, err := session.NewManager(config, secrets, time.Now)
		if err != nil {
			panic(err)
		}
		nodes = append(nodes, m)
	}
	r := signedIn(nodes[0], &session.Session{Subject: "4711"})
	fmt.Println(nodes[1].Revoke(context.Background(), session.OfUser("4711")))
	s, err := nodes[0].Load(r, true)
	fmt.Println(s == nil, err)
	// Output:
	// <nil>
	// true <nil>
}
