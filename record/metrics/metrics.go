// Package metrics counts the events of requests. Every label comes from a closed set.
package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"semlb/record"
)

// Labels are the closed sets that the labels of a Counters come from. Every member has
// its series from the start, so that its first event is an increase.
type Labels struct {
	// Reasons of decisions, Codes of semlb's own answers and EnvoyCodes of Envoy's.
	Reasons, Codes, EnvoyCodes []string
	// Unread are the reasons for which answers could not be read.
	Unread []string
	// Results are those of attempts. Of these, Answered is the one of attempts that
	// were answered, and Cut names those whose answer broke off.
	Results       []string
	Answered, Cut string
}

// Counters is a sink that counts events as Prometheus metrics. It does not block and
// is safe for concurrent use.
type Counters struct {
	labels       Labels
	decisions    *prometheus.CounterVec
	answers      *prometheus.CounterVec
	envoyAnswers *prometheus.CounterVec
	unread       *prometheus.CounterVec
	targets      *targets
}

// New makes a Counters and registers its metrics.
func New(r prometheus.Registerer, l Labels) *Counters {
	c := &Counters{
		labels: l,
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_decisions_total", Help: "Requests planned, by the reason of the plan.",
		}, []string{"reason"}),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_answers_total", Help: "Requests that semlb answered itself instead of sending them to a model, by code.",
		}, []string{"code"}),
		envoyAnswers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_envoy_answers_total", Help: "Requests that Envoy answered itself before any attempt, by code.",
		}, []string{"code"}),
		unread: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_answers_unread_total", Help: "Answers of models whose usage or payload could not be read, by reason.",
		}, []string{"reason"}),
		targets: newTargets(r),
	}
	initialize(c.decisions, l.Reasons)
	initialize(c.answers, l.Codes)
	initialize(c.envoyAnswers, l.EnvoyCodes)
	initialize(c.unread, l.Unread)
	r.MustRegister(c.decisions, c.answers, c.envoyAnswers, c.unread)
	return c
}

func initialize(v *prometheus.CounterVec, values []string) {
	for _, value := range values {
		v.WithLabelValues(value)
	}
}

// Wants implements [record.Sink].
func (c *Counters) Wants(record.Kind) bool { return true }

// Consume implements [record.Sink].
func (c *Counters) Consume(e record.Event) {
	switch e := e.(type) {
	case *record.Decided:
		c.decisions.WithLabelValues(e.Reason).Inc()
	case *record.Answered:
		c.answers.WithLabelValues(e.Code).Inc()
	case *record.Attempted:
		c.attempted(e)
	case *record.Observed:
		c.observed(e)
	case *record.Finished:
		if e.EnvoyCode != "" {
			c.envoyAnswers.WithLabelValues(e.EnvoyCode).Inc()
		}
	}
}

func (c *Counters) attempted(e *record.Attempted) {
	c.targets.counting.RLock()
	defer c.targets.counting.RUnlock()
	result, status := e.Result, classOf(e.Status)
	if e.Cut {
		result = c.labels.Cut
	}
	t := e.Target
	c.targets.attempts.WithLabelValues(t.Provider, t.Model, t.ID, result, status).Inc()
	if e.Result == c.labels.Answered {
		c.targets.attemptSeconds.WithLabelValues(t.Provider, t.Model).Observe(e.Duration.Seconds())
	}
}

// classOf is the label of a status. Those above 599 have no meaning; clients have to treat
// them as 5xx (RFC 9110, section 15).
func classOf(status int) string {
	if status == 0 {
		return noClass
	}
	return strconv.Itoa(min(status/100, 5)) + "xx"
}

func (c *Counters) observed(e *record.Observed) {
	if e.Unread != "" {
		c.unread.WithLabelValues(e.Unread).Inc()
	}
	if e.Usage == nil {
		return
	}
	c.targets.counting.RLock()
	defer c.targets.counting.RUnlock()
	t := e.Target
	c.targets.tokens.WithLabelValues(t.Provider, t.Model, tokensPrompt).Add(float64(e.Usage.Prompt))
	c.targets.tokens.WithLabelValues(t.Provider, t.Model, tokensCompletion).Add(float64(e.Usage.Completion))
	c.targets.cost.WithLabelValues(t.Provider, t.Model).Add(e.Usage.Cost)
}
