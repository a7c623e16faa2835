package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"semlb/embeddings"
)

// opened is an embedder with what stands before it.
type opened struct {
	embedder embeddings.Embedder
	cache    *embeddings.Cache
	guard    *embeddings.Guard // nil for the built-in model, which needs none
	close    func() error
}

// countEmbeddings registers what is told of the builder's embedders.
func (b *builder) countEmbeddings(r prometheus.Registerer) {
	results := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "semlb_embeddings_total",
		Help: "Texts whose vector was kept (hit) or on its way (joined), and calls of embedding models for others, by how they ended.",
	}, []string{"result"})
	for _, result := range embeddings.Results() {
		results.WithLabelValues(string(result))
	}
	b.embedded = func(result embeddings.Result, n int) { results.WithLabelValues(string(result)).Add(float64(n)) }
	r.MustRegister(results, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "semlb_embedders_open", Help: "Embedding models that are left alone for a while, because they failed or asked for it.",
	}, b.openGuards), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "semlb_embedding_cache_bytes", Help: "Memory of the vectors that are kept, about.",
	}, b.cachedBytes))
}

func (b *builder) openGuards() float64 {
	n := 0.0
	for _, e := range b.shared.all() {
		if e.guard != nil && e.guard.Open() {
			n++
		}
	}
	return n
}

func (b *builder) cachedBytes() float64 {
	n := 0.0
	for _, e := range b.shared.all() {
		n += float64(e.cache.Stats().Bytes)
	}
	return n
}
