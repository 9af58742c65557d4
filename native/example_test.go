package native_test

import (
	"context"
	"fmt"
	"log"
	"os/exec"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/native"
	"github.com/sallyport/auth/providers/oidc"
)

func ExampleLoopback() {
	p, err := oidc.New(oidc.Config{Name: "cli", Issuer: "https://id.example.com", ClientID: "cli", ClientAuth: oidc.ClientAuthNone})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	id, err := native.Loopback{
		Provider: p,
		Open:     func(address string) error { return exec.Command("xdg-open", address).Start() },
	}.SignIn(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Hello, %q\n", id.Name)
}

func ExampleDevice() {
	p, err := oidc.New(oidc.Config{Name: "cli", Issuer: "https://id.example.com", ClientID: "cli", ClientAuth: oidc.ClientAuthNone})
	if err != nil {
		log.Fatal(err)
	}
	id, err := native.Device{Provider: p, Show: func(d *auth.DeviceAuthorization) error {
		_, err := fmt.Printf("Open %s on any device and type %s\n", d.VerificationURI, d.UserCode)
		return err
	}}.SignIn(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Hello, %q\n", id.Name)
}
