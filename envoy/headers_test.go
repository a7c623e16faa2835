package envoy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryHeaderBetweenTheHopsIsInternal reads headers.go: a header that is added there
// and forgotten in the list could be sent by clients, and would reach providers.
func TestEveryHeaderBetweenTheHopsIsInternal(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "headers.go", nil, 0)
	require.NoError(t, err)
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Header") {
			return true
		}
		name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		require.Contains(t, reservedHeaders, name)
		found++
		return false
	})
	require.GreaterOrEqual(t, found, 18)
}
