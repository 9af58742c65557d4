package web

import (
	"bufio"
	"net"
	"net/http"
)

// renew writes a session that is due anew. Only then is w wrapped, in an
// [uncached]: everywhere else the application gets the server's own writer.
func (s *Server) renew(w http.ResponseWriter, r *http.Request, v *visit) http.ResponseWriter {
	if v.foreign || s.readOnly || isUpgrade(r) || !s.sessions.Due(v.session) {
		return w
	}
	groups := len(v.session.Groups)
	if err := s.sessions.Renew(w, r, v.session, v.secure()); err != nil {
		s.log.WarnContext(r.Context(), "auth: session not renewed", "cause", err.Error())
		return w
	}
	s.tellOfGroups(r, v.session, groups)
	return &uncached{ResponseWriter: w}
}

// uncached makes sure that no cache keeps the answer, whatever the application
// says: it carries somebody's session cookie. Each header that goes out says so,
// those of 103 Early Hints (RFC 8297) and the final ones after them; finish sees to
// an answer that the application leaves to net/http.
type uncached struct {
	http.ResponseWriter
	done bool // the final header is out
}

func (u *uncached) WriteHeader(status int) {
	u.seal()
	u.done = u.done || status >= 200 || status == http.StatusSwitchingProtocols
	u.ResponseWriter.WriteHeader(status)
}

func (u *uncached) Write(b []byte) (int, error) {
	u.finish()
	return u.ResponseWriter.Write(b)
}

// Flush implements [http.Flusher] for applications that ask for it by type.
func (u *uncached) Flush() {
	u.finish()
	_ = http.NewResponseController(u.ResponseWriter).Flush()
}

// Hijack implements [http.Hijacker].
func (u *uncached) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(u.ResponseWriter).Hijack()
}

// Unwrap serves [http.ResponseController].
func (u *uncached) Unwrap() http.ResponseWriter { return u.ResponseWriter }

// finish is for the final header, which net/http writes by itself.
func (u *uncached) finish() {
	u.seal()
	u.done = true
}

func (u *uncached) seal() {
	if !u.done {
		u.Header().Set("Cache-Control", "private, no-store")
	}
}
