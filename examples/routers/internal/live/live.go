// Package live has the two handlers of the examples that are no pages: a stream of events
// and a WebSocket, for any router that takes a handler of net/http.
package live

import (
	"fmt"
	"net/http"

	"github.com/coder/websocket"

	"github.com/sallyport/auth"
)

// Events tells the person who listens who they are, and then keeps the stream open.
func Events(w http.ResponseWriter, r *http.Request) {
	who, _ := auth.FromContext(r.Context())
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "data: %s\n\n", who.Name)
	if err := http.NewResponseController(w).Flush(); err != nil {
		return
	}
	<-r.Context().Done()
}

// WebSocket tells the person who connects who they are.
func WebSocket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	who, _ := auth.FromContext(r.Context())
	if err := conn.Write(r.Context(), websocket.MessageText, []byte(who.Name)); err == nil {
		_ = conn.Close(websocket.StatusNormalClosure, "")
	}
}
