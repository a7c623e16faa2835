package app

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"semlb/router"
	"semlb/server"
)

// targetsOut says of each target that requests can come to whether the breaker has it
// out.
type targetsOut struct {
	circuits *router.Circuits
	snapshot func() *server.Snapshot

	mu  sync.Mutex // held while out is written and read
	out *prometheus.GaugeVec
}

func newTargetsOut(circuits *router.Circuits, snapshot func() *server.Snapshot) *targetsOut {
	return &targetsOut{circuits: circuits, snapshot: snapshot, out: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "semlb_target_out", Help: "1 for a target that is out because it failed, or is being probed, else 0.",
	}, []string{"provider", "model", "target"})}
}

// Describe says what the metric is.
func (c *targetsOut) Describe(ch chan<- *prometheus.Desc) { c.out.Describe(ch) }

// Collect measures. Targets that a reload removed are gone.
func (c *targetsOut) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.Reset()
	targets := c.snapshot().Targets()
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
