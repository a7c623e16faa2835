package app

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// envoyState is what readiness needs to know of the connected Envoys.
type envoyState interface {
	// Connected reports whether an Envoy is connected.
	Connected() bool
	// InForce reports whether every connected Envoy has acknowledged the configuration.
	InForce() bool
	// Serving reports whether every connected Envoy has acknowledged some configuration.
	Serving() bool
	// Refusal returns why a connected Envoy refuses the configuration; nil if none does.
	Refusal() error
	// Envoys returns the versions of the connected Envoys.
	Envoys() []string
}

// readinessOptions configure a readiness.
type readinessOptions struct {
	Control envoyState
	// Publish sets the status of gRPC health checks.
	Publish func(ready bool)
	// Reach knows whether Envoys can connect.
	Reach *reach
	// NeedsEnvoy requires a connected Envoy: the child.
	NeedsEnvoy bool
	// Resolving reports whether the child Envoy still resolves a name for the first time.
	Resolving func() bool
	// Unreached returns the instances in force that no request reaches, with the reason.
	Unreached func() []string
	// CountRestart counts restarts of the child Envoy.
	CountRestart func()
	Log          *slog.Logger
}

// readiness knows whether requests can be served, and what became of the last change
// of the configuration. It watches the child Envoy ([child.Watcher]).
type readiness struct {
	options readinessOptions

	mu sync.Mutex // also held while readiness is published
	// ready is what was published last; everReady is true once it was true.
	ready, everReady bool
	// envoyDown is true while the child Envoy is not running.
	envoyDown bool
	// changedAt is the time of the last change of the configuration, or try of one, and
	// changeError is why it failed.
	changedAt   time.Time
	changeError error
	// namesSince is when awaitsNames began to wait, which one goroutine calls.
	namesSince time.Time
}

func newReadiness(o readinessOptions) *readiness { return &readiness{options: o} }

// readyPoll is the interval at which watch looks at the Envoys.
const readyPoll = 100 * time.Millisecond

// watch publishes readiness until ctx ends: once the descriptions were tried, whenever
// it changes.
func (r *readiness) watch(ctx context.Context, descriptionsTried <-chan struct{}) error {
	select {
	case <-descriptionsTried:
	case <-ctx.Done():
		return nil
	}
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		r.update()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// update publishes a change of readiness and logs it.
func (r *readiness) update() {
	was := r.isReady()
	unreachable := r.options.Reach.look(time.Now())
	can := r.canServe(was, unreachable == nil)
	if can == was {
		return
	}
	switch published := r.set(can); {
	case published:
		r.options.Log.Info("ready")
	case unreachable != nil && !r.options.Control.Connected(): // which is logged elsewhere
	case !can: // otherwise the child is down, which is logged elsewhere
		r.options.Log.Error("not ready: Envoy refused the configuration and has none before it")
	}
}

// canServe reports whether requests can be served. It does not require a first Envoy
// that runs elsewhere: that may look at the readiness before it connects, or have its
// whole configuration from a file. It must be able to connect, though, unless it already
// has: then it keeps its connection.
func (r *readiness) canServe(was, reachable bool) bool {
	c := r.options.Control
	switch {
	case !c.Connected():
		return reachable && (was || !r.options.NeedsEnvoy)
	case c.InForce():
		return was || !r.awaitsNames()
	case c.Refusal() == nil: // an acknowledgement is outstanding
		return was
	default:
		// An Envoy with an earlier configuration keeps serving it, with this process
		// behind it. One that starts with a refused configuration must not replace it.
		return was && c.Serving()
	}
}

// namesWait is how long readiness waits for the names of providers. Envoy does not: a
// request before a name is resolved fails, and one that is never resolved must not keep
// the program from being ready.
const namesWait = 3 * time.Second

// awaitsNames reports whether a child Envoy that serves gets more time to resolve names.
func (r *readiness) awaitsNames() bool {
	if !r.options.NeedsEnvoy {
		return false
	}
	if r.namesSince.IsZero() {
		r.namesSince = time.Now()
	}
	if time.Since(r.namesSince) < namesWait && r.options.Resolving() {
		return true
	}
	r.namesSince = time.Time{}
	return false
}

// set publishes readiness, which a child that is down prevents, and returns what it
// published.
func (r *readiness) set(ready bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.publish(ready)
}

// publish is set with r.mu held.
func (r *readiness) publish(ready bool) bool {
	r.ready = ready && !r.envoyDown
	r.everReady = r.everReady || r.ready
	r.options.Publish(r.ready)
	return r.ready
}

// withdraw ends the readiness of a program that stops. What health checks of gRPC see stays
// as it is until the next set.
func (r *readiness) withdraw() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready = false
}

func (r *readiness) isReady() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ready
}

// EnvoyEnded requests a restart of the child Envoy, unless the program was never ready:
// then a restart would not help. Until Envoy is restarted the program is not ready, even
// though its xDS stream may stay open for a moment.
func (r *readiness) EnvoyEnded() (restart bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.everReady {
		return false
	}
	r.envoyDown = true
	r.publish(false)
	r.options.CountRestart()
	return true
}

// EnvoyRestarting allows the program to be ready again.
func (r *readiness) EnvoyRestarting() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.envoyDown = false
}

// changed records the result of a change of the configuration.
func (r *readiness) changed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changedAt, r.changeError = time.Now(), err
}

// refusal is why the configuration is not what is served; nil if it is.
func (r *readiness) refusal() error {
	if err := r.options.Control.Refusal(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changeError
}
