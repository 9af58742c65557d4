package web

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// problem is what a script gets that may not go on.
type problem struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

func (s *Server) writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.log.Error("auth: JSON", "cause", err.Error())
		status, body = http.StatusInternalServerError, []byte("null")
	}
	sendJSON(w, status, body)
}

// sendJSON answers with body, which is JSON.
func sendJSON(w http.ResponseWriter, status int, body []byte) {
	set(w.Header(), [2]string{"Content-Type", "application/json; charset=utf-8"}, [2]string{"X-Content-Type-Options", "nosniff"},
		[2]string{"Cross-Origin-Resource-Policy", "same-origin"}, [2]string{"Cache-Control", "private, no-cache, no-store"})
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// orderedMembers is a JSON object whose members keep their order, as Auth.js's
// list of providers does: clients draw buttons from it.
type orderedMembers []member

type member struct {
	name  string
	value any
}

// MarshalJSON implements [json.Marshaler].
func (o orderedMembers) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
