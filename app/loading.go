package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"semlb/embeddings"
	"semlb/router"
	"semlb/vectordb"
)

// Reloading a description that could not be embedded begins quickly and then
// leaves a broken embedder room.
const (
	firstReload = time.Second
	lastReload  = 30 * time.Second
)

// loader keeps the descriptions of plugins loaded and tells of what fails.
type loader struct {
	log *slog.Logger
	// failures counts by what was asked of a vector store: get, upsert or sync.
	failures *prometheus.CounterVec
	// panicked counts.
	panicked func()
	// syncEvery is how often a store that keeps vectors for others is looked after.
	syncEvery time.Duration
}

func newLoader(syncEvery time.Duration, log *slog.Logger, r prometheus.Registerer, panicked func()) *loader {
	l := &loader{log: log, panicked: panicked, syncEvery: syncEvery, failures: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "semlb_store_errors_total", Help: "Calls of a vector store that failed while vectors were kept in it, by what was asked.",
	}, []string{"op"})}
	for _, op := range []string{"get", "upsert", opSync} {
		l.failures.WithLabelValues(op)
	}
	r.MustRegister(l.failures)
	return l
}

// opSync is what a store is asked for by keepSynced.
const opSync = "sync"

// failed counts and tells of a store that could not be reached.
func (l *loader) failed(parts *pluginParts, op string, err error) {
	l.failures.WithLabelValues(op).Inc()
	requests := "compared in memory"
	if parts.store.searchesServer() {
		requests = "sent to the default group"
	}
	l.log.Warn("the vector store cannot be reached",
		append([]any{"instance", parts.instance.ID, "requests", requests, "error", err}, l.panicIn(err)...)...)
}

// panicIn counts the panic that an error stands for, if it does, and returns its stack
// as an attribute of the log.
func (l *loader) panicIn(err error) []any {
	var p *embeddings.PanicError
	if !errors.As(err, &p) {
		return nil
	}
	l.panicked()
	_, stack := p.Panic()
	return []any{"stack", stack}
}

// guarded calls f. A panic in it, of a store for example, would end the process from
// here, so it becomes an error.
func guarded(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %w", embeddings.Recovered(value))
		}
	}()
	return f()
}

// keepLoaded embeds the plugin's descriptions, tries again while that fails, and
// then keeps the store behind memory filled. It calls attempted after the first
// try, whatever came of it. It returns when ctx ends.
func (l *loader) keepLoaded(ctx context.Context, parts *pluginParts, attempted func()) {
	defer attempted()
	if parts.store == nil {
		return
	}
	for wait := firstReload; ; wait = min(2*wait, lastReload) {
		err := guarded(func() error { return parts.load(ctx) })
		var behind *vectordb.BackingError
		switch {
		case err == nil:
			attempted()
			l.keepSynced(ctx, parts, false)
			return
		case errors.As(err, &behind):
			l.failed(parts, behind.Op, err)
			attempted()
			l.keepSynced(ctx, parts, true)
			return
		}
		l.notEmbedded(parts, err, wait)
		attempted()
		if !sleep(ctx, wait) {
			return
		}
	}
}

// notEmbedded tells of descriptions that could not be embedded.
func (l *loader) notEmbedded(parts *pluginParts, err error, wait time.Duration) {
	l.log.Error("descriptions cannot be embedded; requests go to the default group",
		append([]any{"instance", parts.instance.ID, "error", err, "again_in", wait}, l.panicIn(err)...)...)
}

// loadTimeout bounds one try to load descriptions.
const loadTimeout = 10 * time.Second

// load embeds what is not known, into a store of the width that the embedding model
// turns out to have.
func (parts *pluginParts) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	err := parts.loadSized(ctx)
	if parts.adopt(err) {
		err = parts.loadSized(ctx)
	}
	return err
}

func (parts *pluginParts) loadSized(ctx context.Context) error {
	if width := parts.embedder.Info().Dimensions; width != 0 {
		if err := parts.store.resize(width); err != nil {
			return err
		}
	}
	return parts.router.Load(ctx, parts.vectors())
}

// vectors is the plugin's store, with what the stores of an earlier configuration
// know.
func (parts *pluginParts) vectors() router.Vectors {
	own := parts.store.width()
	from := slices.DeleteFunc(slices.Clone(parts.predecessors), func(s *sized) bool { return s.width() != own })
	return inheriting{bounded: bounded{parts.store}, from: from}
}

// bounded is a store each of whose calls ends soon, so that a server that hangs
// does not hold up the start.
type bounded struct{ store vectordb.Store }

// storeTimeout bounds a call of a store while descriptions are loaded.
const storeTimeout = time.Second

func (b bounded) Get(ctx context.Context, ids ...string) (map[string][]float32, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.store.Get(ctx, ids...)
}

func (b bounded) Upsert(ctx context.Context, records ...vectordb.Record) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.store.Upsert(ctx, records...)
}

// inheriting is a store that looks for vectors in others first, so that a reload
// does not embed unchanged descriptions again.
type inheriting struct {
	bounded
	from []*sized
}

func (s inheriting) Get(ctx context.Context, ids ...string) (map[string][]float32, error) {
	known := make(map[string][]float32, len(ids))
	missing := ids
	for _, store := range s.from {
		found, err := bounded{store}.Get(ctx, missing...)
		if err != nil {
			continue // it may be closed by now; what it knew is embedded again
		}
		maps.Copy(known, found)
		if missing = slices.DeleteFunc(slices.Clone(missing), func(id string) bool { return known[id] != nil }); len(missing) == 0 {
			return known, nil
		}
	}
	found, err := s.bounded.Get(ctx, missing...)
	if err != nil && len(known) == 0 {
		return nil, err
	}
	maps.Copy(known, found)
	return known, nil
}

// keepSynced writes to the store's server what it lacks: where the search is in memory
// for replicas and restarts to find, else for the next search. Every failure is
// counted; the log says when the store goes away and when it is back.
func (l *loader) keepSynced(ctx context.Context, parts *pluginParts, away bool) {
	store := parts.store.syncer()
	if store == nil {
		return
	}
	for sleep(ctx, l.syncEvery) {
		n, err := syncOnce(ctx, store)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && away:
			l.failures.WithLabelValues(opSync).Inc()
			l.panicIn(err)
		case err != nil:
			l.failed(parts, opSync, err)
		case n > 0 || away:
			l.log.Info("the vector store has all vectors", "instance", parts.instance.ID, "written", n)
		}
		away = err != nil
	}
}

func syncOnce(ctx context.Context, store vectordb.Syncer) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	err = guarded(func() (err error) {
		n, err = store.Sync(ctx)
		return err
	})
	return n, err
}

// sleep waits for d and says whether ctx is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
