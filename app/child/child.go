package child

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"semlb/envoy/parts"
	"semlb/envoy/render"
)

// Options configure a child Envoy.
type Options struct {
	// Binary is the path of Envoy, or of a script that runs it; see [FindBinary].
	Binary string
	// Dir is a directory for its files that no other process uses; see [MakeDir].
	Dir string
	// Concurrency is the number of worker threads; 0 means one per core.
	Concurrency int
	// NodeID identifies it to the control plane, and Parts are those of its bootstrap.
	NodeID string
	Parts  parts.Parts
	// Drain bounds how long requests in flight may take to end before Envoy is stopped.
	Drain time.Duration
	// Grace is how long Envoy may take to exit after SIGTERM; then it is killed.
	Grace time.Duration
	// Watcher is notified of restarts.
	Watcher Watcher
	// Log receives the lines of Envoy's log, after Redact.
	Log    *slog.Logger
	Redact func(string) string
}

// Watcher is notified when Envoy is not running. Its methods are called by one
// goroutine.
type Watcher interface {
	// EnvoyEnded reports whether Envoy, which ended by itself, should be restarted.
	EnvoyEnded() (restart bool)
	// EnvoyRestarting is called when Envoy is started again.
	EnvoyRestarting()
}

// Envoy is a child Envoy that is restarted when it ends by itself.
type Envoy struct {
	options Options
	process *Process
	admin   *admin
}

// New makes a child Envoy that is not running yet.
func New(o Options) *Envoy {
	socket := filepath.Join(o.Dir, "admin.sock")
	return &Envoy{
		options: o,
		admin:   newAdmin(socket),
		process: &Process{
			Binary: o.Binary, Dir: o.Dir, Concurrency: o.Concurrency, Grace: o.Grace, Log: o.Log, Redact: o.Redact,
			Bootstrap: render.Bootstrap(o.Parts, render.Options{NodeID: o.NodeID, Admin: parts.Endpoint{Path: socket}}),
		},
	}
}

// Envoy is restarted almost at once the first time and then with growing pauses. One
// that ran for longer than lastPause starts again with the first.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
	jitter     = 0.2
)

// flushTime is how long Envoy gets to send the access log of its last requests.
const flushTime = 50 * time.Millisecond

// Run runs Envoy until ctx ends, then drains and stops it, and returns nil. It returns
// an error if Envoy ends by itself and the watcher does not want it restarted.
func (e *Envoy) Run(ctx context.Context) error {
	// The process outlives ctx until it is drained.
	processCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ended := make(chan struct{})
	var draining sync.WaitGroup
	draining.Go(func() {
		select {
		case <-ended: // by itself: there is nothing to drain
		case <-ctx.Done():
			e.drain()
			stop()
		}
	})
	err := e.keepRunning(ctx, processCtx)
	close(ended)
	draining.Wait()
	return err
}

// Resolving reports whether Envoy has not had an answer yet about the name of one of its
// clusters; false if it cannot be asked.
func (e *Envoy) Resolving(ctx context.Context) bool {
	resolving, err := e.admin.resolving(ctx)
	return err == nil && resolving
}

func (e *Envoy) keepRunning(ctx, processCtx context.Context) error {
	pauses := backoff.ExponentialBackOff{InitialInterval: firstPause, MaxInterval: lastPause, Multiplier: 2, RandomizationFactor: jitter}
	pauses.Reset()
	for {
		start := time.Now()
		err := e.process.Run(processCtx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if !e.options.Watcher.EnvoyEnded() {
			return err
		}
		if time.Since(start) > lastPause {
			pauses.Reset()
		}
		pause := pauses.NextBackOff().Round(time.Millisecond)
		e.options.Log.Error("restarting Envoy", "error", err, "in", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		e.options.Watcher.EnvoyRestarting()
	}
}

// drain waits until the requests in flight have ended, for as long as they may take.
func (e *Envoy) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), e.options.Drain)
	defer cancel()
	err := e.admin.drain(ctx)
	if errors.Is(err, errNotListening) {
		return // it is starting, or has ended
	}
	if err != nil {
		e.options.Log.Warn("not all requests could be finished", "error", err)
	}
	time.Sleep(flushTime)
}
