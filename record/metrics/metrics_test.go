package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"semlb/record"
	"semlb/record/metrics/metricstest"
)

var labels = Labels{
	Reasons: []string{"matched", "degraded"}, Codes: []string{"overloaded"}, EnvoyCodes: []string{"no_route"}, Unread: []string{"encoding"},
	Results: []string{"answered", "timeout", "error"}, Answered: "answered", Cut: "cut",
}

func TestClosedSetsStartAtZero(t *testing.T) {
	r := prometheus.NewRegistry()
	New(r, labels)
	require.Equal(t, map[string]float64{"matched": 0, "degraded": 0}, metricstest.Series(t, r, "semlb_decisions_total"))
	require.Equal(t, map[string]float64{"overloaded": 0}, metricstest.Series(t, r, "semlb_answers_total"))
	require.Equal(t, map[string]float64{"no_route": 0}, metricstest.Series(t, r, "semlb_envoy_answers_total"))
	require.Equal(t, map[string]float64{"encoding": 0}, metricstest.Series(t, r, "semlb_answers_unread_total"))
}

func TestRequestsAreCounted(t *testing.T) {
	r := prometheus.NewRegistry()
	c := New(r, labels)
	target := record.Target{ID: "a1", Provider: "openai", Model: "m", Metered: true}
	c.SetTargets([]record.Target{target, {ID: "b2", Provider: "openai", Model: "not metered"}}, nil)
	require.Equal(t, map[string]float64{"m openai prompt": 0, "m openai completion": 0}, metricstest.Series(t, r, "semlb_llm_tokens_total"))
	require.Equal(t, map[string]float64{"m openai": 0}, metricstest.Series(t, r, "semlb_llm_cost_total"))
	for _, e := range []record.Event{
		&record.Decided{Reason: "matched"},
		&record.Answered{Code: "overloaded"},
		&record.Finished{EnvoyCode: "no_route"},
		&record.Finished{},
		&record.Observed{Target: target, Usage: &record.Usage{Prompt: 3, Completion: 5, Cost: 0.5}},
		&record.Observed{Target: target, Payload: &record.Payload{}, Unread: "encoding"},
	} {
		c.Consume(e)
	}
	require.Equal(t, 1.0, metricstest.Series(t, r, "semlb_decisions_total")["matched"])
	require.Equal(t, 1.0, metricstest.Series(t, r, "semlb_answers_total")["overloaded"])
	require.Equal(t, map[string]float64{"encoding": 1}, metricstest.Series(t, r, "semlb_answers_unread_total"))
	require.Equal(t, map[string]float64{"no_route": 1}, metricstest.Series(t, r, "semlb_envoy_answers_total"))
	require.Equal(t, map[string]float64{"m openai prompt": 3, "m openai completion": 5}, metricstest.Series(t, r, "semlb_llm_tokens_total"))
	require.Equal(t, map[string]float64{"m openai": 0.5}, metricstest.Series(t, r, "semlb_llm_cost_total"))
}

// Two targets of the same provider and model have separate series, and a removed target
// has none.
func TestAttemptsAreCountedByConfiguredTarget(t *testing.T) {
	r := prometheus.NewRegistry()
	c := New(r, labels)
	one, two := record.Target{ID: "a1", Provider: "openai", Model: "m"}, record.Target{ID: "b2", Provider: "openai", Model: "m"}
	c.SetTargets([]record.Target{one, two}, nil)
	begun := metricstest.Series(t, r, "semlb_attempts_total")
	require.Len(t, begun, 2*(2+4+1), "results without an answer, answers by class, and those cut")
	for of, n := range begun {
		require.Zero(t, n, of)
	}

	c.Consume(&record.Attempted{Target: two, Result: "answered", Status: 429, Duration: time.Second})
	c.Consume(&record.Attempted{Target: two, Result: "answered", Status: 200, Cut: true})
	c.Consume(&record.Attempted{Target: one, Result: "timeout"})
	have := metricstest.Series(t, r, "semlb_attempts_total")
	require.Len(t, have, len(begun), "all were there at the start")
	require.Equal(t, 1.0, have["m openai answered 4xx b2"])
	require.Equal(t, 1.0, have["m openai cut 2xx b2"])
	require.Equal(t, 1.0, have["m openai timeout none a1"])
	require.Equal(t, map[string]float64{"m openai": 2}, metricstest.Series(t, r, "semlb_attempt_seconds"))

	c.SetTargets([]record.Target{one, {ID: "c3", Provider: "openai", Model: "n"}}, nil)
	have = metricstest.Series(t, r, "semlb_attempts_total")
	require.Len(t, have, len(begun))
	require.Equal(t, 1.0, have["m openai timeout none a1"], "the count of an unchanged target continues")
	require.Equal(t, map[string]float64{"m openai": 2, "n openai": 0}, metricstest.Series(t, r, "semlb_attempt_seconds"), "its model is still configured")

	c.SetTargets(nil, nil)
	require.Empty(t, metricstest.Series(t, r, "semlb_attempts_total"))
	require.Empty(t, metricstest.Series(t, r, "semlb_attempt_seconds"))
}

func TestARetiredTargetKeepsTheSeriesThatHaveCounted(t *testing.T) {
	r := prometheus.NewRegistry()
	c := New(r, labels)
	one, two := record.Target{ID: "a1", Provider: "openai", Model: "m", Metered: true}, record.Target{ID: "b2", Provider: "openai", Model: "n"}
	c.SetTargets([]record.Target{one}, nil)
	c.Consume(&record.Attempted{Target: one, Result: "timeout"})
	c.SetTargets([]record.Target{two}, []record.Target{one})
	attempts := func() map[string]float64 {
		have := metricstest.Series(t, r, "semlb_attempts_total")
		for of := range have {
			if strings.HasSuffix(of, " b2") {
				delete(have, of)
			}
		}
		return have
	}
	require.Equal(t, map[string]float64{"m openai timeout none a1": 1}, attempts())
	require.Empty(t, metricstest.Series(t, r, "semlb_llm_tokens_total"))
	require.Equal(t, map[string]float64{"n openai": 0}, metricstest.Series(t, r, "semlb_attempt_seconds"))

	c.Consume(&record.Attempted{Target: one, Result: "answered", Status: 200, Duration: time.Second})
	c.SetTargets([]record.Target{two}, []record.Target{one})
	require.Equal(t, map[string]float64{"m openai timeout none a1": 1, "m openai answered 2xx a1": 1}, attempts(), "an attempt that was in flight is counted")

	c.SetTargets([]record.Target{one, two}, nil)
	require.Len(t, attempts(), 2+4+1, "it is configured again")
	require.Equal(t, 1.0, attempts()["m openai timeout none a1"])
	c.SetTargets([]record.Target{two}, []record.Target{one})
	c.SetTargets([]record.Target{two}, nil)
	require.Empty(t, attempts())
	require.Equal(t, map[string]float64{"n openai": 0}, metricstest.Series(t, r, "semlb_attempt_seconds"))
}
