package e2e_test

import (
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// valid are the cases that open on both sides: without them the rest would prove
// nothing.
var valid = []string{
	"as it is", "header as it is", "header in another order", "header with spaces", "header with typ and cty", "payload as it is",
	"expired a second ago", "chunks as they are", "chunks in another order", "chunks beside another cookie", "v4's other name",
}

// stricter are the cases that may open in Auth.js and never do here, each with
// its reason.
var stricter = map[string]string{
	"another spelling":                "JE-01: one session has one text, so that a list of ended ones cannot be walked around",
	"a part padded":                   "as above",
	"alg twice, none first":           "JE-07: readers differ in which of two they take",
	"a claim twice":                   "as above",
	"a claim twice by escape":         "as above",
	"a member nobody knows":           "JE-07: what we do not know may change what the token means",
	"jku":                             "as above",
	"epk":                             "as above",
	"zip":                             "JE-05: nothing here inflates what a stranger sent",
	"header with a BOM":               "RFC 8259 8.1: no byte order mark",
	"payload with a BOM":              "as above",
	"no exp":                          "JE-13: a session ends",
	"no iat":                          "JE-13: a session has an age",
	"issued in a minute":              "JE-13: the token is not of this time",
	"more than 64 kB":                 "CK-06: what is looked at is bounded",
	"nested a thousand levels":        "whoever reads claims by recursion is not to fall over",
	"a chunk number with a zero":      "CK-06: Auth.js takes whatever begins with the cookie's name and a number; here a chunk has one name",
	"a chunk number with a sign":      "as above",
	"a chunk number and more":         "as above",
	"a chunk of a name that is like":  "as above",
	"the first chunk without its dot": "as above",
	"chunks from one on":              "CK-06: chunks are counted from nought, with no gap",
	"chunk numbers with a gap":        "as above",
}

// wider are the cases that open here and not in Auth.js. Each is a token that
// was sealed with one of our secrets.
var wider = map[string]string{
	"no kid, an older secret":         "JE-10: rotating the secret signs nobody out, whoever wrote the token",
	"a plain cookie beside chunks":    "CK-02: a planted cookie signs nobody out",
	"a chunk twice, the bad first":    "as above",
	"a chunk more":                    "as above",
	"a cookie of a name that is like": "as above",
}

// forgery is a token, or a Cookie header, and who is to open it.
type forgery struct {
	name string
	job
}

// TestTamperedOpensNowhere shows both sides the same tokens that nobody sealed
// so. What one side alone opens is in the lists above, and only that.
func TestTamperedOpensNowhere(t *testing.T) { // JE-01 to JE-09, JE-13, JE-14, CK-06
	met := map[string]int{}
	for _, forge := range []func(*testing.T) []forgery{tampered, reheaded, rechunked, misplaced} {
		forgeries := forge(t)
		jobs := make([]job, len(forgeries))
		for i, f := range forgeries {
			jobs[i] = f.job
		}
		for i, d := range authjs(t, jobs) {
			f := forgeries[i]
			ours, theirs := opensHere(t, f), d.Opened
			switch {
			case slices.Contains(valid, f.name):
				require.True(t, ours && theirs, f.name)
			case ours:
				require.Contains(t, wider, f.name)
				require.False(t, theirs, f.name)
			case theirs:
				require.Contains(t, stricter, f.name)
			}
			if ours || theirs {
				met[f.name]++
			}
		}
		met[""] += len(jobs)
	}
	for _, name := range slices.Concat(valid, slices.Collect(maps.Keys(stricter)), slices.Collect(maps.Keys(wider))) {
		require.Positive(t, met[name], "no longer a difference: %s", name)
	}
	t.Logf("%d forgeries, %d differences", met[""], len(stricter)+len(wider))
}

// opensHere sends a request. A payload that is no session does not count.
func opensHere(t *testing.T, f forgery) bool {
	cookie := f.Cookie
	if f.Token != "" {
		cookie = f.Name + "=" + f.Token
	}
	s, err := managerOf(t, f.Secrets).Load(requestWith(cookie), f.Secure)
	require.NoError(t, err)
	return s != nil
}

// base are one session as each package writes it, and as we do.
func base(t *testing.T, c claims) []forgery {
	jobs := []job{{}, {GCM: true}, {V4: true}}
	for i := range jobs {
		jobs[i].Secrets, jobs[i].Secure, jobs[i].Claims = tokenSecrets[:1], true, c
		jobs[i].Name = cookieNameOf(true, jobs[i].V4)
	}
	var list []forgery
	for i, d := range authjs(t, jobs) {
		one := jobs[i]
		one.Claims, one.GCM = nil, false
		one.Token, one.Cookie = joined(d.Cookie), ""
		list = append(list, forgery{"as it is", one})
	}
	one := list[0]
	w := httptest.NewRecorder()
	s := &session.Session{}
	fill(t, s, c)
	require.NoError(t, managerOf(t, one.Secrets).Start(w, requestWith(""), s, true))
	one.Token = joined(sent(w))
	return append(list, one)
}

// as is f with another token.
func (f forgery) as(name, token string) forgery {
	f.name, f.Token = name, token
	return f
}

func tampered(t *testing.T) (list []forgery) {
	bases, others := base(t, claims{"sub": quote("ada")}), base(t, claims{"sub": quote("eve")})
	for n, f := range bases {
		list = append(list, f)
		list = append(list, f.flips()...)
		parts, other := strings.Split(f.Token, "."), strings.Split(others[n].Token, ".")
		for _, i := range []int{0, 2, 3, 4} {
			changed := func(name string, change func(p []string)) {
				p := slices.Clone(parts)
				change(p)
				list = append(list, f.as(name, strings.Join(p, ".")))
			}
			for _, j := range []int{0, 2, 3, 4}[:max(0, i-1)] {
				changed("parts swapped", func(p []string) { p[i], p[j] = p[j], p[i] })
			}
			if parts[i] != other[i] {
				changed("a part of another token", func(p []string) { p[i] = other[i] })
			}
			changed("a part gone", func(p []string) { p[i] = "" })
			changed("a part padded", func(p []string) { p[i] += strings.Repeat("=", max(1, (4-len(p[i])%4)%4)) })
		}
		list = append(list, f.as("a key in part two", strings.Replace(f.Token, "..", ".AAAA.", 1)), f.as("more parts", f.Token+"."), f.as("more parts", "."+f.Token),
			f.as("fewer parts", strings.Join(parts[:4], ".")), f.as("twice", f.Token+f.Token))
	}
	return list
}

// flips are f with each bit of it turned, and cut at each place.
func (f forgery) flips() (list []forgery) {
	for i := range len(f.Token) {
		for bit := range 7 {
			bad := []byte(f.Token)
			if bad[i] ^= 1 << bit; strings.ContainsRune("; \",\x7f", rune(bad[i])) || bad[i] < ' ' {
				continue // ends the cookie
			}
			list = append(list, f.as(flipped(f.Token, string(bad)), string(bad)))
		}
		if i > 0 {
			list = append(list, f.as("cut short", f.Token[:i]), f.as("without its beginning", f.Token[i:]))
		}
	}
	return list
}

// flipped names a flip that leaves every byte that the parts encode: the last
// character of base64 has bits to spare.
func flipped(before, after string) string {
	a, b := strings.Split(before, "."), strings.Split(after, ".")
	if len(a) != len(b) {
		return "a bit flipped"
	}
	for i := range a {
		x, errX := b64.DecodeString(a[i])
		y, errY := b64.DecodeString(b[i])
		if errX != nil || errY != nil || string(x) != string(y) {
			return "a bit flipped"
		}
	}
	return "another spelling"
}

func reheaded(t *testing.T) (list []forgery) {
	secret, name := tokenSecrets[0], cookieNameOf(false, false)
	f := forgery{"", job{Name: name, Secrets: tokenSecrets[:2]}}
	for what, header := range headers(secret, name) {
		list = append(list, f.as(what, sealUnder(secret, name, header, payloadNow(""))))
	}
	header := headers(secret, name)["header as it is"]
	for what, payload := range payloads() {
		list = append(list, f.as(what, sealUnder(secret, name, header, payload)))
	}
	long, short := keyOf(secret, name, 64), keyOf(secret, name, 32)
	return append(list,
		f.as("no kid, an older secret", sealUnder(tokenSecrets[1], name, `{"alg":"dir","enc":"A256CBC-HS512"}`, payloadNow(""))),
		f.as("no kid, a secret that is gone", sealUnder(tokenSecrets[2], name, `{"alg":"dir","enc":"A256CBC-HS512"}`, payloadNow(""))),
		f.as("zip", sealUnder(secret, name, `{"alg":"dir","enc":"A256CBC-HS512","zip":"DEF"}`, deflated(t, payloadNow("")))),
		f.as("another enc", sealedBy(t, jose.DIRECT, jose.A128CBC_HS256, short)),
		f.as("another enc", sealedBy(t, jose.DIRECT, jose.A192GCM, long[:24])),
		f.as("another alg", sealedBy(t, jose.A256KW, jose.A256GCM, short)),
		f.as("another alg", sealedBy(t, jose.A256GCMKW, jose.A256CBC_HS512, short)),
		f.as("another alg", sealedBy(t, jose.PBES2_HS256_A128KW, jose.A256GCM, []byte(secret))),
	)
}

// rechunked are Cookie headers of a session in three chunks.
func rechunked(t *testing.T) (list []forgery) {
	size := claims{"sub": quote("ada"), "pad": quote(strings.Repeat("x", 7000))}
	bases, others := base(t, size), base(t, size)
	for n, f := range bases {
		cookie, other := cut(f.Name, f.Token), cut(f.Name, others[n].Token)
		c, o := strings.Split(cookie, "; "), strings.Split(other, "; ")
		require.Len(t, c, 3)
		value := func(pair string) string { _, v, _ := strings.Cut(pair, "="); return v }
		named := func(suffix, pair string) string { return f.Name + suffix + "=" + value(pair) }
		for what, pairs := range map[string][]string{
			"chunks as they are":              {c[0], c[1], c[2]},
			"chunks in another order":         {c[2], c[0], c[1]},
			"chunks beside another cookie":    {"a=b", c[0], "x-" + c[1], c[1], c[2]},
			"chunks swapped":                  {named(".0", c[1]), named(".1", c[0]), c[2]},
			"a chunk missing":                 {c[0], c[2]},
			"the last chunk missing":          {c[0], c[1]},
			"the first chunk missing":         {c[1], c[2]},
			"a chunk twice, the bad first":    {named(".1", o[1]), c[0], c[1], c[2]},
			"a chunk of another session":      {c[0], o[1], c[2]},
			"a chunk more":                    {c[0], c[1], c[2], named(".3", c[2])},
			"chunks from one on":              {named(".1", c[0]), named(".2", c[1]), named(".3", c[2])},
			"chunk numbers with a gap":        {c[0], c[1], named(".3", c[2])},
			"a chunk number with a zero":      {c[0], named(".01", c[1]), c[2]},
			"a chunk number with a sign":      {c[0], named(".+1", c[1]), c[2]},
			"a chunk number and more":         {c[0], named(".1x", c[1]), c[2]},
			"a chunk of a name that is like":  {c[0], named("-evil.1", c[1]), c[2]},
			"the first chunk without its dot": {named("", c[0]), c[1], c[2]},
			"a cookie of a name that is like": {c[0], c[1], c[2], f.Name + "x=y"},
			"a plain cookie beside chunks":    {f.Name + "=x", c[0], c[1], c[2]},
		} {
			one := f.as(what, "")
			one.Cookie = strings.Join(pairs, "; ")
			list = append(list, one)
		}
	}
	return list
}

// misplaced are whole tokens where they do not belong, and one that is too long.
func misplaced(t *testing.T) (list []forgery) {
	long := job{Name: cookieNameOf(true, false), Secrets: tokenSecrets[:1], Secure: true, Claims: claims{"pad": quote(strings.Repeat("x", 60_000))}}
	long.Cookie, long.Claims = authjs(t, []job{long})[0].Cookie, nil
	list = append(list, forgery{"more than 64 kB", long})
	for _, f := range base(t, claims{"sub": quote("ada")}) {
		other := f.as("another secret", f.Token)
		other.Secrets = tokenSecrets[1:]
		list = append(list, other)
		for _, name := range []string{cookieNameOf(false, false), cookieNameOf(true, false), cookieNameOf(false, true), cookieNameOf(true, true), "authjs.csrf-token", "__Host-authjs.session-token"} {
			if name != f.Name {
				one := f.as("another cookie's name", f.Token)
				if f.V4 && strings.Contains(name, "next-auth") {
					one.name = "v4's other name"
				}
				one.Name, one.V4, one.Secure = name, strings.Contains(name, "next-auth"), strings.HasPrefix(name, "__Secure-")
				list = append(list, one)
			}
		}
	}
	return list
}
