package session_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// TestOnePersonWithBigSessions signs in so often that each process would keep a
// hundred megabytes.
func TestOnePersonWithBigSessions(t *testing.T) { // SE-08
	for name, claim := range map[string]func(i int) string{
		"as large as they are written": func(i int) string { return fmt.Sprintf(`,"n":%d,"pad":"%s"`, i, strings.Repeat("x", 11_000)) },
		"as large as they are read":    func(i int) string { return fmt.Sprintf(`,"n":%d,"pad":"%s"`, i, strings.Repeat("x", 45_000)) },
		"escaped":                      func(i int) string { return fmt.Sprintf(`,"n":%d,"picture":"%s"`, i, strings.Repeat(`x\n`, 2000)) },
		"many claims": func(i int) string {
			return fmt.Sprintf(`,"n":%d`, i) + strings.Join(numbered(300, func(n int) string { return fmt.Sprintf(`,"%d":1`, n) }), "")
		},
		"many groups":    func(i int) string { return fmt.Sprintf(`,"n":%d,"groups":["a"%s]`, i, strings.Repeat(`,"a"`, 700)) },
		"escaped groups": func(i int) string { return fmt.Sprintf(`,"n":%d,"groups":["a"%s]`, i, strings.Repeat(`,"\n"`, 500)) },
		"small":          func(i int) string { return fmt.Sprintf(`,"n":%d`, i) },
	} {
		b := newBox(t, session.Config{})
		count := 800
		switch name {
		case "small":
			count = 12_000
		case "as large as they are read":
			count = 200
		}
		before := heap()
		for i := range count {
			require.NotNil(t, b.loadHeader(inCookies(sealed(b.claims(claim(i))), 100, 90_000)), name)
		}
		took := heap() - before
		t.Logf("%s: %d kB", name, took>>10)
		require.Less(t, took, 17<<20, name)
		runtime.KeepAlive(b)
	}
}

func TestBigSessionsDriveOutNobodys(t *testing.T) { // SE-08
	b := newBox(t, session.Config{})
	small := sealed(b.claims(""))
	require.NotNil(t, b.loadHeader("N="+small))
	for i := range 150 {
		big := sealed(b.claims(fmt.Sprintf(`,"n":%d,"pad":"%s"`, i, strings.Repeat("x", 40_000))))
		require.NotNil(t, b.loadHeader("N="+big))
		require.False(t, session.Remembered(b.Manager, big, true))
	}
	require.True(t, session.Remembered(b.Manager, small, true))
	s := ada()
	require.NoError(t, s.SetClaim("pad", strings.Repeat("x", 11_000)))
	require.NoError(t, b.start(s))
	require.NotNil(t, b.load())
	token := ""
	for i := range len(b.set) {
		token += b.cookies[fmt.Sprint(cookieName, ".", i)]
	}
	require.True(t, session.Remembered(b.Manager, token, true), "all that is written is remembered")
}

// numbered are n texts.
func numbered(n int, f func(int) string) (list []string) {
	for i := range n {
		list = append(list, f(i))
	}
	return list
}

// TestWhatIsRememberedAddsUp, where several requests at once find the same token new, and
// where others have to give way.
func TestWhatIsRememberedAddsUp(t *testing.T) { // SE-08
	b := newBox(t, session.Config{})
	for i := range 800 {
		header := inCookies(sealed(b.claims(fmt.Sprintf(`,"n":%d,"pad":"%s"`, i, strings.Repeat("x", 10_000)))), 1, 90_000)
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				if s := b.loadHeader(header); s == nil {
					t.Error("no session")
				}
			})
		}
		wait.Wait()
	}
	added, sum := session.RememberedBytes(b.Manager)
	require.Equal(t, sum, added)
	require.Greater(t, sum, 15<<20, "as many as there is room for")
	require.LessOrEqual(t, sum, 16<<20)
}
