package accesscode

import (
	"context"
	"net/netip"
	"time"
)

// SetSleep replaces the waiting for a turn.
func (g *Gate) SetSleep(f func(context.Context, time.Duration) error) { g.sleep = f }

// Compare is what the time of a comparison is made of.
func (g *Gate) Compare(text string) int { return g.find(g.digest(text)) }

// Clients counts those that are remembered.
func (g *Gate) Clients() int { return len(g.clients.clients) }

// Wrong counts a wrong code past the ceiling, and says how long it has to wait.
func (g *Gate) Wrong(client netip.Addr) time.Duration {
	return g.clients.attempt(networkOf(client), func() bool { return true }, func() bool { return false })
}
