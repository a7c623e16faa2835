package embeddings

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// GuardOptions bounds what may be asked of an embedder. Zero values mean the
// defaults.
type GuardOptions struct {
	// Failures is the number of failures in a row that open the breaker. Default 5.
	Failures int
	// OpenFor is how long the embedder is then left alone before one call probes
	// it. Default 5 s.
	OpenFor time.Duration
	// MaxRetryAfter caps what a server may ask for by Retry-After. Default 60 s.
	MaxRetryAfter time.Duration
	// MaxConcurrent is the number of calls at once. Default 16.
	MaxConcurrent int
	// MaxQueue is the number of callers that may wait for a turn. The default is
	// four for each concurrent call; below 0 nobody waits.
	MaxQueue int
	// Timeout bounds one call, and before it the wait for a turn. Default 2 s.
	Timeout time.Duration
}

func (o GuardOptions) withDefaults() GuardOptions {
	orElse := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	orElse(&o.OpenFor, 5*time.Second)
	orElse(&o.MaxRetryAfter, time.Minute)
	orElse(&o.Timeout, 2*time.Second)
	if o.Failures <= 0 {
		o.Failures = 5
	}
	if o.MaxConcurrent <= 0 {
		o.MaxConcurrent = 16
	}
	if o.MaxQueue == 0 {
		o.MaxQueue = 4 * o.MaxConcurrent
	}
	return o
}

// Guard protects an embedder from too many calls, and its callers from an
// embedder that fails: a circuit breaker, a bound on concurrent calls, a bounded
// queue and a time limit. Callers that cannot be served are told at once, with
// [ErrOpen] or [ErrOverloaded].
//
// Failures are timeouts (a caller's deadline included), lost connections, useless
// answers and statuses other than 400, 413 and 422, which blame the texts. A
// caller that goes away is not one.
type Guard struct {
	next    Embedder
	options GuardOptions
	slots   chan struct{}
	waiting atomic.Int64
	breaker *gobreaker.CircuitBreaker[[][]float32]

	// The breaker of the library is open for one fixed time. Here it goes on to
	// half open at once, and openUntil (Unix nanoseconds) keeps calls away for as
	// long as it should be.
	openUntil  atomic.Int64
	retryAfter atomic.Int64
}

// NewGuard returns a guard before next.
func NewGuard(next Embedder, options GuardOptions) *Guard {
	g := &Guard{next: next, options: options.withDefaults()}
	g.slots = make(chan struct{}, g.options.MaxConcurrent)
	g.breaker = gobreaker.NewCircuitBreaker[[][]float32](gobreaker.Settings{
		Timeout:       time.Nanosecond,
		IsExcluded:    isNobodysFault,
		IsSuccessful:  g.isSuccessful,
		ReadyToTrip:   g.readyToTrip,
		OnStateChange: g.stateChanged,
	})
	return g
}

// Info describes the guarded model.
func (g *Guard) Info() Info { return g.next.Info() }

// Open reports whether calls are kept away now.
func (g *Guard) Open() bool { return g.openFor() > 0 }

// Embed asks the guarded embedder when there is a free turn.
func (g *Guard) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if err := g.refusal(); err != nil {
		return nil, err
	}
	if err := g.acquire(ctx); err != nil {
		return nil, err
	}
	defer func() { <-g.slots }()

	vectors, err := g.breaker.Execute(func() ([][]float32, error) {
		// It may have opened while this call waited for its turn.
		if err := g.refusal(); err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, g.options.Timeout)
		defer cancel()
		return g.next.Embed(ctx, texts)
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return nil, &Error{Kind: KindUnavailable, Err: ErrOpen}
	}
	return vectors, err
}

// acquire takes a turn, waiting for it in the queue if there is room.
func (g *Guard) acquire(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > int64(g.options.MaxQueue) {
		return &Error{Kind: KindUnavailable, Err: ErrOverloaded}
	}
	timer := time.NewTimer(g.options.Timeout)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ended(ctx.Err())
	case <-timer.C:
		return &Error{Kind: KindUnavailable, Err: ErrOverloaded}
	}
}

func (g *Guard) openFor() time.Duration {
	return time.Until(time.Unix(0, g.openUntil.Load()))
}

func (g *Guard) refusal() error {
	if wait := g.openFor(); wait > 0 {
		return &Error{Kind: KindUnavailable, RetryAfter: wait, Err: ErrOpen}
	}
	return nil
}

func isNobodysFault(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, ErrOpen)
}

// isSuccessful is asked by the breaker under its lock, before readyToTrip and
// stateChanged, to which it leaves what the server asked for.
func (g *Guard) isSuccessful(err error) bool {
	g.retryAfter.Store(0)
	if err == nil {
		return true
	}
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		g.retryAfter.Store(int64(min(e.RetryAfter, g.options.MaxRetryAfter)))
	}
	return false
}

// readyToTrip opens the breaker after enough failures, or at the first that says
// when to come back.
func (g *Guard) readyToTrip(counts gobreaker.Counts) bool {
	return int(counts.ConsecutiveFailures) >= g.options.Failures || g.retryAfter.Load() > 0
}

func (g *Guard) stateChanged(_ string, _, to gobreaker.State) {
	if to != gobreaker.StateOpen {
		return
	}
	wait := time.Duration(g.retryAfter.Load())
	if wait == 0 {
		wait = g.options.OpenFor
	}
	g.openUntil.Store(time.Now().Add(wait).UnixNano())
}
