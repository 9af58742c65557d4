package clerk

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// Event is what a webhook of Clerk brings: something has happened in the instance.
// Events may come late, more than once, and in another order than they happened.
type Event struct {
	// ID is the message's, from its header: the same when it is sent again.
	ID string `json:"-"`

	// Type says what has happened: "user.created". Clerk adds new ones.
	Type string `json:"type"`

	// Timestamp is when, in milliseconds since 1970.
	Timestamp int64 `json:"timestamp"`

	// InstanceID is the instance's: "ins_...".
	InstanceID string `json:"instance_id"`

	// Data is what it is about, an object of Clerk's API. [Event.Value] decodes what
	// most applications need of it.
	Data json.RawMessage `json:"data"`
}

// Value decodes Data by the event's type:
//
//	user.created, user.updated               *[User]
//	session.*                                *[SessionEvent]
//	organization.created, .updated           *[Organization]
//	organizationMembership.*                 *[Membership]
//	organizationInvitation.*                 *[Invitation]
//	organizationDomain.created, .updated     *[OrganizationDomain]
//	user.deleted, organization.deleted,
//	organizationDomain.deleted               *[Deleted]
//
// It is nil for other types. The error says that Data is none of that type's, and
// has nothing of it.
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

// User is the Data of "user.created" and "user.updated". What a person does not have
// is empty.
type User struct {
	// ID is claim "sub" of the person's tokens: "user_...".
	ID string `json:"id"`

	// Username is the one that the person signs in with, where the instance has such.
	Username string `json:"username"`

	// FirstName and LastName are as the person wrote them.
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`

	// ImageURL is a picture at Clerk's, which draws one for people without.
	ImageURL string `json:"image_url"`

	// PrimaryEmailID is the ID of one of EmailAddresses.
	PrimaryEmailID string `json:"primary_email_address_id"`

	// EmailAddresses are all that the person has given. One counts as the person's
	// only where its Verification has the Status "verified".
	EmailAddresses []struct {
		ID           string `json:"id"`
		EmailAddress string `json:"email_address"`
		Verification *struct {
			Status string `json:"status"`
		} `json:"verification"`
	} `json:"email_addresses"`
}

// Deleted is the Data of "user.deleted", "organization.deleted" and
// "organizationDomain.deleted": nothing but the ID is left.
type Deleted struct {
	// ID is what the user, organization or domain had.
	ID string `json:"id"`

	// Deleted is true.
	Deleted bool `json:"deleted"`
}

// SessionEvent is the Data of "session.created", "session.ended", "session.removed"
// and "session.revoked".
type SessionEvent struct {
	// ID is claim "sid" of the session's tokens: "sess_...".
	ID string `json:"id"`

	// UserID is whose session it is: "user_...".
	UserID string `json:"user_id"`

	// Status is "active", "ended", "removed" or "revoked", among others.
	Status string `json:"status"`
}

// Organization is the Data of "organization.created" and "organization.updated".
type Organization struct {
	// ID is what [Claims].OrganizationID is of those who are active in it: "org_...".
	ID string `json:"id"`

	// Name is for people to read.
	Name string `json:"name"`

	// Slug is the organization's name for URLs. It may change.
	Slug string `json:"slug"`
}

// Membership is the Data of "organizationMembership.created", ".updated" and
// ".deleted".
type Membership struct {
	// ID is the membership's own: "orgmem_...".
	ID string `json:"id"`

	// Role is the person's: "org:admin".
	Role string `json:"role"`

	// Organization is the one that the person is, or was, a member of.
	Organization Organization `json:"organization"`

	// PublicUser is the person.
	PublicUser struct {
		UserID string `json:"user_id"`
	} `json:"public_user_data"`
}

// Invitation is the Data of "organizationInvitation.created", ".accepted" and
// ".revoked".
type Invitation struct {
	// ID is the invitation's own: "orginv_...".
	ID string `json:"id"`

	// OrganizationID is the one that it is to: "org_...".
	OrganizationID string `json:"organization_id"`

	// EmailAddress is where it was sent.
	EmailAddress string `json:"email_address"`

	// Role is what the person has after accepting it.
	Role string `json:"role"`

	// Status is "pending", "accepted", "revoked" or "expired".
	Status string `json:"status"`

	// UserID is who accepted it. Empty before.
	UserID string `json:"user_id"`
}

// OrganizationDomain is the Data of "organizationDomain.created" and ".updated": an
// e-mail domain whose people may join the organization.
type OrganizationDomain struct {
	// ID is the domain's own.
	ID string `json:"id"`

	// OrganizationID is whose domain it is: "org_...".
	OrganizationID string `json:"organization_id"`

	// Name is the domain: "example.com".
	Name string `json:"name"`

	// EnrollmentMode is how people with such an address join, such as
	// "manual_invitation".
	EnrollmentMode string `json:"enrollment_mode"`

	// Verification has the Status "verified" once somebody has proved that the domain
	// is theirs. It may be nil.
	Verification *struct {
		Status string `json:"status"`
	} `json:"verification"`
}
