package build

import (
	"context"
	"log/slog"

	"semlb/config"
	"semlb/router"
	"semlb/vectordb"
)

// addSemantic gives an instance its embedder and its store, and the router both.
func (b *Builder) addSemantic(ctx context.Context, p *config.Plugin, i *Instance, options *router.Options) error {
	embedder, err := b.embedderOf(p, i)
	if err != nil {
		return err
	}
	info := embedder.Info()
	if info.Dimensions == 0 {
		info.Dimensions = p.Settings.VectorDB.Dimensions
	}
	store, err := openResizable(info.Dimensions, func(width int) (vectordb.Store, error) {
		b.logWidth(ctx, p, info.Model, width)
		return b.store(p, info.Model, width)
	})
	if err != nil {
		return err
	}
	i.onClose(store.Close)
	i.store, i.model, i.embedder = store, info.Model, embedder
	options.Semantic.Embedder, options.Semantic.Index = embedder, store
	options.Semantic.Threshold, options.Semantic.DistanceScale = p.Settings.VectorDB.Threshold, info.DistanceScale
	return nil
}

// logWidth logs, once for each model, that its vectors are not as wide as configured.
func (b *Builder) logWidth(ctx context.Context, p *config.Plugin, model string, width int) {
	want := p.Settings.VectorDB.Dimensions
	if _, logged := b.loggedWidths.LoadOrStore(digest(model, width, want), true); logged || width == want {
		return
	}
	level := slog.LevelWarn
	if b.options.Demo {
		level = slog.LevelDebug
	}
	b.options.Log.Log(ctx, level, "the embedding model has another width than vectordb.dimensions; going on with the model's",
		"model", model, "width", width, "vectordb.dimensions", want)
}
