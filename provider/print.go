package provider

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

const redacted = "[redacted]"

// Secret is a credential. It prints, logs and encodes as "[redacted]"; string(s)
// is the value.
type Secret string

// String is "[redacted]", or empty for no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString is String.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// Format writes String for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String tells where the credentials go and not what they are.
func (a Auth) String() string {
	return fmt.Sprintf("auth{header %q, param %q in %q}", a.HeaderName, a.ParamName, a.ParamLocation)
}

// GoString is String.
func (a Auth) GoString() string { return a.String() }

// LogValue is String.
func (a Auth) LogValue() slog.Value { return slog.StringValue(a.String()) }

// String tells the target and nothing that could hold a secret.
func (s Settings) String() string {
	return fmt.Sprintf("target{%q, %s/%s, %s}", s.ID, s.Provider, s.Model, s.RouteType)
}

// GoString is String.
func (s Settings) GoString() string { return s.String() }

// Format writes String for every verb: URLs in the settings may hold a secret.
func (s Settings) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is String.
func (s Settings) LogValue() slog.Value { return slog.StringValue(s.String()) }

// String tells the target's settings as [Settings.String] does.
func (t *Target) String() string { return t.settings.String() }

// Format writes String for every verb.
func (t *Target) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue is String.
func (t *Target) LogValue() slog.Value { return slog.StringValue(t.String()) }

// String tells where the request goes, without path, credentials and body.
func (w Rewrite) String() string {
	return fmt.Sprintf("rewrite{%s://%s, %s, %d bytes}", w.Scheme, w.Authority, w.Model, len(w.Body))
}

// GoString is String.
func (w Rewrite) GoString() string { return w.String() }

// Format writes String for every verb: path and body may hold a credential.
func (w Rewrite) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, w.String()) }

// LogValue is String.
func (w Rewrite) LogValue() slog.Value { return slog.StringValue(w.String()) }
