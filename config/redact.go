package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"semlb/wire"
)

// Secrets returns every credential of the configuration, in no order.
func (c *Config) Secrets() []wire.Secret {
	var found []wire.Secret
	gather(reflect.ValueOf(c).Elem(), &found)
	for _, r := range c.Routes {
		for name, values := range r.Headers {
			if !wire.IsCredentialHeader(name) { // a route's value of such a header is a credential too
				continue
			}
			for _, v := range values {
				found = append(found, wire.NewSecret(strings.TrimPrefix(v, "~*")))
			}
		}
	}
	return found
}

// gather appends the secrets below a value. Every credential of the model is a
// [wire.Secret], so that no list of them can be incomplete.
func gather(v reflect.Value, found *[]wire.Secret) {
	if v.Type() == reflect.TypeFor[wire.Secret]() {
		if s, ok := v.Interface().(wire.Secret); ok && !s.IsZero() {
			*found = append(*found, s)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			gather(v.Elem(), found)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				gather(v.Field(i), found)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			gather(v.Index(i), found)
		}
	default: // the model's maps hold none; those of routes are handled by the caller
	}
}

// Redactor removes credentials from the texts of other programs, which may quote them.
type Redactor struct {
	replacer *strings.Replacer
	// short are credentials that words may contain by chance.
	short []string
}

// shortest is the length from which a credential is replaced within a text. The words
// around a shorter one would give it away.
const shortest = 4

// NewRedactor returns a Redactor of the secrets.
func NewRedactor(secrets []wire.Secret) *Redactor {
	forms := map[string]bool{}
	for _, s := range secrets {
		forms[s.Reveal()] = true
		// A header's value may be quoted without its scheme word.
		if _, credential, found := strings.Cut(s.Reveal(), " "); found {
			forms[strings.TrimSpace(credential)] = true
		}
	}
	r := &Redactor{}
	var long []string
	for form := range forms {
		switch {
		case form == "":
		case len(form) < shortest:
			r.short = append(r.short, form)
		default:
			long = append(long, escapes(form)...)
		}
	}
	// The replacer takes the first match, so that the longer of two credentials that
	// begin alike comes first.
	slices.SortFunc(long, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var pairs []string
	for _, form := range slices.Compact(long) {
		pairs = append(pairs, form, wire.Redacted)
	}
	r.replacer = strings.NewReplacer(pairs...)
	return r
}

// escapes returns a text as it is, and as JSON, protobuf's text format and URLs
// write it.
func escapes(text string) []string {
	quoted, err := json.Marshal(text)
	if err != nil {
		quoted = []byte(`""`) // strings marshal
	}
	var c strings.Builder
	for _, b := range []byte(text) {
		switch {
		case strings.ContainsRune("\"'\\", rune(b)):
			c.WriteString(`\` + string(b))
		case b == '\n':
			c.WriteString(`\n`)
		case b == '\r':
			c.WriteString(`\r`)
		case b == '\t':
			c.WriteString(`\t`)
		case b < ' ' || b > '~':
			fmt.Fprintf(&c, `\%03o`, b)
		default:
			c.WriteByte(b)
		}
	}
	return []string{text, string(quoted[1 : len(quoted)-1]), c.String(), url.QueryEscape(text), url.PathEscape(text)}
}

// Redact returns a text with "[redacted]" in the place of every credential. A text that
// contains a very short one is replaced as a whole.
func (r *Redactor) Redact(text string) string {
	if slices.ContainsFunc(r.short, func(s string) bool { return strings.Contains(text, s) }) {
		return wire.Redacted
	}
	return r.replacer.Replace(text)
}
