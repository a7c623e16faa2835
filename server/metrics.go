package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"semlb/envoy"
	"semlb/router"
)

// Metrics counts what the server decides. Every label comes from a closed set.
type Metrics struct {
	*targetMetrics

	decisions       *prometheus.CounterVec
	answers         *prometheus.CounterVec
	envoyAnswers    *prometheus.CounterVec
	rewrites        prometheus.Counter
	panics          prometheus.Counter
	rejections      prometheus.Counter
	envoys          *prometheus.GaugeVec
	tooOld          prometheus.Counter
	ignored         *prometheus.CounterVec
	decisionSeconds prometheus.Histogram
}

// NewMetrics registers the server's metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		targetMetrics: newTargetMetrics(r),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_decisions_total", Help: "Requests planned, by the reason of the plan.",
		}, []string{"reason"}),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_answers_total", Help: "Requests that semlb answered itself instead of sending them to a model, by code.",
		}, []string{"code"}),
		envoyAnswers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_envoy_answers_total", Help: "Requests that came to no attempt because Envoy answered them itself, by code.",
		}, []string{"code"}),
		rewrites: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "semlb_attempt_rewrites_total", Help: "Attempts that the inner role rewrote for their target.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "semlb_panics_total", Help: "Panics that were caught, each with its stack in the log.",
		}),
		rejections: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "semlb_xds_rejections_total", Help: "Configurations that an Envoy refused.",
		}),
		envoys: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "semlb_envoys", Help: "Envoys that are connected over xDS, by the version they report.",
		}, []string{"version"}),
		tooOld: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "semlb_envoys_refused_total", Help: "Times an Envoy that is too old asked for its configuration and got none.",
		}),
		ignored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_access_log_ignored_total", Help: "Entries of Envoy's access logs that say nothing to semlb, by log.",
		}, []string{"log"}),
		decisionSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "semlb_decision_seconds", Help: "Time to answer the external processor's question.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
	}
	for _, reason := range router.Reasons() {
		m.decisions.WithLabelValues(string(reason))
	}
	for _, code := range answerCodes() {
		m.answers.WithLabelValues(code)
	}
	for _, code := range envoy.OwnAnswers() {
		m.envoyAnswers.WithLabelValues(code)
	}
	for _, log := range []string{envoy.LogAttempts, envoy.LogRequests, logObservation, logOther} {
		m.ignored.WithLabelValues(log)
	}
	r.MustRegister(m.ignored, m.envoys, m.tooOld)
	r.MustRegister(m.decisions, m.answers, m.envoyAnswers, m.rewrites, m.panics, m.rejections, m.decisionSeconds)
	return m
}

// CountPanic counts a panic that was caught elsewhere in the process.
func (m *Metrics) CountPanic() { m.panics.Inc() }

// Labels of what is ignored, beside the names of Envoy's logs.
const (
	logObservation = "observation"
	logOther       = "other"
)
