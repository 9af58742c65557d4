package main

import (
	"bufio"
	"fmt"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"
)

// events tells the person who listens who they are, and then keeps the stream open.
func events(c fiber.Ctx) error {
	name := person(c).Name
	c.Set("Content-Type", "text/event-stream")
	return c.SendStreamWriter(func(w *bufio.Writer) {
		for {
			fmt.Fprintf(w, "data: %s\n\n", name)
			if err := w.Flush(); err != nil {
				return // the client has left
			}
			time.Sleep(time.Second)
		}
	})
}

// webSocket tells the person who connects who they are. That it is a page of this site that
// connects, members has seen to.
func webSocket(c fiber.Ctx) error {
	name := person(c).Name
	upgrader := websocket.FastHTTPUpgrader{CheckOrigin: func(*fasthttp.RequestCtx) bool { return true }}
	return upgrader.Upgrade(c.RequestCtx(), func(conn *websocket.Conn) {
		defer conn.Close()
		_ = conn.WriteMessage(websocket.TextMessage, []byte(name))
	})
}
