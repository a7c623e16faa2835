package embeddings

import (
	"context"
	"fmt"
	"runtime/debug"
)

// Panic stands for a panic, such as one of an embedder on a goroutine of the [Cache].
// It keeps the type of the panic's value only, which itself may quote a text.
type Panic struct {
	cause string
	stack string
}

// Caught is the panic whose value was recovered just now, on the same goroutine.
func Caught(value any) *Panic {
	return &Panic{cause: fmt.Sprintf("%T", value), stack: string(debug.Stack())}
}

// Error names the type of the panic's value.
func (p *Panic) Error() string { return "value of type " + p.cause }

// Panic returns the type of the panic's value, and the stack it came from.
func (p *Panic) Panic() (cause, stack string) { return p.cause, p.stack }

// ask asks the embedder behind. A panic would end the process from here, where no
// caller can catch it, so it becomes an error.
func (c *Cache) ask(ctx context.Context, texts []string) (vectors [][]float32, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &Error{Kind: KindPanic, Err: Caught(value)}
		}
	}()
	return c.next.Embed(ctx, texts)
}
