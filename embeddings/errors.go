package embeddings

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// Kind says in one word what went wrong with an embedding. The words are stable:
// logs and metrics use them as label values.
type Kind string

// The kinds of [Error].
const (
	// KindTimeout is a deadline that passed, the caller's or the embedder's own.
	KindTimeout Kind = "timeout"
	// KindUnavailable is an embedder that could not be reached, broke off, or was
	// not asked: see [ErrOpen] and [ErrOverloaded].
	KindUnavailable Kind = "unavailable"
	// KindStatus is an HTTP status other than 200.
	KindStatus Kind = "status"
	// KindInvalid is an answer that is no list of usable vectors.
	KindInvalid Kind = "invalid"
	// KindPanic is an embedder that panicked; Err is a [*Panic].
	KindPanic Kind = "panic"
	// KindCanceled is a caller that went away. It says nothing about the embedder.
	KindCanceled Kind = "canceled"
)

var (
	// ErrOverloaded tells that the queue to the embedder was full, or that no turn
	// came in time. The embedder was not asked.
	ErrOverloaded = errors.New("queue to the embedder is full")
	// ErrOpen tells that the embedder failed too often and is left alone for a
	// while. It was not asked.
	ErrOpen = errors.New("circuit breaker is open")
	// ErrClosed tells that the cache was closed.
	ErrClosed = errors.New("embedding cache is closed")
)

// Error is how the embedders of this package fail. Its text never holds a text
// to embed, a credential, or anything of the server's answer but Code.
type Error struct {
	Kind Kind
	// Status is the HTTP status, or 0 if there was no answer.
	Status int
	// Code is the provider's error code, such as "insufficient_quota". It is empty
	// unless it is one short word of letters and underscores.
	Code string
	// RetryAfter is how long the server, or an open breaker, asks to be left alone;
	// 0 if it does not say.
	RetryAfter time.Duration
	// Err is the cause, or nil.
	Err error
}

// Error returns the kind, the status and the cause.
func (e *Error) Error() string {
	text := "embed texts: " + string(e.Kind)
	if e.Status != 0 {
		text += fmt.Sprintf(" %d", e.Status)
	}
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func invalid(format string, args ...any) *Error {
	return &Error{Kind: KindInvalid, Err: fmt.Errorf(format, args...)}
}

// ended is the error of a call whose context has ended.
func ended(err error) *Error {
	if errors.Is(err, context.Canceled) {
		return &Error{Kind: KindCanceled, Err: context.Canceled}
	}
	return &Error{Kind: KindTimeout, Err: context.DeadlineExceeded}
}

// isTimeout reports whether err is a passed deadline of any layer.
func isTimeout(err error) bool {
	var netErr net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr) && netErr.Timeout()
}
