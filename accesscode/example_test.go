package accesscode_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
)

// hello greets by the label of the code that was used.
func hello(w http.ResponseWriter, r *http.Request) {
	s, _ := auth.FromContext(r.Context())
	fmt.Fprintf(w, "Hello, %s: %v\n", s.Name, s.Groups)
}

// A site with an access code alone. People get a page with a form; programs send
// the code in a header, since AccessCodeHeaders says so.
func Example() {
	secrets := []auth.Secret{auth.NewSecret("7Fq2mB0xVd3oYk9LwR5tEz8uHj1nGc4s")} // openssl rand -base64 32
	codes, err := accesscode.New(accesscode.Config{
		Secrets: secrets,
		Codes: []accesscode.Code{
			{Text: auth.NewSecret("tulip-anvil-harbour-17"), Label: "board", Groups: []string{"board"}},
			{Text: auth.NewSecret("maple-cider-orbit-4242"), Label: "guests", Expires: time.Now().Add(14 * 24 * time.Hour)},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:           secrets,
		AccessCode:        codes,
		AccessCodeHeaders: []string{"X-Access-Code"},
	})
	if err != nil {
		log.Fatal(err)
	}
	site := httptest.NewServer(a.Require(http.HandlerFunc(hello)))
	defer site.Close()

	for _, code := range []string{"tulip-anvil-harbour-17", "maple-cider-orbit-4242", "swordfish"} {
		r, _ := http.NewRequest("GET", site.URL, nil)
		r.Header.Set("X-Access-Code", code)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			log.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(resp.Status)
		if resp.StatusCode == http.StatusOK {
			fmt.Println(strings.TrimSpace(string(body)))
		}
	}
	// Output:
	// 200 OK
	// Hello, board: [board]
	// 200 OK
	// Hello, guests: []
	// 401 Unauthorized
}
