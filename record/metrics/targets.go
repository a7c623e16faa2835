package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"semlb/record"
)

// targets are the metrics by target. Their series are those of configured targets
// only, so that reloads do not let them grow.
type targets struct {
	attempts       *prometheus.CounterVec
	attemptSeconds *prometheus.HistogramVec
	tokens         *prometheus.CounterVec
	cost           *prometheus.CounterVec

	mu    sync.Mutex
	known map[string]record.Target
}

// Values of the label type.
const (
	tokensPrompt     = "prompt"
	tokensCompletion = "completion"
)

func newTargets(r prometheus.Registerer) *targets {
	t := &targets{
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
			Name: "semlb_llm_cost_total", Help: "Cost of answers whose target has log_statistics, by its input_cost and output_cost.",
		}, []string{"provider", "model"}),
	}
	r.MustRegister(t.attempts, t.attemptSeconds, t.tokens, t.cost)
	return t
}

// SetTargets makes the series of targets and deletes those of all others.
func (c *Counters) SetTargets(configured []record.Target) {
	c.targets.set(configured, c.labels)
}

// model identifies the series that targets of the same model share.
type model struct{ provider, name string }

func (m *targets) set(configured []record.Target, l Labels) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := make(map[string]record.Target, len(configured))
	models := make(map[model]bool, len(configured))
	for _, t := range configured {
		next[t.ID] = t
		models[model{t.Provider, t.Model}] = true
		m.initialize(t, l)
	}
	for id, t := range m.known {
		if _, kept := next[id]; kept {
			continue
		}
		m.attempts.DeletePartialMatch(prometheus.Labels{"target": id})
		if !models[model{t.Provider, t.Model}] {
			of := prometheus.Labels{"provider": t.Provider, "model": t.Model}
			m.attemptSeconds.DeletePartialMatch(of)
			m.tokens.DeletePartialMatch(of)
			m.cost.DeletePartialMatch(of)
		}
	}
	m.known = next
}

// initialize makes the series of a target, if they do not exist, so that the first event
// is an increase.
func (m *targets) initialize(t record.Target, l Labels) {
	for _, result := range l.Results {
		if result != l.Answered {
			m.attempts.WithLabelValues(t.Provider, t.Model, t.ID, result, "none")
			continue
		}
		for _, class := range []string{"2xx", "3xx", "4xx", "5xx"} {
			m.attempts.WithLabelValues(t.Provider, t.Model, t.ID, result, class)
		}
	}
	m.attempts.WithLabelValues(t.Provider, t.Model, t.ID, l.Cut, "2xx")
	m.attemptSeconds.WithLabelValues(t.Provider, t.Model)
	if t.Metered {
		m.tokens.WithLabelValues(t.Provider, t.Model, tokensPrompt)
		m.tokens.WithLabelValues(t.Provider, t.Model, tokensCompletion)
		m.cost.WithLabelValues(t.Provider, t.Model)
	}
}
