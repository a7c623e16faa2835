package report

import (
	"regexp"
	"strings"
)

var (
	alphanumeric = regexp.MustCompile(`[A-Za-z0-9]+`)
	// digitInside matches a digit between letters, as few words have it.
	digitInside = regexp.MustCompile(`[A-Za-z][0-9]+[A-Za-z]`)
	// version matches versions such as v1beta1.
	version = regexp.MustCompile(`^v[0-9]+(alpha|beta|rc)[0-9]*$`)
	// numbered matches words with digits at their end, as passwords have them.
	numbered = regexp.MustCompile(`[A-Z].*[a-z].*[0-9]$|[a-z].*[0-9]{3}$`)
)

// The lengths from which parts of a text may be of a password.
const (
	mixedLength    = 6
	numberedLength = 8
)

// MayBePassword reports whether a text looks like something that a person made up as a
// password: hunter2pass, Summer24, P@ssw0rd. Words, versions and dates do not.
func MayBePassword(text string) bool {
	for _, part := range alphanumeric.FindAllString(text, -1) {
		switch {
		case version.MatchString(part):
		case len(part) >= mixedLength && digitInside.MatchString(part):
			return true
		case len(part) >= numberedLength && numbered.MatchString(part):
			return true
		}
	}
	return false
}

// wordCharacters are those of the values that enumerations have.
const wordCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./: -"

// IsWord reports whether a text of at most a length may be a misspelt value of an
// enumeration, and no password.
func IsWord(text string, longest int) bool {
	foreign := func(r rune) bool { return !strings.ContainsRune(wordCharacters, r) }
	return len(text) <= longest && !strings.ContainsFunc(text, foreign) && !MayBePassword(text)
}
