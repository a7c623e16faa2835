package embeddings

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind says in one word what went wrong with an embedding. The words are stable:
// logs and metrics use them as label values.
type Kind string

// The kinds of [Error].
const (
	// KindTimeout is a deadline that expired, the caller's or the embedder's own.
	KindTimeout Kind = "timeout"
	// KindUnavailable is an embedder that could not be reached, broke off, or was
	// not called: see [ErrOpen] and [ErrOverloaded].
	KindUnavailable Kind = "unavailable"
	// KindStatus is an HTTP status other than 200.
	KindStatus Kind = "status"
	// KindInvalid is an answer that is not a list of usable vectors.
	KindInvalid Kind = "invalid"
	// KindPanic is an embedder that panicked; Err is a [*PanicError].
	KindPanic Kind = "panic"
	// KindCanceled is a caller that cancelled the call. It says nothing about the
	// embedder.
	KindCanceled Kind = "canceled"
)

var (
	// ErrOverloaded means that the call was shed: the queue was full, or its time limit
	// passed. The embedder was not called.
	ErrOverloaded = errors.New("queue to the embedder is full")
	// ErrOpen means that the circuit breaker is open, or that the server has asked by
	// Retry-After not to be called yet. The embedder was not called.
	ErrOpen = errors.New("circuit breaker is open")
	// ErrClosed means that the cache was closed.
	ErrClosed = errors.New("embedding cache is closed")
)

// Error is how embedders fail. Its text never holds a text to embed, a credential, or
// anything of the server's answer but Code.
type Error struct {
	Kind Kind
	// Status is the HTTP status, or 0 if there was no answer.
	Status int
	// Code is the provider's error code, such as "insufficient_quota". It is empty
	// unless it is one short word of letters and underscores.
	Code string
	// RetryAfter is how long the server or an open breaker asks callers to wait; 0 if
	// it does not say.
	RetryAfter time.Duration
	// TooLong is set if the endpoint refused a text for its length.
	TooLong *TooLong
	// Err is the cause, or nil.
	Err error
}

// TooLong is what an endpoint says about a text that is too long: how many tokens it
// reads, and how many the text has. Each is 0 if the endpoint does not say.
type TooLong struct{ Limit, Given int }

// Error returns the kind, the status and the cause.
func (e *Error) Error() string {
	text := "embed texts: " + string(e.Kind)
	if e.Status != 0 {
		text += fmt.Sprintf(" %d", e.Status)
	}
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.TooLong != nil {
		text += " text too long"
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Invalid returns an error of [KindInvalid] whose cause is formatted as by [fmt.Errorf].
func Invalid(format string, args ...any) *Error {
	return &Error{Kind: KindInvalid, Err: fmt.Errorf(format, args...)}
}

// Ended returns the error of a call whose context has ended with err.
func Ended(err error) *Error {
	if errors.Is(err, context.Canceled) {
		return &Error{Kind: KindCanceled, Err: context.Canceled}
	}
	return &Error{Kind: KindTimeout, Err: context.DeadlineExceeded}
}

// WidthError is about a vector that has more or fewer dimensions than it should. See
// [WidthAdopter].
type WidthError struct{ Got, Want int }

// Error names both widths.
func (e *WidthError) Error() string {
	return fmt.Sprintf("got %d dimensions, want %d", e.Got, e.Want)
}
