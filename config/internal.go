package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
)

// InternalError stands for a panic while a configuration was loaded or put in force: a
// bug of this program. It keeps nothing of the panic's value, which may quote a file.
type InternalError struct {
	// Reference is the same for every panic that came the same way, in every process of
	// a version of the program.
	Reference string
	// Place is the file and line of this program that was reached last.
	Place string
	// Stack is the stack of the panic, for a log.
	Stack string
}

// Error names the reference and the place.
func (e *InternalError) Error() string {
	return fmt.Sprintf("internal error, reference %s, at %s: this is a bug of semlb, please report it", e.Reference, e.Place)
}

// Guard calls f and returns its error, or an [InternalError] for its panic. No input may
// end the process: what is in force serves on.
func Guard(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = newInternalError()
		}
	}()
	return f()
}

// maxFrames bounds the part of a stack that makes a reference.
const maxFrames = 64

// newInternalError returns the error for a panic that was recovered just now.
func newInternalError() *InternalError {
	e := &InternalError{Place: "an unknown place", Stack: string(debug.Stack())}
	callers := make([]uintptr, maxFrames)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)]) // without this package's own
	hash := sha256.New()
	found := false
	for more := true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		fmt.Fprintln(hash, frame.Function, frame.Line)
		if place, ok := placeOf(frame); ok && !found {
			e.Place, found = place, true
		}
	}
	e.Reference = hex.EncodeToString(hash.Sum(nil))[:8]
	return e
}

// placeOf returns the file and line of a frame of this program.
func placeOf(frame runtime.Frame) (string, bool) {
	function, ok := strings.CutPrefix(frame.Function, "semlb/")
	if !ok {
		return "", false
	}
	dir, name := path.Split(function)
	name, _, _ = strings.Cut(name, ".")
	return fmt.Sprintf("%s%s/%s:%d", dir, name, path.Base(frame.File), frame.Line), true
}
