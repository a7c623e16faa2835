package report

import (
	"strconv"
	"strings"

	"github.com/agext/levenshtein"

	"semlb/wire"
)

// Redacted stands in messages for a value that may be a credential.
const Redacted = wire.Redacted

// maxShown is the longest value that a message shows, in bytes.
const maxShown = 60

// Count returns a number of things: "1 element", "2 elements".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// Shorten returns a text cut to the length that a message shows, without what looks like
// a key.
func Shorten(text string) string {
	text = wire.MaskKeys(text)
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "…"
}

// Quote returns a text in quotes, cut to the length that a message shows.
func Quote(text string) string { return strconv.Quote(Shorten(text)) }

// Join appends a name to a path such as "plugins[0].config".
func Join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Index appends the index of an element to the path of its list.
func Index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// IsName reports whether a text looks like the name of a field.
func IsName(text string) bool {
	if text == "" || len(text) > maxShown {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune("_-./", r)
	})
}

// Suggest completes "unknown field": with the known name that is most like it, or with
// nothing where none is.
func Suggest[T any](name string, known map[string]T) string {
	if similar := Nearest(name, known); similar != "" {
		return ", did you mean " + strconv.Quote(similar) + "?"
	}
	return ""
}

// Nearest returns the known name that is most like a name, or "" where none is. Of
// equally similar ones it is the first in alphabetical order.
func Nearest[T any](name string, known map[string]T) string {
	if len(name) > maxShown {
		return ""
	}
	best, limit := "", max(1, len(name)/3)
	for k := range known {
		d := edits(strings.ToLower(name), k)
		if d < limit || d == limit && (best == "" || k < best) {
			best, limit = k, d
		}
	}
	return best
}

// edits returns how many edits make b of a. Two neighbours that changed places are one
// edit, which Levenshtein counts as two.
func edits(a, b string) int {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	if i+1 < len(a) && len(a) == len(b) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:] {
		return 1
	}
	return levenshtein.Distance(a, b, nil)
}

// Unset is the error of a variable that has no value. It is the variable's name.
type Unset string

// Error says what to do.
func (name Unset) Error() string {
	shown := Shorten(string(name))
	return shown + " is not set: export " + shown + "=…"
}
