package wire

import (
	"fmt"
	"io"
	"log/slog"
)

// Redacted stands for every value that must not be seen.
const Redacted = "[redacted]"

// Secret is a credential. Every way to print, log or marshal it gives [Redacted]; only
// [Secret.Reveal] gives the value. The zero Secret is empty. Secrets are compared by
// [Secret.Equal]; == does not compile.
type Secret struct {
	_ [0]func()
	// A pointer, because fmt prints the fields of an unexported Secret field by
	// reflection, without calling its methods: then it prints an address.
	value *string
}

// NewSecret returns a Secret that holds value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the credential itself.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.value == nil }

// Equal reports whether both secrets hold the same value.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String returns [Redacted].
func (s Secret) String() string { return Redacted }

// GoString returns [Redacted].
func (s Secret) GoString() string { return Redacted }

// Format writes [Redacted] for every verb.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, Redacted) }

// MarshalJSON returns [Redacted] as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }

// MarshalText returns [Redacted].
func (s Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// LogValue returns [Redacted].
func (s Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }
