package build

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"semlb/config"
	"semlb/embeddings"
	"semlb/embeddings/openai"
	"semlb/embeddings/remote"
	"semlb/embeddings/static"
)

// embedderOf returns the embedder of an instance. Instances that configure the same
// one share it.
func (b *Builder) embedderOf(p *config.Plugin, i *Instance) (embeddings.Embedder, error) {
	e := p.Settings.Embeddings
	key := digest(e, e.Auth.HeaderValue.Reveal(), e.Auth.ParamValue.Reveal(), p.Settings.VectorDB.Dimensions)
	open := func() (*embedderHandle, error) { return b.openRemote(p) }
	if b.options.BuiltinEmbeddings {
		key, open = "builtin", b.openBuiltin
	}
	embedder, release, err := b.embedders.acquire(key, open)
	if err != nil {
		return nil, err
	}
	i.onClose(release)
	return embedder, nil
}

func (b *Builder) openBuiltin() (*embedderHandle, error) {
	model, err := static.Builtin()
	if err != nil {
		return nil, fmt.Errorf("open built-in embedding model: %w", err)
	}
	cache, err := b.cache(model)
	if err != nil {
		return nil, err
	}
	return &embedderHandle{embedder: cache, cache: cache, close: cache.Close}, nil
}

// openRemote opens the configured model behind a layer that shortens texts, a circuit
// breaker and a cache.
func (b *Builder) openRemote(p *config.Plugin) (*embedderHandle, error) {
	model, err := b.remoteEmbedder(p)
	if err != nil {
		return nil, fmt.Errorf("config.embeddings: %w", err)
	}
	fit := embeddings.NewFit(model, embeddings.FitOptions{
		Tokens: openai.Limit(p.Settings.Embeddings.Model.Name), Count: b.options.CountEmbeddings,
	})
	guard := embeddings.NewGuard(fit, embeddings.GuardOptions{Timeout: b.embedTimeout(), Now: b.options.Now})
	cache, err := b.cache(guard)
	if err != nil {
		return nil, err
	}
	return &embedderHandle{
		embedder: unsizedEmbedder{Cache: cache, model: model}, cache: cache, guard: guard,
		close: func() error { return errors.Join(cache.Close(), model.Close()) },
	}, nil
}

func (b *Builder) cache(next embeddings.Embedder) (*embeddings.Cache, error) {
	cache, err := embeddings.NewCache(next, embeddings.CacheOptions{LoadTimeout: 2 * b.embedTimeout(), Count: b.options.CountEmbeddings})
	if err != nil {
		return nil, fmt.Errorf("make embedding cache: %w", err)
	}
	return cache, nil
}

// leastEmbedTimeout is longer than most decision budgets: a request does not wait for it,
// but a later one finds the vector in the cache.
const leastEmbedTimeout = 2500 * time.Millisecond

// embedTimeout bounds one call of an embedder, and as much again the wait in the queue
// before it. A budget that an operator chose for a slow model is not cut short.
func (b *Builder) embedTimeout() time.Duration {
	return max(leastEmbedTimeout, b.options.DecisionBudget)
}

// remoteEmbedder is an embedder that calls an API.
type remoteEmbedder interface {
	embeddings.Embedder
	embeddings.WidthAdopter
	io.Closer
}

// remoteEmbedders are the values of embeddings.model.provider: the provider's own endpoint, and
// what opens an embedder for it. To add one, add its line.
var remoteEmbedders = map[config.Provider]struct {
	url  string
	open func(remote.Settings) (remoteEmbedder, error)
}{
	config.OpenAI:  {"https://api.openai.com/v1/embeddings", opener(openai.New)},
	config.Mistral: {"https://api.mistral.ai/v1/embeddings", opener(openai.New)},
}

// opener returns the constructor of a package as one of any embedder.
func opener[E remoteEmbedder](open func(remote.Settings) (E, error)) func(remote.Settings) (remoteEmbedder, error) {
	return func(s remote.Settings) (remoteEmbedder, error) {
		e, err := open(s)
		if err != nil {
			return nil, err // without it, e would be a nil pointer in an interface
		}
		return e, nil
	}
}

func (b *Builder) remoteEmbedder(p *config.Plugin) (remoteEmbedder, error) {
	e := p.Settings.Embeddings
	kind, ok := remoteEmbedders[e.Model.Provider]
	if !ok {
		return nil, fmt.Errorf("model.provider: %q is not supported", e.Model.Provider)
	}
	url := cmp.Or(e.Model.Options.UpstreamURL, b.options.ProviderURLs[string(e.Model.Provider)], kind.url)
	roots, err := b.roots(!strings.HasPrefix(url, "http://"))
	if err != nil {
		return nil, err
	}
	return kind.open(remote.Settings{
		URL:        url,
		Provider:   string(e.Model.Provider),
		Model:      e.Model.Name,
		Dimensions: p.Settings.VectorDB.Dimensions,
		Timeout:    2 * b.embedTimeout(),
		RootCAs:    roots,
		Auth: remote.Auth{
			HeaderName: e.Auth.HeaderName, HeaderValue: e.Auth.HeaderValue,
			ParamName: e.Auth.ParamName, ParamValue: e.Auth.ParamValue,
			ParamLocation: string(e.Auth.ParamLocation),
		},
	})
}
