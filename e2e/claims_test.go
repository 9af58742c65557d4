package e2e_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// job is what the npm packages are to do: seal Claims, or open Token or Cookie.
type job struct {
	Name    string   `json:"name"` // of the cookie
	Secrets []string `json:"secrets"`
	Secure  bool     `json:"secure"`
	V4      bool     `json:"v4,omitempty"`
	GCM     bool     `json:"gcm,omitempty"`
	Claims  claims   `json:"claims,omitempty"`
	Token   string   `json:"token,omitempty"`
	Cookie  string   `json:"cookie,omitempty"`
	Want    claims   `json:"want,omitempty"`
}

// done is what came of a job. A token that did not open is no failure.
type done struct {
	Opened, Same   bool
	Claims, Cookie string
}

// authjs does all jobs in one process of Node.
func authjs(t testing.TB, jobs []job) []done {
	t.Helper()
	input, err := json.Marshal(jobs)
	require.NoError(t, err)
	node := exec.Command("node", "authjs/tokens.mjs")
	node.Stdin, node.Stderr = bytes.NewReader(input), os.Stderr
	output, err := node.Output()
	require.NoError(t, err)
	var all []done
	require.NoError(t, json.Unmarshal(output, &all))
	require.Len(t, all, len(jobs))
	return all
}

// claims are JSON texts, because Go's strings and numbers cannot hold all that
// JavaScript's can.
type claims map[string]json.RawMessage

func (c claims) with(more claims) claims {
	all := maps.Clone(c)
	maps.Copy(all, more)
	return all
}

// generator makes claims that a session may well have, and such that it hardly
// ever will.
type generator struct{ *rand.Rand }

func (g generator) pick(list ...string) string { return list[g.Intn(len(list))] }

// claims are at least size bytes of JSON. A size below zero is for none.
func (g generator) claims(size int) claims {
	c := claims{}
	if size < 0 {
		return c
	}
	c["sub"] = g.plain()
	for _, name := range []string{"name", "email", "picture"} {
		if g.Intn(4) > 0 {
			c[name] = g.plain()
		}
	}
	for range g.Intn(6) {
		c[g.pick("roles", "userId", "accessToken", "user", "error", "名前", "🔑", "a b", "a.b", "", "<b>&amp;", "constructor", "__proto__", "7", "\u2028")] = g.value(g.Intn(5))
	}
	if g.Intn(20) == 0 {
		c["deep"] = json.RawMessage(strings.Repeat(`[{"x":`, 30) + "1" + strings.Repeat("}]", 30))
	}
	if g.Intn(20) == 0 {
		for i := range 40 {
			c["n"+strconv.Itoa(i)] = g.value(0)
		}
	}
	if text, _ := json.Marshal(c); len(text) < size {
		c["pad"] = g.long(size - len(text))
	}
	return c
}

// plain is a string that is not empty and has no half of a surrogate pair.
func (g generator) plain() json.RawMessage {
	return json.RawMessage(`"x` + g.text() + `"`)
}

func (g generator) text() string {
	var b strings.Builder
	for range g.Intn(12) {
		b.WriteString(g.pick("ada", "林晓", "👩‍💻", "🏳️‍🌈", "é", "e\u0301", "שלום", `\"`, `\\`, `\/`, `\n`, `\u0000`, `\u001f`, `\u00e9`, `\ud83d\ude00`, "\u2028", "\u2029", "\u007f", "\ufeff", "\ufffd", "<script>", "&", "'", "%3B", "; ", "=", ","))
	}
	return b.String()
}

// long is a string of some size bytes.
func (g generator) long(size int) json.RawMessage {
	unit := g.pick("x", "0123456789abcdef", "林", "👩‍💻", `\"`, `\ud83d\ude00`)
	return json.RawMessage(`"` + strings.Repeat(unit, size/len(unit)) + `"`)
}

// value is any JSON value; lone surrogates are in its strings too.
func (g generator) value(depth int) json.RawMessage {
	var b strings.Builder
	switch kind := g.Intn(8); {
	case depth > 0 && kind < 3:
		b.WriteString("[")
		for i := range g.Intn(5) {
			b.WriteString(strings.Repeat(",", min(i, 1)))
			b.Write(g.value(depth - 1))
		}
		b.WriteString("]")
	case depth > 0 && kind < 6:
		b.WriteString("{")
		for i := range g.Intn(5) {
			b.WriteString(strings.Repeat(",", min(i, 1)) + `"` + strconv.Itoa(i) + g.text() + `":`)
			b.Write(g.value(depth - 1))
		}
		b.WriteString("}")
	case kind%3 == 0:
		b.WriteString(`"` + g.text() + g.pick("", "", `\ud800`, `\udc00x`, `\udfff\ud800`) + `"`)
	case kind%3 == 1:
		b.WriteString(g.pick("0", "-0", "1", "-1", "1.5", "0.1", "1e21", "-2E+10", "5e-324", "1.7976931348623157e308", "9007199254740993", "12345678901234567890", "1e-7", "100000000000000000000000"))
	default:
		b.WriteString(g.pick("null", "true", "false"))
	}
	return json.RawMessage(b.String())
}

// size is most often that of a session, and at times up to largest.
func (g generator) size(largest int) int {
	switch n := g.Intn(20); {
	case n == 0:
		return -1
	case n < 10:
		return 0
	case n < 14:
		return g.Intn(4000)
	case n < 17:
		return g.Intn(12_000)
	default:
		return g.Intn(largest)
	}
}
