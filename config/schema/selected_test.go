package schema

import (
	"go/ast"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/packages"
)

// model is the package whose structs hold the configuration.
const model = "semlb/config"

// readByProgram returns the fields of the model that the code reads which uses the
// configuration, as "Type.Field".
func readByProgram(t *testing.T) []string {
	t.Helper()
	return fieldsRead(t, filepath.Join("..", ".."), "./...", func(path string) bool {
		return path != model && !strings.HasPrefix(path, model+"/") && !strings.HasPrefix(path, "semlb/test/")
	})
}

// fieldsRead returns the fields of the model that the packages of a pattern read, tests
// left out, of the packages that use accepts.
func fieldsRead(t *testing.T, dir, pattern string, use func(path string) bool) []string {
	t.Helper()
	loaded, err := packages.Load(&packages.Config{
		Dir:  dir,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedExportFile,
	}, pattern)
	require.NoError(t, err)
	require.NotEmpty(t, loaded)
	var read []string
	for _, p := range loaded {
		require.Empty(t, p.Errors, p.PkgPath)
		if !use(p.PkgPath) {
			continue
		}
		for _, file := range p.Syntax {
			read = append(read, fieldsReadIn(file, p.TypesInfo)...)
		}
	}
	slices.Sort(read)
	return slices.Compact(read)
}

// fieldsReadIn returns the fields of the model that a file selects other than to set
// them.
func fieldsReadIn(file *ast.File, info *types.Info) []string {
	var read []string
	set := map[ast.Expr]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				set[left] = true
			}
		case *ast.SelectorExpr:
			if s := info.Selections[n]; s != nil && s.Kind() == types.FieldVal && !set[n] {
				read = append(read, fieldsOf(s)...)
			}
		}
		return true
	})
	return read
}

// fieldsOf returns the fields of the model on the way of a selection: the embedded ones,
// and the last.
func fieldsOf(s *types.Selection) []string {
	var names []string
	within := s.Recv()
	for _, i := range s.Index() {
		if p, ok := types.Unalias(within).(*types.Pointer); ok {
			within = p.Elem()
		}
		field := within.Underlying().(*types.Struct).Field(i)
		named, ok := types.Unalias(within).(*types.Named)
		if ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == model {
			names = append(names, named.Obj().Name()+"."+field.Name())
		}
		within = field.Type()
	}
	return names
}

// A field of the same name in another struct is not read, nor is one that is only set.
func TestOnlyTheFieldsOfTheModelThatAreReadCount(t *testing.T) {
	read := fieldsRead(t, ".", "./testdata/reader", func(string) bool { return true })
	require.Equal(t, []string{"Model.Name", "Target.Model"}, read)
}
