package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"semlb/config"
	"semlb/embeddings"
	"semlb/embeddings/openai"
	"semlb/embeddings/remote"
	"semlb/embeddings/static"
	"semlb/router"
	"semlb/vectordb"
	"semlb/wire"
)

// semantic gives a plugin its embedder and its store, and the router its view of
// both.
func (b *builder) semantic(ctx context.Context, p *config.Plugin, parts *pluginParts, options *router.Options) error {
	embedder, err := b.embedder(p, parts)
	if err != nil {
		return err
	}
	info := embedder.Info()
	if info.Dimensions == 0 {
		info.Dimensions = p.Settings.VectorDB.Dimensions
	}
	store, err := openSized(info.Dimensions, func(width int) (vectordb.Store, error) {
		b.tellWidth(ctx, p, info.Model, width)
		return b.store(p, info.Model, width)
	})
	if err != nil {
		return err
	}
	parts.store, parts.model, parts.embedder = store, info.Model, embedder
	parts.close = append(parts.close, store.Close)
	options.Semantic.Embedder, options.Semantic.Index = embedder, store
	options.Semantic.Threshold, options.Semantic.DistanceScale = p.Settings.VectorDB.Threshold, info.DistanceScale
	return nil
}

// tellWidth says, once for each model, that it has another width than configured.
func (b *builder) tellWidth(ctx context.Context, p *config.Plugin, model string, width int) {
	want := p.Settings.VectorDB.Dimensions
	if _, told := b.told.LoadOrStore(digest(model, width, want), true); told || width == want {
		return
	}
	level := slog.LevelWarn
	if b.options.Demo { // whoever asked for it chose neither
		level = slog.LevelDebug
	}
	b.log.Log(ctx, level, "the embedding model has another width than vectordb.dimensions; going on with the model's",
		"model", model, "width", width, "vectordb.dimensions", want)
}

// embedder is the model of the configuration behind a guard, or the built-in one;
// either with a cache in front. Plugins that configure the same one share it.
func (b *builder) embedder(p *config.Plugin, parts *pluginParts) (embeddings.Embedder, error) {
	e := p.Settings.Embeddings
	key := digest(b.options.Embeddings, e, e.Auth.HeaderValue.Reveal(), e.Auth.ParamValue.Reveal(), p.Settings.VectorDB.Dimensions)
	if b.options.Embeddings == "builtin" {
		key = digest(b.options.Embeddings)
	}
	embedder, release, err := b.shared.get(key, func() (opened, error) { return b.openEmbedder(p) })
	if err != nil {
		return nil, err
	}
	parts.close = append(parts.close, release)
	return embedder, nil
}

func (b *builder) openEmbedder(p *config.Plugin) (opened, error) {
	if b.options.Embeddings == "builtin" {
		model, err := static.Builtin()
		if err != nil {
			return opened{}, fmt.Errorf("open built-in embedding model: %w", err)
		}
		cache, err := b.cache(model)
		if err != nil {
			return opened{}, err
		}
		return opened{embedder: cache, cache: cache, close: cache.Close}, nil
	}
	remote, err := b.remoteEmbedder(p)
	if err != nil {
		return opened{}, fmt.Errorf("config.embeddings: %w", err)
	}
	guard := embeddings.NewGuard(remote, embeddings.GuardOptions{Timeout: embedTimeout / 2})
	cache, err := b.cache(guard)
	if err != nil {
		return opened{}, err
	}
	return opened{
		embedder: adopting{Cache: cache, remote: remote}, cache: cache, guard: guard,
		close: func() error { return errors.Join(cache.Close(), remote.Close()) },
	}, nil
}

func (b *builder) cache(next embeddings.Embedder) (*embeddings.Cache, error) {
	cache, err := embeddings.NewCache(next, embeddings.CacheOptions{LoadTimeout: embedTimeout, Count: b.embedded})
	if err != nil {
		return nil, fmt.Errorf("make embedding cache: %w", err)
	}
	return cache, nil
}

// embedTimeout bounds one call of a remote embedder. A request waits for it no
// longer than the decision budget; a later one finds its vector in the cache.
const embedTimeout = 5 * time.Second

func (b *builder) remoteEmbedder(p *config.Plugin) (*openai.Embedder, error) {
	e := p.Settings.Embeddings
	url := e.Model.Options.UpstreamURL
	if url == "" {
		url = b.options.ProviderURLs[string(e.Model.Provider)]
	}
	if url == "" {
		defaults := map[config.Provider]string{
			config.OpenAI:  "https://api.openai.com/v1/embeddings",
			config.Mistral: "https://api.mistral.ai/v1/embeddings",
		}
		url = defaults[e.Model.Provider]
	}
	return openai.New(openai.Options{
		URL:        url,
		Provider:   string(e.Model.Provider),
		Model:      e.Model.Name,
		Dimensions: p.Settings.VectorDB.Dimensions,
		Timeout:    embedTimeout,
		Auth: remote.Auth{
			HeaderName: e.Auth.HeaderName, HeaderValue: wire.NewSecret(e.Auth.HeaderValue.Reveal()),
			ParamName: e.Auth.ParamName, ParamValue: wire.NewSecret(e.Auth.ParamValue.Reveal()),
			ParamLocation: string(e.Auth.ParamLocation),
		},
	})
}
