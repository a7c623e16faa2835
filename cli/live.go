package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"semlb/config"
	"semlb/envoy"
	"semlb/server"
	"semlb/vectordb"
)

// live is the configuration in force. Apply replaces it in one step: a request
// sees the old one or the new one, never a mixture.
type live struct {
	builder *builder
	options *serveOptions
	env     Environment
	control *server.ControlPlane
	loader  *loader
	log     *slog.Logger

	snapshot atomic.Pointer[server.Snapshot]

	mu      sync.Mutex // held by one apply or sweep at a time
	current *running
	retired []*running
}

// running is an assembly with its goroutines.
type running struct {
	*assembly
	stop    context.CancelFunc
	done    sync.WaitGroup
	loaded  chan struct{} // closed when every plugin's descriptions were tried once
	retired time.Time
}

const (
	// retention is how long the clusters and targets of a replaced configuration stay,
	// for requests under way to finish, further attempts included.
	retention = time.Minute
	// maxRetired bounds the memory that many reloads in a short time take.
	maxRetired = 256
	// ackTimeout bounds how long a change waits for Envoy to take it.
	ackTimeout = 10 * time.Second
)

// init makes a live whose parts are set serve nothing until the first apply.
func (l *live) init() *live {
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
	if l.current != nil {
		l.current.retired = time.Now()
		l.retired = append(l.retired, l.current)
		if len(l.retired) > maxRetired {
			l.retired[0].end(l.log)
			l.retired = l.retired[1:]
		}
	}
	if len(a.plugins) == 0 {
		l.log.Warn("the configuration has no enabled ai-proxy-advanced plugin; every request is answered 404")
	}
	l.current = next
	l.snapshot.Store(l.newSnapshot())
	return nil
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
	c, err := l.options.envoyConfig(next.assembly, l.env)
	if err != nil {
		return err
	}
	others := l.retired
	if l.current != nil && l.current != next {
		others = append(others[:len(others):len(others)], l.current)
	}
	for _, r := range others {
		c.Upstreams = append(c.Upstreams, r.upstreams...)
		c.IdleTimeouts = append(c.IdleTimeouts, r.idle...)
		c.BodyLimit = max(c.BodyLimit, r.bodyLimit)
	}
	return l.control.Set(ctx, envoy.NewResources(c))
}

// newSnapshot is what requests see; l.mu is held.
func (l *live) newSnapshot() *server.Snapshot {
	s := &server.Snapshot{
		Find:          l.current.find,
		Consumer:      identifier(l.current.config),
		ConsumersOnly: l.current.consumersOnly(),
		Instances:     make(map[string]*server.Instance),
	}
	for _, r := range l.retired {
		maps.Copy(s.Instances, r.instances())
	}
	maps.Copy(s.Instances, l.current.instances())
	keepTargets(l.builder.health, s)
	return s
}

// sweep lets go of replaced configurations whose time is over, until ctx ends.
func (l *live) sweep(ctx context.Context) error {
	for sleep(ctx, retention/4) {
		if err := l.letGo(ctx, time.Now().Add(-retention)); err != nil {
			l.log.Error("sweep configurations", "error", err)
		}
	}
	return nil
}

// letGo ends the configurations that were replaced before a time.
func (l *live) letGo(ctx context.Context, before time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for n < len(l.retired) && l.retired[n].retired.Before(before) {
		l.retired[n].end(l.log)
		n++
	}
	if n == 0 {
		return nil
	}
	l.retired = append([]*running(nil), l.retired[n:]...)
	l.snapshot.Store(l.newSnapshot())
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
	for _, r := range l.retired {
		r.end(l.log)
	}
	if l.current != nil {
		l.current.end(l.log)
	}
}

// start begins to keep an assembly's descriptions loaded.
func (l *live) start(a *assembly) *running {
	ctx, stop := context.WithCancel(context.Background())
	r := &running{assembly: a, stop: stop, loaded: make(chan struct{})}
	var tried sync.WaitGroup
	tried.Add(len(a.plugins))
	for _, p := range a.plugins {
		r.done.Go(func() { l.loader.keepLoaded(ctx, p, sync.OnceFunc(tried.Done)) })
	}
	r.done.Go(func() {
		tried.Wait() // ends when every keepLoaded has tried or returned
		close(r.loaded)
	})
	return r
}

// end stops an assembly's goroutines and closes its parts.
func (r *running) end(log *slog.Logger) {
	r.stop()
	r.done.Wait()
	if err := r.close(); err != nil {
		log.Warn("close configuration", "error", err)
	}
}

func (a *assembly) instances() map[string]*server.Instance {
	all := make(map[string]*server.Instance, len(a.plugins))
	for _, p := range a.plugins {
		all[p.instance.ID] = p.instance
	}
	return all
}

// inherit lets plugins find vectors in the stores of an earlier configuration with
// the same embedding model.
func (a *assembly) inherit(from *assembly) {
	stores := make(map[string]vectordb.Store)
	for _, p := range from.plugins {
		if p.store != nil {
			stores[p.model] = p.store
		}
	}
	for _, p := range a.plugins {
		p.predecessor = stores[p.model]
	}
}
