package router

import (
	"context"
	"errors"
	"fmt"

	"semlb/vectordb"
)

// Vectors stores the vectors of descriptions; a [vectordb.Store] is one.
type Vectors interface {
	Get(ctx context.Context, ids ...string) (map[string][]float32, error)
	Upsert(ctx context.Context, records ...vectordb.Record) error
}

// Load embeds the descriptions that vectors does not have yet, all in one call, and
// stores them. Until it has succeeded once, plans are Degraded. If the store fails to
// return vectors, all descriptions are embedded again. A router that is not semantic
// has nothing to load.
//
// A [*vectordb.BackingError] is a success with a warning: plans are made from memory,
// and the store behind it lacks the vectors.
//
// A description without any token that the model knows is an error: no prompt could
// ever match it.
func (r *Router) Load(ctx context.Context, vectors Vectors) error {
	if r.embedder == nil {
		return nil
	}
	ids := make([]string, len(r.described))
	for i, description := range r.described {
		ids[i] = RecordID(description)
	}
	known, err := vectors.Get(ctx, ids...)
	if err != nil {
		known = nil // the Upsert below meets the same store and reports it
	}
	var texts []string
	var records []vectordb.Record
	for i, description := range r.described {
		if known[ids[i]] == nil {
			texts = append(texts, description)
		}
		records = append(records, vectordb.Record{ID: ids[i], Vector: known[ids[i]]})
	}
	if len(texts) > 0 {
		if err := r.fill(ctx, texts, records); err != nil {
			return err
		}
	}
	err = vectors.Upsert(ctx, records...)
	var behind *vectordb.BackingError
	if err != nil && !errors.As(err, &behind) {
		return fmt.Errorf("store descriptions: %w", err)
	}
	r.loaded.Store(true)
	if err != nil {
		return fmt.Errorf("store descriptions: %w", err)
	}
	return nil
}

// Loaded reports whether Load has succeeded once.
func (r *Router) Loaded() bool { return r.loaded.Load() }

// fill embeds texts and puts their vectors into the records that have none.
func (r *Router) fill(ctx context.Context, texts []string, records []vectordb.Record) error {
	fresh, err := r.embedder.Embed(ctx, texts)
	if err != nil {
		return fmt.Errorf("embed descriptions: %w", err)
	}
	next := 0
	for i := range records {
		if records[i].Vector != nil {
			continue
		}
		if fresh[next] == nil {
			return fmt.Errorf("embed descriptions: %q has no word that the embedding model knows", texts[next])
		}
		records[i].Vector = fresh[next]
		next++
	}
	return nil
}
