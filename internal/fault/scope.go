package fault

// Scope is a rule's refusal of a token that is not for enough. It wraps [ErrNotAllowed].
type Scope struct {
	Wanted string // names with spaces between them
}

func (s *Scope) Error() string { return ErrNotAllowed.Error() + ": want the scope " + s.Wanted }

// Unwrap returns [ErrNotAllowed].
func (s *Scope) Unwrap() error { return ErrNotAllowed }

// Challenge is s as parameters of a challenge: RFC 6750 3.1.
func (s *Scope) Challenge() string { return `error="insufficient_scope", scope="` + s.Wanted + `"` }
