package server

import (
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"semlb/envoy"
	"semlb/provider"
	"semlb/router"
)

// cut is the result of an attempt that broke off after it had begun, too late for
// another target.
const cut = "cut"

// targetMetrics count by target. Their series are those of configured targets only.
type targetMetrics struct {
	attempts       *prometheus.CounterVec
	attemptSeconds *prometheus.HistogramVec
	tokens         *prometheus.CounterVec
	cost           *prometheus.CounterVec

	mu    sync.Mutex
	known map[string]*Target
}

func newTargetMetrics(r prometheus.Registerer) *targetMetrics {
	m := &targetMetrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_attempts_total", Help: "Attempts at targets, by how they ended and the class of the answer's status.",
		}, []string{"provider", "model", "target", "result", "status"}),
		attemptSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "semlb_attempt_seconds", Help: "Time of attempts that were answered, from start to end.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 25, 60, 120, 300},
		}, []string{"provider", "model"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_llm_tokens_total", Help: "Tokens of answers whose target has log_statistics, by type (prompt, completion).",
		}, []string{"provider", "model", "type"}),
		cost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_llm_cost_total", Help: "Cost of those answers, by the targets' input_cost and output_cost.",
		}, []string{"provider", "model"}),
	}
	r.MustRegister(m.attempts, m.attemptSeconds, m.tokens, m.cost)
	return m
}

// SetTargets makes the series of targets, by ID, and lets go of those of others.
func (m *targetMetrics) SetTargets(targets map[string]*Target) {
	m.mu.Lock()
	defer m.mu.Unlock()
	models := make(map[[2]string]bool, len(targets))
	for id, t := range targets {
		models[[2]string{t.Provider, t.Model}] = true
		if m.known[id] == nil {
			m.begin(id, t)
		}
	}
	for id, t := range m.known {
		if targets[id] != nil {
			continue
		}
		m.attempts.DeletePartialMatch(prometheus.Labels{"target": id})
		if !models[[2]string{t.Provider, t.Model}] {
			of := prometheus.Labels{"provider": t.Provider, "model": t.Model}
			m.attemptSeconds.DeletePartialMatch(of)
			m.tokens.DeletePartialMatch(of)
			m.cost.DeletePartialMatch(of)
		}
	}
	m.known = targets
}

// begin lets a target's attempts start at zero, so that the first failure is a growth.
func (m *targetMetrics) begin(id string, t *Target) {
	for _, result := range router.Results() {
		if result != router.Answered {
			m.attempts.WithLabelValues(t.Provider, t.Model, id, string(result), "none")
			continue
		}
		for _, class := range []string{"2xx", "3xx", "4xx", "5xx"} {
			m.attempts.WithLabelValues(t.Provider, t.Model, id, string(result), class)
		}
	}
	m.attempts.WithLabelValues(t.Provider, t.Model, id, cut, "2xx")
}

// usage counts the tokens and the cost of an answer.
func (m *targetMetrics) usage(t *Target, u provider.Usage, cost float64) {
	m.tokens.WithLabelValues(t.Provider, t.Model, "prompt").Add(float64(u.PromptTokens))
	m.tokens.WithLabelValues(t.Provider, t.Model, "completion").Add(float64(u.CompletionTokens))
	m.cost.WithLabelValues(t.Provider, t.Model).Add(cost)
}

// attempt counts an attempt.
func (m *targetMetrics) attempt(t *Target, o router.Outcome, a envoy.Attempt) {
	status := "none"
	if o.Status != 0 {
		status = strconv.Itoa(o.Status/100) + "xx"
	}
	result := string(o.Result)
	if o.Result == router.Answered && a.Class != "" {
		result = cut
	}
	m.attempts.WithLabelValues(t.Provider, t.Model, o.Target, result, status).Inc()
	if o.Result == router.Answered {
		m.attemptSeconds.WithLabelValues(t.Provider, t.Model).Observe(a.Duration.Seconds())
	}
}
