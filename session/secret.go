package session

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is key material that never shows itself: every way of printing,
// logging or marshalling it gives "[redacted]". It cannot be changed, so it may be
// copied and used concurrently. The zero value is the empty secret.
//
// It protects from a slip, such as a configuration that is logged. It does not
// protect from a debugger, a core dump or package reflect with package unsafe, and
// the text stays in memory.
type Secret struct {
	// Behind a pointer: package fmt calls no methods of what is in an unexported
	// field, but prints a pointer there as an address.
	text *string
}

// NewSecret wraps text. It is taken byte for byte: nothing is trimmed or decoded,
// so that what `openssl rand -base64 32` prints is a key of 44 bytes. It checks
// nothing; see [CheckSecret].
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text itself. What is done with it from there on is the
// caller's to keep quiet.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// String implements [fmt.Stringer]. It returns "[redacted]", even when the secret
// is empty.
func (s Secret) String() string { return redacted }

// GoString implements [fmt.GoStringer].
func (s Secret) GoString() string { return redacted }

// Format implements [fmt.Formatter], so that no verb reaches the text.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON implements [json.Marshaler]. There is no way back: a Secret is not
// to be unmarshalled.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// MarshalText implements [encoding.TextMarshaler].
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
