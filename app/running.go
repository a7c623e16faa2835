package app

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// running is an assembly with its goroutines.
type running struct {
	*assembly
	stop    context.CancelFunc
	done    sync.WaitGroup
	loaded  chan struct{} // closed when every plugin's descriptions were tried once
	retired time.Time
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

// inherit lets plugins find vectors in the stores of an earlier configuration with
// the same embedding model.
func (a *assembly) inherit(from *assembly) {
	stores := make(map[string][]*sized)
	for _, p := range from.plugins {
		switch {
		case p.store == nil:
		case p.router.Loaded():
			stores[p.model] = append(stores[p.model], p.store)
		default: // it has none of its own yet
			stores[p.model] = append(stores[p.model], p.predecessors...)
		}
	}
	for _, p := range a.plugins {
		p.predecessors = stores[p.model]
	}
}
