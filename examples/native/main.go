// Command native signs somebody in on a command line, and says who it is: by this
// machine's browser, or, as "native device", by one anywhere else. ISSUER and CLIENT_ID
// name an OpenID Connect issuer and a public client of it. Without them it brings an
// identity provider of its own, where nobody has a password.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/examples/internal/serve"
	"github.com/sallyport/auth/native"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

func main() {
	log.SetFlags(0)
	if err := run(serve.UntilInterrupt(), os.Getenv, os.Args[1:], os.Stdout, open); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, env envvar.Env, args []string, out io.Writer, open func(address string) error) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute) // people close windows
	defer cancel()
	issuer := env("ISSUER")
	if issuer == "" {
		var err error
		if issuer, err = embedded(ctx); err != nil {
			return err
		}
	}
	p, err := oidc.New(oidc.Config{Name: "native", Issuer: issuer, ClientID: cmp.Or(env("CLIENT_ID"), "native"), ClientAuth: oidc.ClientAuthNone})
	if err != nil {
		return err
	}
	var who *auth.Identity
	if slices.Equal(args, []string{"device"}) {
		who, err = native.Device{Provider: p, Show: func(d *auth.DeviceAuthorization) error {
			_, err := fmt.Fprintf(out, "Open %s on any device and type %s\n", d.VerificationURI, d.UserCode)
			return err
		}}.SignIn(ctx)
	} else {
		who, err = native.Loopback{Provider: p, Open: func(address string) error {
			fmt.Fprintf(out, "If no browser opens, go to %s\n", address)
			return open(address)
		}}.SignIn(ctx)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Hello, %q. You are %q at %s\n", who.Name, who.Subject, who.Issuer)
	return err
}

// open opens address, which the provider has checked, in the person's browser. Without
// one there is still the address that was shown.
func open(address string) error {
	command := map[string][]string{"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"}}[runtime.GOOS]
	if command == nil {
		command = []string{"xdg-open"}
	}
	if err := exec.Command(command[0], append(command[1:], address)...).Start(); err != nil { // #nosec G204 -- an address, and no shell
		log.Print(err)
	}
	return nil
}

// embedded starts an identity provider on a loopback port.
func embedded(ctx context.Context) (issuer string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	issuer = serve.Origin(listener)
	idp := providertest.New(providertest.Config{
		Issuer:  issuer,
		Clients: []providertest.Client{{ID: "native"}},
		Ask:     true,
		People:  []providertest.Person{{Subject: "ada", Name: "Ada Lovelace"}, {Subject: "linxiao", Name: "林晓"}},
	})
	go func() { _ = serve.HTTP(ctx, listener, idp) }()
	return issuer, nil
}
