package build

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"semlb/embeddings"
	"semlb/router"
	"semlb/vectordb"
)

const (
	// loadTimeout bounds one try to load the descriptions of an instance, and
	// storeTimeout each call of the store in it: a server that hangs must not hold up
	// the start.
	loadTimeout  = 10 * time.Second
	storeTimeout = time.Second
)

// HasDescriptions reports whether the instance compares prompts with descriptions,
// which Load embeds.
func (i *Instance) HasDescriptions() bool { return i.store != nil }

// Load embeds the descriptions whose vectors the store lacks. It replaces the store if
// the embedding model turns out to have another width. A [vectordb.BackingError] means
// that the vectors are loaded, but could not be kept for others.
func (i *Instance) Load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	err := i.loadOnce(ctx)
	if i.adoptWidth(err) {
		err = i.loadOnce(ctx)
	}
	if i.Router.Loaded() {
		i.predecessors.Store(nil)
	}
	return err
}

func (i *Instance) loadOnce(ctx context.Context) error {
	if width := i.embedder.Info().Dimensions; width != 0 {
		if err := i.store.resize(width); err != nil {
			return err
		}
	}
	return i.Router.Load(ctx, i.vectors())
}

// unsizedEmbedder is a remote embedder behind its cache whose width may still change.
type unsizedEmbedder struct {
	*embeddings.Cache
	model embeddings.WidthAdopter
}

// adoptWidth makes the embedder accept the width of the model's responses, if that is
// what err is about, and reports whether it did.
func (i *Instance) adoptWidth(err error) bool {
	var width *embeddings.WidthError
	embedder, ok := i.embedder.(unsizedEmbedder)
	if !ok || !errors.As(err, &width) {
		return false
	}
	embedder.model.Adopt(width.Got)
	return true
}

// Syncer returns the instance's store if it keeps a copy of its vectors in a server;
// nil if it does not.
func (i *Instance) Syncer() vectordb.Syncer { return i.store.syncer() }

// SearchesServer reports whether a search is a call of the store's server.
func (i *Instance) SearchesServer() bool { return i.store.searchesServer() }

// vectors is the instance's store with the vectors of its predecessors of the same
// width.
func (i *Instance) vectors() router.Vectors {
	width := i.store.width()
	from := slices.DeleteFunc(slices.Clone(i.before()), func(s *resizableStore) bool { return s.width() != width })
	return inheritingVectors{timedVectors: timedVectors{i.store}, from: from}
}

// timedVectors bounds each call of a store.
type timedVectors struct{ store vectordb.Store }

func (v timedVectors) Get(ctx context.Context, ids ...string) (map[string][]float32, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return v.store.Get(ctx, ids...)
}

func (v timedVectors) Upsert(ctx context.Context, records ...vectordb.Record) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return v.store.Upsert(ctx, records...)
}

// inheritingVectors looks vectors up in other stores first, so that a reload does not
// embed unchanged descriptions again.
type inheritingVectors struct {
	timedVectors
	from []*resizableStore
}

func (v inheritingVectors) Get(ctx context.Context, ids ...string) (map[string][]float32, error) {
	known := make(map[string][]float32, len(ids))
	missing := ids
	for _, store := range v.from {
		found, err := timedVectors{store}.Get(ctx, missing...)
		if err != nil {
			continue // it may be closed by now; its vectors are embedded again
		}
		maps.Copy(known, found)
		missing = slices.DeleteFunc(slices.Clone(missing), func(id string) bool { return known[id] != nil })
		if len(missing) == 0 {
			return known, nil
		}
	}
	found, err := v.timedVectors.Get(ctx, missing...)
	if err != nil && len(known) == 0 {
		return nil, err
	}
	maps.Copy(known, found)
	return known, nil
}
