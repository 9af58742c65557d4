package forwarded

import "strings"

// element is what one proxy says in Forwarded. What it does not say is empty.
type element struct{ client, proto, host string }

// parseElement reads an element of Forwarded: RFC 7239 4. Its callers have cut the
// header at commas, and it cuts at semicolons, whether those stand in quotes or
// not: reading quotes from the left would let a client open one that swallows what
// the proxies added. So half of a quoted string is malformed, as is an escape in one
// and a parameter that stands twice; a client that gets a comma or a semicolon into
// the host which a proxy writes down adds nothing to the chain. A malformed element
// is empty.
func parseElement(s string) (e element, ok bool) {
	for pair := range strings.SplitSeq(s, ";") {
		pair = strings.TrimSpace(pair)
		if pair == "" {
			continue // the grammar has it
		}
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return element{}, false
		}
		if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1]
		}
		if strings.Contains(value, `"`) {
			return element{}, false
		}
		var field *string
		switch strings.ToLower(name) {
		case "for":
			field = &e.client
		case "proto":
			field = &e.proto
		case "host":
			field = &e.host
		default:
			continue
		}
		if *field != "" {
			return element{}, false
		}
		*field = value
	}
	return e, true
}
