package rooms

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Where goroutines are started, by the code or by its tests, the tests check that none
// remain.
func TestPackagesThatStartGoroutinesLookForLeaks(t *testing.T) {
	starting := 0
	for _, p := range packages(t) {
		if len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 && slices.Contains(p.Imports, "testing") {
			continue // a helper of tests elsewhere, which look for its goroutines too
		}
		starts, verifies := false, false
		for _, name := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				starts = starts || startsGoroutine(n)
				verifies = verifies || calls(n, "VerifyTestMain") || isHarnessMain(n)
				return true
			})
		}
		if starts {
			starting++
			require.True(t, verifies, "%s starts goroutines: its tests need goleak.VerifyTestMain or harness.Main in a TestMain", p.ImportPath)
		}
	}
	require.Greater(t, starting, 10, "this test sees them")
}

// startsGoroutine finds a go statement, and the Go of a sync.WaitGroup and its like.
func startsGoroutine(n ast.Node) bool {
	_, ok := n.(*ast.GoStmt)
	return ok || calls(n, "Go")
}

func calls(n ast.Node, method string) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	return ok && selector.Sel.Name == method
}

// isHarnessMain finds a call of harness.Main, which looks for leaks too.
func isHarnessMain(n ast.Node) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok || !calls(n, "Main") {
		return false
	}
	x, ok := call.Fun.(*ast.SelectorExpr).X.(*ast.Ident)
	return ok && x.Name == "harness"
}
