package main

import (
	"testing"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sessiontest"
)

func TestFiles(t *testing.T) {
	sessiontest.Kit{}.TestStore(t, func() (session.Store, error) { return files(t.TempDir()), nil })
}
