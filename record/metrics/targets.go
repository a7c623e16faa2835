package metrics

import (
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"semlb/record"
)

// targets are the metrics by target. Their series are those of configured targets, and of
// retired ones what they have counted, so that reloads do not let them grow.
type targets struct {
	attempts       *prometheus.CounterVec
	attemptSeconds *prometheus.HistogramVec
	tokens         *prometheus.CounterVec
	cost           *prometheus.CounterVec

	mu    sync.Mutex
	known map[string]known
	// counting is held shared while an event is counted, so that no series is deleted
	// between the look at its value and the deletion.
	counting sync.RWMutex
}

// known is a target that has series.
type known struct {
	record.Target
	retired bool
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

// SetTargets makes the series of the configured targets. Of retired ones, which requests in
// flight may still use, it keeps those that have counted something, and makes none. It
// deletes the series of all others.
func (c *Counters) SetTargets(configured, retired []record.Target) {
	c.targets.set(configured, retired, c.labels)
}

// model identifies the series that targets of the same model share.
type model struct{ provider, name string }

func modelOf(t record.Target) model { return model{t.Provider, t.Model} }

func (m *targets) set(configured, retired []record.Target, l Labels) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := make(map[string]known, len(configured)+len(retired))
	live, kept := make(map[model]bool), make(map[model]bool)
	for _, t := range configured {
		next[t.ID] = known{Target: t}
		live[modelOf(t)], kept[modelOf(t)] = true, true
		m.initialize(t, l)
	}
	for _, t := range retired {
		if _, ok := next[t.ID]; ok {
			continue
		}
		next[t.ID], kept[modelOf(t)] = known{Target: t, retired: true}, true
		if before, ok := m.known[t.ID]; ok && !before.retired {
			m.prune(t, l, live[modelOf(t)])
		}
	}
	for id, t := range m.known {
		if _, ok := next[id]; !ok {
			m.remove(t.Target, l, kept[modelOf(t.Target)])
		}
	}
	m.known = next
}

// remove deletes the series of a target, and those of its model unless others have it.
func (m *targets) remove(t record.Target, l Labels, keepModel bool) {
	// DeletePartialMatch would go through the series of all targets.
	for _, labels := range l.possible() {
		m.attempts.DeleteLabelValues(t.Provider, t.Model, t.ID, labels.result, labels.status)
	}
	if keepModel {
		return
	}
	m.attemptSeconds.DeleteLabelValues(t.Provider, t.Model)
	m.tokens.DeleteLabelValues(t.Provider, t.Model, tokensPrompt)
	m.tokens.DeleteLabelValues(t.Provider, t.Model, tokensCompletion)
	m.cost.DeleteLabelValues(t.Provider, t.Model)
}

// prune deletes the series of a target that are at zero, and those of its model unless a
// configured target has it: a series takes about a kilobyte.
func (m *targets) prune(t record.Target, l Labels, keepModel bool) {
	m.counting.Lock()
	defer m.counting.Unlock()
	for _, labels := range l.possible() {
		dropIfZero(m.attempts.MetricVec, t.Provider, t.Model, t.ID, labels.result, labels.status)
	}
	if keepModel {
		return
	}
	dropIfZero(m.attemptSeconds.MetricVec, t.Provider, t.Model)
	dropIfZero(m.tokens.MetricVec, t.Provider, t.Model, tokensPrompt)
	dropIfZero(m.tokens.MetricVec, t.Provider, t.Model, tokensCompletion)
	dropIfZero(m.cost.MetricVec, t.Provider, t.Model)
}

func dropIfZero(v *prometheus.MetricVec, labels ...string) {
	var value dto.Metric
	series, err := v.GetMetricWithLabelValues(labels...)
	if err == nil && series.Write(&value) == nil && value.GetCounter().GetValue() == 0 && value.GetHistogram().GetSampleCount() == 0 {
		v.DeleteLabelValues(labels...)
	}
}

// attemptLabels are the labels result and status of an attempt.
type attemptLabels struct{ result, status string }

// noClass is the label status of an attempt without an answer.
const noClass = "none"

// classes are those of the statuses that providers answer with; see classOf.
var classes = []string{"2xx", "3xx", "4xx", "5xx"}

// labelsOf are those of attempts with a result, by the class of the status.
func labelsOf(result string, classes ...string) []attemptLabels {
	all := make([]attemptLabels, len(classes))
	for i, class := range classes {
		all[i] = attemptLabels{result, class}
	}
	return all
}

// unanswered are the labels of attempts without an answer.
func (l Labels) unanswered() (all []attemptLabels) {
	for _, result := range l.Results {
		if result != l.Answered {
			all = append(all, attemptLabels{result, noClass})
		}
	}
	return all
}

// expected are the labels of attempts whose series are made at the start.
func (l Labels) expected() []attemptLabels {
	return slices.Concat(l.unanswered(), labelsOf(l.Answered, classes...), labelsOf(l.Cut, "2xx"))
}

// possible are all labels that attempts can have.
func (l Labels) possible() []attemptLabels {
	with := append([]string{"1xx"}, classes...)
	return slices.Concat(l.unanswered(), labelsOf(l.Answered, with...), labelsOf(l.Cut, with...))
}

// initialize makes the series of a target, if they do not exist, so that the first event
// is an increase.
func (m *targets) initialize(t record.Target, l Labels) {
	for _, labels := range l.expected() {
		m.attempts.WithLabelValues(t.Provider, t.Model, t.ID, labels.result, labels.status)
	}
	m.attemptSeconds.WithLabelValues(t.Provider, t.Model)
	if t.Metered {
		m.tokens.WithLabelValues(t.Provider, t.Model, tokensPrompt)
		m.tokens.WithLabelValues(t.Provider, t.Model, tokensCompletion)
		m.cost.WithLabelValues(t.Provider, t.Model)
	}
}
