package auth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/session"
)

// A test of one's own handler: the request is ada's, and nothing is configured. Package
// authtest also has somebody signed in at a server, and a browser that goes the whole way.
func Example_handlerUnderTest() {
	greet := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, ok := auth.FromContext(r.Context())
		if !ok {
			http.Error(w, "Who are you?", http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, "Hello, ", who.Name)
	})

	r := httptest.NewRequest("GET", "/", nil)
	for _, r := range []*http.Request{r, authtest.As(r, &session.Session{Subject: "4711", Name: "Ada"})} {
		w := httptest.NewRecorder()
		greet.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 401 Who are you?
	//
	// 200 Hello, Ada
}
