package router

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// budget is a context with a deadline whose timer starts when somebody first waits for
// it. Most decisions find the vector in the cache and the descriptions in memory, and
// wait for nothing: for them the timer of [context.WithDeadline] was half of the cost.
type budget struct {
	context.Context // the request's
	deadline        time.Time

	start   sync.Once
	started atomic.Pointer[timed]
}

// timed is the context that the timer ends.
type timed struct {
	context.Context
	cancel context.CancelFunc
}

func newBudget(ctx context.Context, d time.Duration) *budget {
	b := &budget{Context: ctx, deadline: time.Now().Add(d)}
	if earlier, ok := ctx.Deadline(); ok && earlier.Before(b.deadline) {
		b.deadline = earlier
	}
	return b
}

// timer starts the timer, unless it has started.
func (b *budget) timer() *timed {
	b.start.Do(func() {
		ctx, cancel := context.WithDeadline(b.Context, b.deadline)
		b.started.Store(&timed{Context: ctx, cancel: cancel})
	})
	return b.started.Load()
}

// release frees the timer when the decision is made. One that starts later ends at the
// deadline.
func (b *budget) release() {
	if t := b.started.Load(); t != nil {
		t.cancel()
	}
}

// Deadline implements [context.Context].
func (b *budget) Deadline() (time.Time, bool) { return b.deadline, true }

// Done implements [context.Context], and starts the timer.
func (b *budget) Done() <-chan struct{} { return b.timer().Done() }

// Err implements [context.Context].
func (b *budget) Err() error {
	if t := b.started.Load(); t != nil {
		return t.Err()
	}
	if err := b.Context.Err(); err != nil {
		return err
	}
	if time.Now().Before(b.deadline) {
		return nil
	}
	return context.DeadlineExceeded
}
