package embeddings

import (
	"context"
	"fmt"
	"runtime/debug"
)

// PanicError stands for a panic on a goroutine where no caller could recover it, such as
// that of a load of the [Cache]. It keeps the type of the panic's value only, because
// the value may quote a text.
//
// The server counts and logs panics by the method Panic, which its own interface of the
// same name declares.
type PanicError struct {
	cause string
	stack string
}

// Recovered returns the error for a value that was recovered just now, on the same
// goroutine.
func Recovered(value any) *PanicError {
	return &PanicError{cause: fmt.Sprintf("%T", value), stack: string(debug.Stack())}
}

// Error names the type of the panic's value.
func (p *PanicError) Error() string { return "value of type " + p.cause }

// Panic returns the type of the panic's value and the stack it came from.
func (p *PanicError) Panic() (cause, stack string) { return p.cause, p.stack }

// embedSafely calls e and returns a panic of it as an error of [KindPanic].
func embedSafely(ctx context.Context, e Embedder, texts []string) (vectors [][]float32, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &Error{Kind: KindPanic, Err: Recovered(value)}
		}
	}()
	return e.Embed(ctx, texts)
}
