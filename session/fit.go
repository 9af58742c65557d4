package session

import "net/http"

// What an answer may take of header is less than what browsers take of cookies: nginx
// passes 4 kB on unless it is told otherwise, and answers 502 to more. Of a request it
// takes 8 kB of cookies, and answers 400, on every page and to the sign-out too. So a
// session is made to fit. What grows without anybody's intention are groups:
//
//	groups  [ those that count | others         ]    as they are given, the first first
//	        [ kept                  | dropped   ]    "groups_truncated": true
//
// The provider's tokens go before any group does: groups say what somebody may do.
// Everything else is somebody's intention, and stays.

// truncated is the claim of a session that has not all of its groups.
const truncated = "groups_truncated"

// fit makes s fit into an answer that has the headers of w already, and returns the
// headers that set it. It drops s.ProviderTokens, and then the last of s.Groups, if drop
// says that they are ours.
// One that is too large without any, by its claims, is written all the same, up to the
// error [ErrTooLarge]: which proxies are there is not known here.
func (m *Manager) fit(w http.ResponseWriter, r *http.Request, s *Session, secure, drop bool, also ...string) (lines []string, err error) {
	for {
		value, err := m.seal(s, secure)
		if err != nil {
			return nil, err
		}
		lines, err = m.written(r, value, s.ExpiresAt, secure, also...)
		over := len(value) - writtenChunks*chunkSize
		if err == nil {
			over = bytesOf(w.Header()["Set-Cookie"]) + bytesOf(lines) - m.config.MaxSetCookieBytes
		}
		if over > 0 && s.ProviderTokens != nil {
			s.ProviderTokens = nil // all of them: one without the others is of no use
			continue
		}
		if over <= 0 || len(s.Groups) == 0 || !drop {
			return lines, err
		}
		// A further cookie, which there may then be none of, is not the groups'.
		around := bytesOf([]string{m.set(m.cookieName(secure)+".0", "", s.ExpiresAt, secure)})
		if err := s.dropGroups(over - around*min(len(value)/chunkSize, writtenChunks)); err != nil {
			return nil, err
		}
	}
}

// dropGroups drops so many groups from the end that the token is not more than over
// characters shorter, and one at least.
func (s *Session) dropGroups(over int) error {
	n, freed := len(s.Groups)-1, 0
	for n > 0 {
		if freed += len(s.Groups[n]) + len(`"",`); freed/3*4 > over {
			break
		}
		n--
	}
	s.Groups = s.Groups[:n:n]
	return s.SetClaim(truncated, true)
}

// bytesOf is what lines take of a header.
func bytesOf(lines []string) (n int) {
	for _, line := range lines {
		n += len("Set-Cookie: \r\n") + len(line)
	}
	return n
}
