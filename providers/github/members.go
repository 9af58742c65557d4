package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oauth2"
)

// maxPages bounds how many organizations or teams are looked through: a thousand, a
// hundred to a page.
const maxPages = 10

// organization is one of https://docs.github.com/en/rest/orgs/orgs: those of which the
// account is an active member.
type organization struct{ Login string }

// team is one of https://docs.github.com/en/rest/teams/teams.
type team struct {
	Slug         string
	Organization organization
}

// admit holds the account to the rule, if there is one. What cannot be found out
// is a refusal.
func (g *github) admit(ctx context.Context, api *oauth2.API) error {
	if g.organizations == nil && g.teams == nil {
		return nil
	}
	in, err := false, error(nil)
	if g.organizations != nil {
		in, err = anyOf(ctx, api, g.api, "/user/orgs", func(o organization) bool { return contains(g.organizations, o.Login) })
	}
	if !in && err == nil && g.teams != nil {
		in, err = anyOf(ctx, api, g.api, "/user/teams", func(t team) bool { return contains(g.teams, t.Organization.Login+"/"+t.Slug) })
	}
	switch {
	case errors.Is(err, auth.ErrUnavailable):
		return err
	case err != nil:
		return fmt.Errorf("%w: membership cannot be read: %w", auth.ErrNotAllowed, err)
	case !in:
		return fmt.Errorf("%w: a member of none of the allowed organizations and teams", auth.ErrNotAllowed)
	}
	return nil
}

// anyOf looks through the pages of a list for one that matches. What stands on a page
// after maxPages is not found.
func anyOf[T any](ctx context.Context, api *oauth2.API, base, path string, match func(T) bool) (bool, error) {
	next := base + path + "?per_page=100"
	for range maxPages {
		var list []T
		header, err := api.GetJSON(ctx, next, &list)
		if err != nil {
			return false, err
		}
		for _, one := range list {
			if match(one) {
				return true, nil
			}
		}
		if next = nextPage(header, base); next == "" {
			return false, nil
		}
	}
	return false, nil
}

// nextPage reads the Link header (RFC 8288). A page elsewhere would get the
// access token, and is not followed.
func nextPage(h http.Header, base string) string {
	for link := range strings.SplitSeq(h.Get("Link"), ",") {
		address, params, _ := strings.Cut(strings.TrimSpace(link), ";")
		if !strings.Contains(params, `rel="next"`) {
			continue
		}
		address = strings.Trim(address, "<>")
		if strings.HasPrefix(address, base+"/") {
			return address
		}
	}
	return ""
}

// contains compares names as GitHub does, by letters of any case.
func contains(list []string, name string) bool {
	for _, l := range list {
		if strings.EqualFold(l, name) {
			return true
		}
	}
	return false
}
