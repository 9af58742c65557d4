// Package soak_test has two nodes of one site serve 20,000 people who come and go, for two minutes or as long as SOAK
// says, and then looks what that has left behind: memory, goroutines, lines in the log.
//
//	SOAK=1h go test -count=1 -timeout 0 -v ./soak
package soak_test

import (
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(nodeRedis); address != "" {
		if err := serveNode(address); err != nil {
			fmt.Fprintln(os.Stderr, "e2e/soak:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}
