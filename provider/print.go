package provider

import (
	"fmt"
	"io"
	"log/slog"
)

// String names the target, without its URLs, which may hold a secret.
func (s Settings) String() string {
	return fmt.Sprintf("target{%q, %s/%s, %s}", s.ID, s.Provider, s.Model, s.RouteType)
}

// Format writes String for every verb.
func (s Settings) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns String.
func (s Settings) LogValue() slog.Value { return slog.StringValue(s.String()) }

// String names the target, see [Settings.String].
func (t *Target) String() string { return t.settings.String() }

// Format writes String for every verb.
func (t *Target) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue returns String.
func (t *Target) LogValue() slog.Value { return slog.StringValue(t.String()) }

// String describes the request, without its path and body, which may hold a
// credential or a prompt.
func (w Rewrite) String() string {
	return fmt.Sprintf("rewrite{%s://%s, %s, %d bytes}", w.Scheme, w.Authority, w.Model, len(w.Body))
}

// Format writes String for every verb.
func (w Rewrite) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, w.String()) }

// LogValue returns String.
func (w Rewrite) LogValue() slog.Value { return slog.StringValue(w.String()) }
