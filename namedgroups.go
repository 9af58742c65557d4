package auth

import (
	"context"
	"slices"
	"sync"
)

// namedGroups are the groups that a policy names. A [Policy] is a function, which says
// nothing of itself; those of [AllowGroups] say it while they are asked, also from
// inside of another one that hands on its context.
type namedGroups struct {
	mu   sync.Mutex // guards list: a policy may ask others at once
	list []string
}

type namedGroupsKey struct{}

// in is ctx for a policy that says to n which groups it names.
func (n *namedGroups) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, namedGroupsKey{}, n)
}

// nameGroups says that a policy that ctx was handed to names groups.
func nameGroups(ctx context.Context, groups []string) {
	if n, ok := ctx.Value(namedGroupsKey{}).(*namedGroups); ok {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.list = slices.Concat(n.list, groups)
	}
}
