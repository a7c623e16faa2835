package app

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"semlb/router"
	"semlb/server"
)

// openTargets is the metric of each target's circuit breaker.
type openTargets struct {
	circuits *router.Circuits
	targets  func() map[string]*server.Target

	mu  sync.Mutex // held while out is written and read
	out *prometheus.GaugeVec
}

func newOpenTargets(circuits *router.Circuits, targets func() map[string]*server.Target) *openTargets {
	return &openTargets{circuits: circuits, targets: targets, out: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "semlb_target_out", Help: "1 for a target whose circuit breaker is open or half-open, else 0.",
	}, []string{"provider", "model", "target"})}
}

// Describe implements [prometheus.Collector].
func (c *openTargets) Describe(ch chan<- *prometheus.Desc) { c.out.Describe(ch) }

// Collect implements [prometheus.Collector]. Targets that a reload removed are absent.
func (c *openTargets) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.Reset()
	targets := c.targets()
	for id, t := range targets {
		c.out.WithLabelValues(t.Provider, t.Model, id)
	}
	for _, id := range c.circuits.Open() {
		if t := targets[id]; t != nil {
			c.out.WithLabelValues(t.Provider, t.Model, id).Set(1)
		}
	}
	c.out.Collect(ch)
}
