package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

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
	// short are credentials that words may contain by chance, the longest first.
	short []string
}

// shortest is the length from which a credential is replaced anywhere. A shorter one is
// replaced where it stands by itself: it may be a part of any word.
const shortest = 8

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
			r.short = append(r.short, escapes(form)...)
		default:
			long = append(long, escapes(form)...)
		}
	}
	r.short = longestFirst(r.short)
	var pairs []string
	for _, form := range longestFirst(long) { // the replacer takes the first match
		pairs = append(pairs, form, wire.Redacted)
	}
	r.replacer = strings.NewReplacer(pairs...)
	return r
}

// longestFirst sorts texts so that the longer of two that begin alike comes first, and
// keeps one of each.
func longestFirst(texts []string) []string {
	slices.SortFunc(texts, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(texts)
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

// Redact returns a text with "[redacted]" in the place of every credential.
func (r *Redactor) Redact(text string) string {
	text = r.replacer.Replace(text)
	for _, form := range r.short {
		text = replaceAlone(text, form)
	}
	return text
}

// replaceAlone replaces a credential where it is no part of a longer word.
func replaceAlone(text, credential string) string {
	var out strings.Builder
	first, _ := utf8.DecodeRuneInString(credential)
	last, _ := utf8.DecodeLastRuneInString(credential)
	for copied := 0; ; {
		i := strings.Index(text[copied:], credential)
		if i < 0 {
			out.WriteString(text[copied:])
			return out.String()
		}
		begin, end := copied+i, copied+i+len(credential)
		before, _ := utf8.DecodeLastRuneInString(text[:begin])
		after, _ := utf8.DecodeRuneInString(text[end:])
		out.WriteString(text[copied:begin])
		if inWord(before, first) || inWord(last, after) {
			out.WriteString(credential)
		} else {
			out.WriteString(wire.Redacted)
		}
		copied = end
	}
}

// inWord reports whether two neighbours belong to one word.
func inWord(a, b rune) bool {
	letter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }
	return letter(a) && letter(b)
}
