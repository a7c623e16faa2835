package config

import (
	"strings"
)

// Fault is one thing that is wrong in a file. It holds no secret.
type Fault struct {
	Position Position
	// Path is the path within the file, such as "plugins[0].config.targets[1].weight",
	// or empty for the file as a whole.
	Path string
	// Got and Want say what is there and what should be. Both are empty where
	// Problem says it.
	Got, Want string
	// Problem is a sentence of its own, such as "unknown field".
	Problem string
}

// Error returns "file:line: path: got X, want Y".
func (f Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.Position.String())
	b.WriteString(": ")
	if f.Path != "" {
		b.WriteString(f.Path)
		b.WriteString(": ")
	}
	if f.Problem != "" {
		b.WriteString(f.Problem)
		return b.String()
	}
	b.WriteString("got " + f.Got + ", want " + f.Want)
	return b.String()
}

// Faults is everything that is wrong, in the order of the files.
type Faults []Fault

// Error returns one line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the faults one by one.
func (f Faults) Unwrap() []error {
	errs := make([]error, len(f))
	for i, fault := range f {
		errs[i] = fault
	}
	return errs
}
