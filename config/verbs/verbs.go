// Package verbs bounds what format strings make before it is made: those of decK's printf
// and of Terraform's format.
package verbs

import (
	"regexp"
	"strings"
)

const (
	// EscapedSize is how many bytes a byte may become when it is escaped or quoted.
	EscapedSize = 10
	// ScalarSize is how many bytes a number or a boolean may have.
	ScalarSize = 16
	// maxPadding is more than the largest width or precision of a verb.
	maxPadding = 1000
)

// padded matches a width or a precision beyond maxPadding, or given as an argument.
var padded = regexp.MustCompile(`[0-9]{4,}|\*`)

// MaxSize returns the most bytes that a format makes of arguments of up to longest bytes.
// It reports false for a format with a width or a precision of 1000 or more, or with one
// that is an argument.
func MaxSize(format string, longest int) (size int, ok bool) {
	if padded.MatchString(format) {
		return 0, false
	}
	return len(format) + strings.Count(format, "%")*(maxPadding+EscapedSize*max(ScalarSize, longest)), true
}
