// This program is no test, and has to end with a panic.
package main

import (
	"context"
	"fmt"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/session"
)

func main() {
	_, ok := auth.FromContext(authtest.NewContext(context.Background(), &session.Session{Subject: "ada"}))
	fmt.Println(ok)
}
