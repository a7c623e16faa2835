package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"semlb/envoy"
)

// Metrics counts what is not about one request: calls of the gRPC services. A sink of the
// recorder counts requests. Every label comes from a closed set.
type Metrics struct {
	rewrites        prometheus.Counter
	panics          prometheus.Counter
	rejections      prometheus.Counter
	envoys          *prometheus.GaugeVec
	tooOld          prometheus.Counter
	ignored         *prometheus.CounterVec
	substitutes     *prometheus.CounterVec
	decisionSeconds prometheus.Histogram
}

// NewMetrics registers the server's metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		rewrites: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "semlb_attempt_rewrites_total", Help: "Attempts that the inner role rewrote for their target.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "semlb_panics_total", Help: "Panics that were recovered, each with its stack in the log.",
		}),
		rejections: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "semlb_xds_rejections_total", Help: "Configurations that an Envoy rejected.",
		}),
		envoys: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "semlb_envoys", Help: "Envoys that are connected over xDS, by the version they report.",
		}, []string{"version"}),
		tooOld: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "semlb_envoys_refused_total", Help: "xDS streams that were refused because their Envoy is too old.",
		}),
		ignored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_access_log_ignored_total", Help: "Entries of Envoy's access logs that could not be used, by log.",
		}, []string{"log"}),
		substitutes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_substitutes_total", Help: "Calls about a configuration that this replica does not have, by what took its place.",
		}, []string{"by"}),
		decisionSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "semlb_decision_seconds", Help: "Time to respond to an external processing request, after its body was received.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
	}
	for _, log := range []string{envoy.LogAttempts, envoy.LogRequests, logObservation, logOther} {
		m.ignored.WithLabelValues(log)
	}
	for _, by := range []string{substitutedElsewhere, substitutedSame, substitutedOther, substitutedTried, substitutedNone} {
		m.substitutes.WithLabelValues(by)
	}
	r.MustRegister(m.substitutes, m.ignored, m.envoys, m.tooOld, m.rewrites, m.panics, m.rejections, m.decisionSeconds)
	return m
}

// CountPanic counts a panic that was recovered elsewhere in the process.
func (m *Metrics) CountPanic() { m.panics.Inc() }

// Labels of what takes the place of an instance or a target that this replica does not have.
const (
	// substitutedElsewhere: Envoy calls another replica.
	substitutedElsewhere = "replica"
	// substitutedSame: the same target, with other options, weight or credentials.
	substitutedSame = "same_target"
	// substitutedOther: another target that the attempts before have not tried.
	substitutedOther = "other_target"
	// substitutedTried: a target that was tried: there is no other one.
	substitutedTried = "tried_target"
	// substitutedNone: there is no target.
	substitutedNone = "none"
)

// Labels of what is ignored, beside the names of Envoy's logs.
const (
	logObservation = "observation"
	logOther       = "other"
)
