package clerk

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/sallyport/auth"
)

// Examine implements [auth.Examiner]: Clerk's API is asked for the instance's keys with the
// secret key, and the clocks are compared.
func (b *Backend) Examine(ctx context.Context, _ string) []auth.Finding {
	resp, err := b.call(ctx, "GET", "/v1/jwks", nil)
	switch {
	case err != nil:
		return []auth.Finding{{Grade: auth.GradeFaulty, Text: err.Error(), Cure: "see whether this machine reaches Clerk's API"}}
	case resp.Status == http.StatusUnauthorized || resp.Status == http.StatusForbidden:
		return []auth.Finding{{Grade: auth.GradeFaulty, Text: "Clerk's API refuses the secret key", Cure: "copy CLERK_SECRET_KEY again, from the same instance as the publishable key"}}
	case resp.Status != http.StatusOK:
		return []auth.Finding{{Grade: auth.GradeDoubtful, Text: "Clerk's API answers " + strconv.Itoa(resp.Status), Cure: "try again; see https://status.clerk.com"}}
	}
	found := []auth.Finding{{Text: "Clerk's API takes the secret key"}}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		if off := at.Sub(b.config.Now()).Abs(); off > b.config.ClockSkew {
			found = append(found, auth.Finding{Grade: auth.GradeFaulty, Text: "Clerk's clock and the one here are " + off.Round(time.Second).String() + " apart", Cure: "set this machine's clock by NTP"})
		}
	}
	return found
}
