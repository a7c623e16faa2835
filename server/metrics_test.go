package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"semlb/envoy"
	"semlb/router"
)

// series are the series of a metric, as their labels' values.
func series(t *testing.T, r *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	all := make(map[string]float64)
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var values []string
			for _, pair := range m.GetLabel() {
				values = append(values, pair.GetValue())
			}
			all[strings.Join(values, " ")] = m.GetCounter().GetValue()
		}
	}
	return all
}

// constants are the string constants of a file whose names begin with a prefix.
func constants(t *testing.T, file, prefix string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	var all []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && strings.HasPrefix(spec.Names[0].Name, prefix) {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			all = append(all, value)
		}
		return true
	})
	require.NotEmpty(t, all, file)
	return all
}

func TestEveryCodeStartsAtZero(t *testing.T) {
	r := prometheus.NewRegistry()
	NewMetrics(r)
	have := series(t, r, "semlb_answers_total")
	want := slices.Concat(constants(t, "codes.go", "code"), constants(t, "../provider/errors.go", "Code"), []string{"all_out", "no_match"})
	require.Len(t, have, len(want))
	for _, code := range want {
		require.Contains(t, have, code)
	}
}

// Two targets of the same provider and model are told apart, and what a reload removed
// leaves nothing behind.
func TestAttemptsAreCountedByConfiguredTarget(t *testing.T) {
	r := prometheus.NewRegistry()
	m := NewMetrics(r)
	one, two := &Target{Provider: "openai", Model: "m"}, &Target{Provider: "openai", Model: "m"}
	m.SetTargets(map[string]*Target{"a1": one, "b2": two})
	begun := series(t, r, "semlb_attempts_total")
	require.Len(t, begun, 2*(len(router.Results())+4), "each result, answers by class, and those cut")
	for of, n := range begun {
		require.Zero(t, n, of)
	}

	m.attempt(two, router.Outcome{Target: "b2", Result: router.Answered, Status: 429}, envoy.Attempt{})
	m.attempt(two, router.Outcome{Target: "b2", Result: router.Answered, Status: 200}, envoy.Attempt{Class: envoy.ClassReset})
	m.attempt(one, router.Outcome{Target: "a1", Result: router.TimedOut}, envoy.Attempt{})
	have := series(t, r, "semlb_attempts_total")
	require.Len(t, have, len(begun), "all were there at the start")
	require.Equal(t, 1.0, have["m openai answered 4xx b2"])
	require.Equal(t, 1.0, have["m openai cut 2xx b2"])
	require.Equal(t, 1.0, have["m openai timeout none a1"])

	m.SetTargets(map[string]*Target{"a1": one, "c3": {Provider: "openai", Model: "n"}})
	have = series(t, r, "semlb_attempts_total")
	require.Len(t, have, len(begun))
	require.Equal(t, 1.0, have["m openai timeout none a1"], "an unchanged target goes on")
	require.Len(t, series(t, r, "semlb_attempt_seconds"), 1, "its model is still configured")

	m.SetTargets(nil)
	require.Empty(t, series(t, r, "semlb_attempts_total"))
	require.Empty(t, series(t, r, "semlb_attempt_seconds"))
}
