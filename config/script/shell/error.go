package shell

import (
	"errors"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Error is why a script cannot be read, and where. It quotes nothing.
type Error struct {
	// Problem is the message.
	Problem string
	// Offset is where the script cannot be read, in bytes.
	Offset int
}

// Error returns the message.
func (e *Error) Error() string { return e.Problem }

func newError(err error) *Error {
	e := &Error{Problem: "read shell script: invalid syntax"}
	var parse syntax.ParseError
	var lang syntax.LangError
	switch {
	case errors.As(err, &parse):
		e.Offset = int(parse.Pos.Offset()) //nolint:gosec // files are smaller
		if strings.HasPrefix(parse.Text, "reached EOF without") {
			e.Problem += ": a quote or a bracket is not closed"
		}
	case errors.As(err, &lang):
		e.Offset = int(lang.Pos.Offset()) //nolint:gosec // files are smaller
	}
	return e
}
