package cli

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"semlb/router"
	"semlb/vectordb"
)

// Reloading a description that could not be embedded begins quickly and then
// leaves a broken embedder room.
const (
	firstReload = time.Second
	lastReload  = 30 * time.Second
	// syncEvery is how often a store that keeps vectors for others is looked after.
	syncEvery = time.Minute
)

// keepLoaded embeds the plugin's descriptions, tries again while that fails, and
// then keeps the store behind memory filled. It calls attempted after the first
// try, whatever came of it. It returns when ctx ends.
func (parts *pluginParts) keepLoaded(ctx context.Context, log *slog.Logger, attempted func()) {
	defer attempted()
	if parts.store == nil {
		return
	}
	for wait := firstReload; ; wait = min(2*wait, lastReload) {
		err := parts.load(ctx)
		var behind *vectordb.BackingError
		switch {
		case err == nil:
			attempted()
			parts.keepSynced(ctx, log)
			return
		case errors.As(err, &behind):
			log.Warn("the vector store cannot be written; vectors are served from memory", "instance", parts.instance.ID, "error", err)
			attempted()
			parts.keepSynced(ctx, log)
			return
		}
		log.Error("descriptions cannot be embedded; requests go to the default group", "instance", parts.instance.ID, "error", err, "again_in", wait)
		attempted()
		if !sleep(ctx, wait) {
			return
		}
	}
}

// loadTimeout bounds one try to load descriptions.
const loadTimeout = 10 * time.Second

func (parts *pluginParts) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	return parts.router.Load(ctx, parts.vectors())
}

// vectors is the plugin's store, with what the store of an earlier configuration
// knows.
func (parts *pluginParts) vectors() router.Vectors {
	own := bounded{parts.store}
	if parts.predecessor == nil {
		return own
	}
	return inheriting{bounded: own, from: parts.predecessor}
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

// inheriting is a store that looks for vectors in another one first, so that a
// reload does not embed unchanged descriptions again.
type inheriting struct {
	bounded
	from vectordb.Store
}

func (s inheriting) Get(ctx context.Context, ids ...string) (map[string][]float32, error) {
	if known, err := s.from.Get(ctx, ids...); err == nil && len(known) == len(ids) {
		return known, nil
	}
	return s.bounded.Get(ctx, ids...)
}

// keepSynced writes to the store behind memory what it lacks, for replicas and
// restarts to find.
func (parts *pluginParts) keepSynced(ctx context.Context, log *slog.Logger) {
	synced, ok := parts.store.(*vectordb.Synced)
	if !ok {
		return
	}
	failing := false
	for sleep(ctx, syncEvery) {
		call, cancel := context.WithTimeout(ctx, loadTimeout)
		n, err := synced.Sync(call)
		cancel()
		switch {
		case err != nil && !failing:
			log.Warn("the vector store cannot be written; vectors are served from memory", "instance", parts.instance.ID, "error", err)
		case err == nil && n > 0:
			log.Info("vector store filled", "instance", parts.instance.ID, "records", n)
		}
		failing = err != nil
	}
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
