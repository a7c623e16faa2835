package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// Secrets returns every credential of the configuration, in no order.
func (c *Config) Secrets() []Secret {
	var found []Secret
	gather(reflect.ValueOf(c).Elem(), &found)
	for _, r := range c.Routes {
		for name, values := range r.Headers {
			if !IsSecretHeader(name) {
				continue
			}
			for _, v := range values {
				found = append(found, NewSecret(strings.TrimPrefix(v, "~*")))
			}
		}
	}
	return found
}

// IsSecretHeader reports whether the values of a header are credentials, so that
// what a route wants to see in it is one.
func IsSecretHeader(name string) bool {
	return slices.Contains([]string{"authorization", "proxy-authorization", "cookie"}, strings.ToLower(name))
}

// gather appends the secrets below a value. Every credential of the model is a
// Secret, so that nothing has to list them.
func gather(v reflect.Value, found *[]Secret) {
	if v.Type() == reflect.TypeFor[Secret]() {
		if s, ok := v.Interface().(Secret); ok && !s.IsZero() {
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
	default: // the maps of the model hold none, those of routes excepted
	}
}

// Redactor takes credentials out of texts that others wrote and that may quote
// them.
type Redactor struct {
	replacer *strings.Replacer
	// short are credentials that words may hold by chance.
	short []string
}

// shortest is the length from which a credential is replaced where it stands. A
// shorter one would be told by what is left of the words around it.
const shortest = 4

// NewRedactor returns a Redactor of the secrets.
func NewRedactor(secrets []Secret) *Redactor {
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
	// Of two that begin alike the longer one counts.
	slices.SortFunc(long, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var pairs []string
	for _, form := range slices.Compact(long) {
		pairs = append(pairs, form, redacted)
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

// Redact returns a text with "[redacted]" in the place of every credential. Where a
// very short one occurs that is all of it.
func (r *Redactor) Redact(text string) string {
	if slices.ContainsFunc(r.short, func(s string) bool { return strings.Contains(text, s) }) {
		return redacted
	}
	return r.replacer.Replace(text)
}
