package live

import (
	"fmt"
	"slices"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// Admins is the [auth.Rule] of the examples: who is in the group "admins".
func Admins(who *session.Session) error {
	if slices.Contains(who.Groups, "admins") {
		return nil
	}
	return fmt.Errorf("%w: no administrator", auth.ErrNotAllowed)
}
