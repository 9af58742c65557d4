package hostcookie_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/hostcookie"
)

func TestCookiesOfThisHostAlone(t *testing.T) { // CK-01, CK-03, CK-10
	require.Equal(t, "__Host-x", hostcookie.Name("x", true))
	require.Equal(t, "x", hostcookie.Name("x", false), "browsers take the prefix over https alone")
	require.Equal(t,
		"__Host-x=v; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax",
		hostcookie.New("__Host-x", "v", 60, true, false).String())
	require.Equal(t, "x=v; Path=/; HttpOnly; SameSite=Lax", hostcookie.New("x", "v", 0, false, false).String())
}

func TestDeletedCookie(t *testing.T) { // CK-09
	c := hostcookie.New("__Host-x", "", -1, true, false)
	require.Equal(t, "__Host-x=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax", c.String())
	require.Equal(t, http.SameSiteLaxMode, c.SameSite)
}
