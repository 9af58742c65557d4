package apple_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"log"
	"net/http"
	"os"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/apple"
)

// The key is the file that Apple gives once.
func Example() {
	file, err := os.ReadFile("AuthKey_ABC123DEFG.p8")
	if err != nil {
		log.Fatal(err)
	}
	block, _ := pem.Decode(file)
	if block == nil {
		log.Fatal("the file is no PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		log.Fatal(err)
	}
	p256, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		log.Fatal("the file has another kind of key")
	}
	id, err := apple.New(apple.Config{ClientID: "com.example.web", TeamID: "DEF123GHIJ", KeyID: "ABC123DEFG", PrivateKey: p256})
	if err != nil {
		log.Fatal(err)
	}
	staff, err := auth.AllowEmails("example.com") // anybody can get an account at Apple
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(os.Getenv("AUTH_SECRET"))},
		Providers: []auth.Provider{id},
		Policy:    staff,
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(http.FileServer(http.Dir("site")))))
}
