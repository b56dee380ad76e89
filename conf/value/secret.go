package value

import (
	"fmt"
	"io"
)

// Hidden is what a Secret prints instead of its value.
const Hidden = "********"

// Secret is text that must not reach a log, a table or an error. Printing it
// in any way (fmt, JSON, text, log/slog) gives Hidden, or nothing when it is
// empty; only Reveal returns the value. It is immutable; the zero value is the
// empty secret.
//
// The text is behind a pointer because fmt does not call methods of unexported
// fields: a struct that holds a Secret in one prints an address, not the text.
// So compare with Equal or reflect.DeepEqual, never with ==.
type Secret struct{ text *string }

// NewSecret returns a Secret holding text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal returns the text itself, for the one place that needs it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.text == nil }

// Equal reports whether both hold the same text. It is not constant in time.
func (s Secret) Equal(o Secret) bool { return s.Reveal() == o.Reveal() }

// String returns Hidden, or "" when the secret is empty.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return Hidden
}

// GoString returns the same as String.
func (s Secret) GoString() string { return s.String() }

// Format prints the same as String for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText returns the same as String: a secret is written by nobody but
// its owner, through Reveal.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON returns String as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// UnmarshalText takes any text. The slice is copied.
func (s *Secret) UnmarshalText(b []byte) error {
	*s = NewSecret(string(b))
	return nil
}
