package server

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"semlb/envoy"
	"semlb/provider"
	"semlb/router"
)

// Metrics counts what the server decides. Every label comes from a closed set.
type Metrics struct {
	decisions       *prometheus.CounterVec
	answers         *prometheus.CounterVec
	rewrites        prometheus.Counter
	panics          prometheus.Counter
	rejections      prometheus.Counter
	envoys          *prometheus.GaugeVec
	tooOld          prometheus.Counter
	attempts        *prometheus.CounterVec
	attemptSeconds  *prometheus.HistogramVec
	ignored         *prometheus.CounterVec
	tokens          *prometheus.CounterVec
	cost            *prometheus.CounterVec
	decisionSeconds prometheus.Histogram
}

// NewMetrics registers the server's metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_decisions_total", Help: "Requests planned, by the reason of the plan.",
		}, []string{"reason"}),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_answers_total", Help: "Requests that semlb answered itself instead of sending them to a model, by code.",
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
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_attempts_total", Help: "Attempts at targets, by provider and model, how they ended, and the class of the answer's status.",
		}, []string{"provider", "model", "result", "status"}),
		attemptSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "semlb_attempt_seconds", Help: "Time of attempts that were answered, from start to end.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 25, 60, 120, 300},
		}, []string{"provider", "model"}),
		ignored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_access_log_ignored_total", Help: "Entries of Envoy's access logs that say nothing to semlb, by log.",
		}, []string{"log"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_llm_tokens_total", Help: "Tokens of answers whose target has log_statistics, by type (prompt, completion).",
		}, []string{"provider", "model", "type"}),
		cost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_llm_cost_total", Help: "Cost of those answers, by the targets' input_cost and output_cost.",
		}, []string{"provider", "model"}),
		decisionSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "semlb_decision_seconds", Help: "Time to answer the external processor's question.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
	}
	for _, reason := range router.Reasons() {
		m.decisions.WithLabelValues(string(reason))
	}
	r.MustRegister(m.tokens, m.cost)
	r.MustRegister(m.attempts, m.attemptSeconds, m.ignored, m.envoys, m.tooOld)
	r.MustRegister(m.decisions, m.answers, m.rewrites, m.panics, m.rejections, m.decisionSeconds)
	return m
}

// CountPanic counts a panic that was caught elsewhere in the process.
func (m *Metrics) CountPanic() { m.panics.Inc() }

// usage counts the tokens and the cost of an answer.
func (m *Metrics) usage(t *Target, u provider.Usage, cost float64) {
	m.tokens.WithLabelValues(t.Provider, t.Model, "prompt").Add(float64(u.PromptTokens))
	m.tokens.WithLabelValues(t.Provider, t.Model, "completion").Add(float64(u.CompletionTokens))
	m.cost.WithLabelValues(t.Provider, t.Model).Add(cost)
}

// attempt counts an attempt. The labels are those of configured targets.
func (m *Metrics) attempt(t *Target, o router.Outcome, a envoy.Attempt) {
	status := "none"
	if o.Status != 0 {
		status = strconv.Itoa(o.Status/100) + "xx"
	}
	result := string(o.Result)
	if o.Result == router.Answered && a.Class != "" {
		result = "cut" // broke off after it had begun, too late for another target
	}
	m.attempts.WithLabelValues(t.Provider, t.Model, result, status).Inc()
	if o.Result == router.Answered {
		m.attemptSeconds.WithLabelValues(t.Provider, t.Model).Observe(a.Duration.Seconds())
	}
}
