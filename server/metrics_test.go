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

	"semlb/record/metrics"
	"semlb/record/metrics/metricstest"
)

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
	metrics.New(r, Labels())
	have := metricstest.Series(t, r, "semlb_answers_total")
	want := slices.Concat(constants(t, "codes.go", "code"), constants(t, "../access/codes.go", "Code"), constants(t, "../provider/errors.go", "Code"), []string{"all_out", "no_match", "upstream_unavailable"})
	require.Len(t, have, len(want))
	for _, code := range want {
		require.Contains(t, have, code)
	}
}
