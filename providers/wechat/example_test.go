package wechat_test

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/wechat"
)

// Those whose unionid is on a list sign in.
func Example() {
	members := func(_ context.Context, _ string, id *auth.Identity) error {
		if id.Subject != "o6_bmasdasdsad6_2sgVt7hMZOPfL" {
			return auth.ErrNotAllowed
		}
		return nil
	}
	p, err := wechat.New(wechat.Config{
		AppID:     os.Getenv("AUTH_WECHAT_ID"),
		AppSecret: auth.NewSecret(os.Getenv("AUTH_WECHAT_SECRET")),
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(os.Getenv("AUTH_SECRET"))},
		Providers: []auth.Provider{p},
		Policy:    members,
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(http.FileServer(http.Dir("site")))))
}
