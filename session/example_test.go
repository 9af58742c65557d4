package session_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/sallyport/auth/session"
)

// A claim without a field is read into a value of the type that it should have. It
// is not there, or is of another type, where the other side says so: look at both.
func ExampleSession_Claim() {
	s := &session.Session{Subject: "4711", Name: "Ada"}
	if err := s.SetClaim("roles", []string{"admin", "editor"}); err != nil {
		panic(err)
	}

	var roles []string
	found, err := s.Claim("roles", &roles)
	fmt.Println(roles, found, err)

	var level int
	found, err = s.Claim("level", &level)
	fmt.Println(level, found, err)

	found, err = s.Claim("roles", &level)
	fmt.Println(found, err != nil)
	// Output:
	// [admin editor] true <nil>
	// 0 false <nil>
	// true true
}

// A claim that has a field is set there.
func ExampleSession_SetClaim() {
	s := &session.Session{}
	fmt.Println(s.SetClaim("theme", "dark"))
	fmt.Println(s.SetClaim("email", "ada@example.com"))
	// Output:
	// <nil>
	// session: claim "email" is not free to set: it has a field, or a meaning of its own
}

// A token can be opened without a request: in a tool, or in a service that is
// handed one. A Codec does not look at "exp", so that must be done here.
func ExampleCodec_Open() {
	const cookie = "__Secure-authjs.session-token"
	old := session.NewSecret("Hq2cY7Nn0wVtE4rXbS9uKd6LfJmZ1gPa")
	token := session.NewCodec(cookie, []session.Secret{old}).Seal([]byte(`{"sub":"4711","exp":1792592000}`))

	// A new secret in front seals from now on. The old one still opens.
	rotated := session.NewCodec(cookie, []session.Secret{session.NewSecret("t8RzW3kBv5CyUe1QhGx7OaDj0MpIs4Nl"), old})
	payload, err := rotated.Open(token)
	fmt.Println(string(payload), err)

	_, err = rotated.Open(token + "A")
	fmt.Println(err)

	// The name of the cookie is part of the key.
	_, err = session.NewCodec("authjs.session-token", []session.Secret{old}).Open(token)
	fmt.Println(err)
	// Output:
	// {"sub":"4711","exp":1792592000} <nil>
	// session: invalid token
	// session: invalid token
}

// A session from the sign-in to the sign-out. Package auth does this for an
// application.
func ExampleManager() {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	secrets := []session.Secret{session.NewSecret("Hq2cY7Nn0wVtE4rXbS9uKd6LfJmZ1gPa")}
	m, err := session.NewManager(session.Config{}, secrets, func() time.Time { return now })
	if err != nil {
		panic(err)
	}

	answer, request := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "https://app.example/", nil)
	if err := m.Start(answer, request, &session.Session{Subject: "4711", Name: "Ada"}, true); err != nil {
		panic(err)
	}
	cookie := answer.Result().Cookies()[0]
	fmt.Println(cookie.Name, "until", cookie.Expires.Format(time.DateOnly))

	// A day later a request has it written anew.
	now = now.Add(24 * time.Hour)
	answer, request = httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "https://app.example/", nil)
	request.AddCookie(cookie)
	s, err := m.Load(request, true)
	if err != nil || s == nil {
		panic("not signed in")
	}
	if err := m.Renew(answer, request, s, true); err != nil {
		panic(err)
	}
	fmt.Println(s.Name, "until", answer.Result().Cookies()[0].Expires.Format(time.DateOnly))

	// Sign-out deletes the cookie.
	answer = httptest.NewRecorder()
	if err := m.End(answer, request, true); err != nil {
		panic(err)
	}
	fmt.Println(answer.Result().Cookies()[0].MaxAge < 0)
	// Output:
	// __Secure-authjs.session-token until 2026-03-31
	// Ada until 2026-04-01
	// true
}
