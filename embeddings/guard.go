package embeddings

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/semaphore"
)

// GuardOptions bounds the calls of an embedder. Zero values mean the defaults.
type GuardOptions struct {
	// Failures is the number of failures in a row that open the breaker. Default 5.
	Failures int
	// CoolDown is how long the breaker then stays open before one call probes the
	// embedder. Default 5 s.
	CoolDown time.Duration
	// MaxRetryAfter caps what a server may request by Retry-After. Default 60 s.
	MaxRetryAfter time.Duration
	// MaxConcurrent is the number of calls at once. Default 16.
	MaxConcurrent int
	// MaxQueue is the number of callers that may wait for one of those. Default four
	// for each of them.
	MaxQueue int
	// Timeout bounds one call, and the wait in the queue before it. Default 2 s.
	Timeout time.Duration
	// Now is the clock. Default time.Now. Only differences of its readings count, so that a
	// wall clock that is set neither ends a pause nor prolongs it.
	Now func() time.Time
}

func (o GuardOptions) withDefaults() GuardOptions {
	orElse := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	orElse(&o.CoolDown, 5*time.Second)
	orElse(&o.MaxRetryAfter, time.Minute)
	orElse(&o.Timeout, 2*time.Second)
	if o.Failures <= 0 {
		o.Failures = 5
	}
	if o.MaxConcurrent <= 0 {
		o.MaxConcurrent = 16
	}
	if o.MaxQueue <= 0 {
		o.MaxQueue = 4 * o.MaxConcurrent
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Guard protects an embedder from too many calls, and its callers from an embedder that
// fails: a circuit breaker, a pause while the server's Retry-After lasts, a bound on
// concurrent calls, a bounded queue and a time limit. Calls beyond those fail at once,
// with [ErrOpen] or [ErrOverloaded].
//
// Failures are timeouts (a caller's deadline included), lost connections, useless
// answers and statuses other than 400, 413 and 422, which are about the texts; a text that
// is too long counts with no status. A call
// that its caller cancelled counts neither way.
type Guard struct {
	next    Embedder
	options GuardOptions

	admitted *semaphore.Weighted // calls that run or wait
	running  *semaphore.Weighted // calls that run

	breaker *gobreaker.CircuitBreaker[[][]float32]
	// halfOpenAt is when the breaker, which is open, becomes half-open, and resumeAt
	// when the last Retry-After ends. Both are nanoseconds since start.
	halfOpenAt, resumeAt atomic.Int64
	start                time.Time
}

// NewGuard returns a guard before next.
func NewGuard(next Embedder, options GuardOptions) *Guard {
	options = options.withDefaults()
	g := &Guard{
		next:     next,
		options:  options,
		start:    options.Now(),
		admitted: semaphore.NewWeighted(int64(options.MaxConcurrent + options.MaxQueue)),
		running:  semaphore.NewWeighted(int64(options.MaxConcurrent)),
	}
	g.breaker = gobreaker.NewCircuitBreaker[[][]float32](gobreaker.Settings{
		Timeout:      options.CoolDown,
		IsExcluded:   func(err error) bool { return errors.Is(err, context.Canceled) },
		IsSuccessful: func(err error) bool { return err == nil || isAboutTexts(err) },
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return int(c.ConsecutiveFailures) >= options.Failures
		},
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				g.halfOpenAt.Store(int64(g.clock() + options.CoolDown))
			}
		},
	})
	return g
}

// isAboutTexts reports whether an endpoint refused the texts, not the service.
func isAboutTexts(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	if e.TooLong != nil {
		return true
	}
	switch e.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	default:
		return false
	}
}

// Info describes the guarded model.
func (g *Guard) Info() Info { return g.next.Info() }

// Open reports whether calls fail now without reaching the embedder: the breaker is open
// or a Retry-After lasts.
func (g *Guard) Open() bool { return g.refusal() != nil }

// Embed calls the guarded embedder as soon as there is room.
func (g *Guard) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if err := g.refusal(); err != nil {
		return nil, err
	}
	release, err := g.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := g.refusal(); err != nil { // it may have opened while this call waited
		return nil, err
	}
	vectors, err := g.breaker.Execute(func() ([][]float32, error) {
		ctx, cancel := context.WithTimeout(ctx, g.options.Timeout)
		defer cancel()
		return g.next.Embed(ctx, texts)
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return nil, &Error{Kind: KindUnavailable, Err: ErrOpen}
	}
	g.noteRetryAfter(err)
	return vectors, err
}

// acquire waits for room to run.
func (g *Guard) acquire(ctx context.Context) (release func(), err error) {
	if !g.admitted.TryAcquire(1) {
		return nil, &Error{Kind: KindUnavailable, Err: ErrOverloaded}
	}
	if err := g.waitToRun(ctx); err != nil {
		g.admitted.Release(1)
		return nil, err
	}
	return func() {
		g.running.Release(1)
		g.admitted.Release(1)
	}, nil
}

func (g *Guard) waitToRun(ctx context.Context) error {
	if g.running.TryAcquire(1) {
		return nil
	}
	wait, cancel := context.WithTimeout(ctx, g.options.Timeout)
	defer cancel()
	if g.running.Acquire(wait, 1) == nil {
		return nil
	}
	if ctx.Err() != nil {
		return Ended(ctx.Err())
	}
	return &Error{Kind: KindUnavailable, Err: ErrOverloaded}
}

// refusal returns the error of calls that must not reach the embedder now, or nil.
func (g *Guard) refusal() error {
	open, now := g.breaker.State() == gobreaker.StateOpen, g.clock()
	wait := time.Duration(g.resumeAt.Load()) - now
	if open {
		wait = max(wait, time.Duration(g.halfOpenAt.Load())-now, 0)
	}
	if !open && wait <= 0 {
		return nil
	}
	return &Error{Kind: KindUnavailable, RetryAfter: wait, Err: ErrOpen}
}

// noteRetryAfter pauses calls for as long as a busy server asks.
func (g *Guard) noteRetryAfter(err error) {
	var e *Error
	if !errors.As(err, &e) || e.RetryAfter <= 0 {
		return
	}
	if e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable {
		g.resumeAt.Store(int64(g.clock() + min(e.RetryAfter, g.options.MaxRetryAfter)))
	}
}

// clock is the time since the start.
func (g *Guard) clock() time.Duration { return g.options.Now().Sub(g.start) }
