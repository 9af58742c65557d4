package feishu_test

import (
	"log"
	"net/http"
	"os"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/feishu"
)

// Those who may use the app sign in.
func Example() {
	p, err := feishu.New(feishu.Config{
		AppID:     os.Getenv("AUTH_FEISHU_APP_ID"),
		AppSecret: auth.NewSecret(os.Getenv("AUTH_FEISHU_APP_SECRET")),
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(os.Getenv("AUTH_SECRET"))},
		Providers: []auth.Provider{p},
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(http.FileServer(http.Dir("site")))))
}
