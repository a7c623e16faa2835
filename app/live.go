package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"semlb/config"
	"semlb/envoy/parts"
	"semlb/envoy/render"
	"semlb/record/metrics"
	"semlb/server"
)

// live is the configuration in force. Apply replaces it in one step: a request
// sees the old one or the new one, never a mixture.
type live struct {
	builder  *builder
	options  *ServeOptions
	control  *server.ControlPlane
	counters *metrics.Counters
	// discretion knows what Envoy was told and nobody else may be.
	discretion *discretion
	loader     *loader
	log        *slog.Logger

	snapshot atomic.Pointer[server.Snapshot]

	mu      sync.Mutex // held by one apply or sweep at a time
	current *running
	// ending are those replaced a moment ago: decisions that began before go on.
	ending   []*running
	replaced replaced
}

const (
	// sweepEvery is how often what was replaced is looked at.
	sweepEvery = 5 * time.Second
	// maxEnding bounds the goroutines and connections of many reloads in a short time.
	// A decision of one that had to end goes to the default group.
	maxEnding = 256
	// ackTimeout bounds how long a change waits for Envoy to take it.
	ackTimeout = 10 * time.Second
)

// init makes a live whose parts are set serve nothing until the first apply.
func (l *live) init() *live {
	l.replaced = make(replaced)
	l.snapshot.Store(&server.Snapshot{
		Find:     func(server.Match) *server.Instance { return nil },
		Consumer: func(func(string) string) string { return "" },
	})
	return l
}

// apply builds a configuration and puts it in force. On an error the one in force
// stays as it is.
func (l *live) apply(ctx context.Context, cfg *config.Config) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	// Routers note their targets when they are made, be it in vain.
	defer l.forget()
	a, err := l.builder.assemble(ctx, cfg)
	if err != nil {
		return errors.Join(err, a.close())
	}
	if l.current != nil {
		a.inherit(l.current.assembly)
	}
	next := l.start(a)
	if err := l.publish(ctx, next); err != nil {
		next.end(l.log)
		return errors.Join(err, l.resources(ctx, l.current))
	}
	if len(a.plugins) == 0 {
		l.log.Warn("the configuration has no enabled ai-proxy-advanced plugin; every request is answered 404")
	}
	old := l.current
	l.current = next
	if old != nil {
		l.retire(old)
	}
	l.snapshot.Store(l.newSnapshot())
	next.follow()
	return nil
}

// retire keeps of a configuration that was replaced what its requests still need.
func (l *live) retire(old *running) {
	old.unfollow()
	old.retired = time.Now()
	l.ending = append(l.ending, old)
	if len(l.ending) > maxEnding {
		l.ending[0].end(l.log)
		l.ending = l.ending[1:]
	}
	l.replaced.add(old.assembly, l.current.assembly, old.retired)
	if n := l.replaced.trim(); n > 0 {
		l.log.Warn("too many changes in a short time: requests that replaced instances planned cannot move on any more", "instances", n)
	}
}

// publish makes everything fallible of a change before it is in force: Envoy has
// its clusters, and its descriptions are embedded, if they can be.
func (l *live) publish(ctx context.Context, next *running) error {
	if err := l.resources(ctx, next); err != nil {
		return err
	}
	if l.current == nil {
		return nil // at the start nobody waits
	}
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	if l.control.Connected() {
		if err := l.control.Wait(ctx); err != nil {
			return fmt.Errorf("wait for Envoy: %w", err)
		}
	}
	select {
	case <-next.loaded:
	case <-ctx.Done(): // it goes on trying; until then its plans are degraded
	}
	return nil
}

// resources tells Envoy of a configuration, and of all that may have requests
// under way.
func (l *live) resources(ctx context.Context, next *running) error {
	if next == nil {
		return nil
	}
	c, err := l.envoyConfig(next)
	if err != nil {
		return err
	}
	l.discretion.tell(secretsOf(next.config, c.Credentials))
	return l.control.Set(ctx, render.NewResources(parts.New(c)))
}

func (l *live) envoyConfig(next *running) (parts.Config, error) {
	c, err := l.options.envoyConfig(next.assembly)
	if err != nil {
		return c, err
	}
	if l.current != nil && l.current != next {
		l.current.serve(&c)
	}
	for _, left := range l.replaced {
		serveInstance(&c, left.instance, left.upstreams)
	}
	return c, nil
}

// newSnapshot is what requests see; l.mu is held.
func (l *live) newSnapshot() *server.Snapshot {
	s := &server.Snapshot{
		Find:          l.current.find,
		Consumer:      identifier(l.current.config),
		ConsumersOnly: l.current.consumersOnly(),
		Instances:     make(map[string]*server.Instance),
	}
	for id, left := range l.replaced {
		s.Instances[id] = left.instance
	}
	for _, p := range l.current.plugins {
		s.Instances[p.instance.ID] = p.instance
	}
	return s
}

// sweep lets go of what was replaced when its time is over, until ctx ends.
func (l *live) sweep(ctx context.Context) error {
	for sleep(ctx, sweepEvery) {
		if err := l.letGo(ctx, time.Now()); err != nil {
			l.log.Error("sweep configurations", "error", err)
		}
	}
	return nil
}

// letGo ends the configurations that decide nothing any more, and drops what no
// request can need at a time.
func (l *live) letGo(ctx context.Context, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for n < len(l.ending) && l.ending[n].retired.Add(l.builder.options.Budget+sweepEvery).Before(now) {
		l.ending[n].end(l.log)
		n++
	}
	l.ending = slices.Clone(l.ending[n:])
	if l.replaced.expire(now) == 0 {
		return nil
	}
	l.snapshot.Store(l.newSnapshot())
	l.forget()
	return l.resources(ctx, l.current)
}

// loading is closed when the descriptions of the configuration in force were tried
// once.
func (l *live) loading() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current.loaded
}

// close ends everything.
func (l *live) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.ending {
		r.end(l.log)
	}
	if l.current != nil {
		l.current.end(l.log)
	}
}
