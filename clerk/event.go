package clerk

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// Event is one of Clerk's.
type Event struct {
	ID         string          `json:"-"`         // the message's; the same when it is sent again
	Type       string          `json:"type"`      // "user.created"
	Timestamp  int64           `json:"timestamp"` // milliseconds since 1970
	InstanceID string          `json:"instance_id"`
	Data       json.RawMessage `json:"data"` // what it is about
}

// Value decodes Data by the event's type: for "user.*" a *[User], for "session.*"
// a *[SessionEvent], for "organization.*" an *[Organization], for
// "organizationMembership.*" a *[Membership], for "organizationInvitation.*" an
// *[Invitation], for "organizationDomain.*" an *[OrganizationDomain]; where one of
// these is gone, a *[Deleted], but for a *[Membership]. It is nil for other types.
func (e Event) Value() (any, error) {
	kind, what, _ := strings.Cut(e.Type, ".")
	var v any
	switch kind {
	case "user":
		v = &User{}
	case "session":
		v = &SessionEvent{}
	case "organization":
		v = &Organization{}
	case "organizationMembership":
		v = &Membership{}
	case "organizationInvitation":
		v = &Invitation{}
	case "organizationDomain":
		v = &OrganizationDomain{}
	default:
		return nil, nil
	}
	if what == "deleted" && kind != "organizationMembership" {
		v = &Deleted{}
	}
	if err := json.Unmarshal(e.Data, v); err != nil {
		return nil, errors.New("clerk: the data of " + strconv.Quote(e.Type) + " is none of that type's")
	}
	return v, nil
}

// User is the Data of "user.created" and "user.updated".
type User struct {
	ID             string `json:"id"`
	Username       string `json:"username"`
	FirstName      string `json:"first_name"`
	LastName       string `json:"last_name"`
	ImageURL       string `json:"image_url"`
	PrimaryEmailID string `json:"primary_email_address_id"`
	EmailAddresses []struct {
		ID           string `json:"id"`
		EmailAddress string `json:"email_address"`
		Verification *struct {
			Status string `json:"status"`
		} `json:"verification"`
	} `json:"email_addresses"`
}

// Deleted is the Data of "user.deleted", "organization.deleted" and
// "organizationDomain.deleted".
type Deleted struct {
	ID      string `json:"id"`
	Deleted bool   `json:"deleted"`
}

// SessionEvent is the Data of "session.created", "session.ended", "session.removed"
// and "session.revoked".
type SessionEvent struct {
	ID     string `json:"id"`
	UserID string `json:"user_id"`
	Status string `json:"status"`
}

// Organization is the Data of "organization.created" and "organization.updated".
type Organization struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Slug string `json:"slug"`
}

// Membership is the Data of "organizationMembership.created", ".updated" and
// ".deleted".
type Membership struct {
	ID           string       `json:"id"`
	Role         string       `json:"role"`
	Organization Organization `json:"organization"`
	PublicUser   struct {
		UserID string `json:"user_id"`
	} `json:"public_user_data"`
}

// Invitation is the Data of "organizationInvitation.created", ".accepted" and
// ".revoked".
type Invitation struct {
	ID             string `json:"id"`
	OrganizationID string `json:"organization_id"`
	EmailAddress   string `json:"email_address"`
	Role           string `json:"role"`
	Status         string `json:"status"`
	UserID         string `json:"user_id"` // who accepted it
}

// OrganizationDomain is the Data of "organizationDomain.created" and ".updated".
type OrganizationDomain struct {
	ID             string `json:"id"`
	OrganizationID string `json:"organization_id"`
	Name           string `json:"name"` // "example.com"
	EnrollmentMode string `json:"enrollment_mode"`
	Verification   *struct {
		Status string `json:"status"`
	} `json:"verification"`
}
