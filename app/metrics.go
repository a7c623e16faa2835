package app

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"semlb/app/build"
	"semlb/app/deploy"
	"semlb/embeddings"
	"semlb/router"
)

// newRegistry makes a registry with the metrics of the Go runtime and the process.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// restartCounter registers the count of restarts of the child Envoy.
func restartCounter(r prometheus.Registerer) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "semlb_envoy_restarts_total", Help: "Restarts of the child Envoy after it ended by itself.",
	})
	r.MustRegister(c)
	return c
}

// reloadCounter registers the count of reloads by result.
func reloadCounter(r prometheus.Registerer) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "semlb_reloads_total", Help: "Changes of the configuration files, by whether they were applied or refused.",
	}, []string{"result"})
	c.WithLabelValues("applied")
	c.WithLabelValues("refused")
	r.MustRegister(c)
	return c
}

// droppedEventsCounter registers the count of events that other replicas did not
// receive.
func droppedEventsCounter(r prometheus.Registerer) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "semlb_shared_events_dropped_total", Help: "Events of targets that were not shared with other replicas, because Redis was unavailable or too slow.",
	})
	r.MustRegister(c)
	return c
}

// embeddingsCounter registers the count of embedding lookups and returns its increment.
func embeddingsCounter(r prometheus.Registerer) func(embeddings.Result, int) {
	results := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "semlb_embeddings_total",
		Help: "Embedding lookups by result: hit, joined an in-flight call, or call outcome.",
	}, []string{"result"})
	for _, result := range embeddings.Results() {
		results.WithLabelValues(string(result))
	}
	r.MustRegister(results)
	return func(result embeddings.Result, n int) { results.WithLabelValues(string(result)).Add(float64(n)) }
}

// registerEmbedders registers the state of a builder's embedders.
func registerEmbedders(r prometheus.Registerer, b *build.Builder) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "semlb_embedders_open", Help: "Embedding models whose circuit breaker is open.",
	}, b.OpenGuards), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "semlb_embedding_cache_bytes", Help: "Approximate memory of the cached vectors.",
	}, b.CachedBytes))
}

// newCircuits makes the circuit breakers of targets, which log and count their
// transitions.
func newCircuits(o *Options, snapshot *deploy.Snapshot, r prometheus.Registerer) *router.Circuits {
	log := o.Log
	changes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "semlb_breaker_changes_total", Help: "Circuit breakers of targets that tripped (out) and reset (back).",
	}, []string{"to"})
	out, back := changes.WithLabelValues("out"), changes.WithLabelValues("back")
	circuits := router.NewCircuits(o.Now, func(c router.Transition) {
		model := ""
		if t := snapshot.Targets()[c.Target]; t != nil {
			model = t.Name()
		}
		if c.Open {
			out.Inc()
			log.Warn("target is out: circuit breaker opened", "target", c.Target, "model", model, "for", c.For)
			return
		}
		back.Inc()
		log.Info("target is back: circuit breaker closed", "target", c.Target, "model", model)
	})
	r.MustRegister(changes, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "semlb_targets_out", Help: "Targets whose circuit breaker is open or half-open.",
	}, func() float64 { return float64(len(circuits.Open())) }), newOpenTargets(circuits, snapshot.Targets))
	return circuits
}
