package main

import (
	"testing"

	"github.com/sallyport/auth/examples/routers/internal/routertest"
)

func TestSite(t *testing.T) { routertest.Run(t, site) }
