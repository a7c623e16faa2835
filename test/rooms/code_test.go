package rooms

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	mostMethods = 25
	mostLines   = 60
)

// exceptions are the types that may have more methods, and the functions that may have
// more lines, with the reason. One that is no longer needed fails.
var exceptions = map[string]string{}

// source is a parsed file that is not a test.
type source struct {
	file   *ast.File
	set    *token.FileSet
	folder string // of its package, relative to the root of the module
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, p := range packages(t) {
		path, _ := folder(p.ImportPath)
		for _, name := range p.GoFiles {
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
			require.NoError(t, err)
			all = append(all, source{file: file, set: set, folder: path})
		}
	}
	require.Greater(t, len(all), 100)
	return all
}

func TestTypesAndFunctionsStaySmall(t *testing.T) {
	methods := make(map[string]int)
	needed := make(map[string]bool)
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := s.folder + "." + f.Name.Name
			if f.Recv != nil {
				methods[s.folder+"."+receiver(f)]++
				name = s.folder + "." + receiver(f) + "." + f.Name.Name
			}
			lines := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1
			if lines <= mostLines {
				continue
			}
			needed[name] = true
			if exceptions[name] == "" {
				t.Errorf("%s has %d lines, want at most %d: split it, or give a reason in exceptions", name, lines, mostLines)
			}
		}
	}
	for name, n := range methods {
		if n <= mostMethods {
			continue
		}
		needed[name] = true
		if exceptions[name] == "" {
			t.Errorf("%s has %d methods, want at most %d: split it, or give a reason in exceptions", name, n, mostMethods)
		}
	}
	for name := range exceptions {
		if !needed[name] {
			t.Errorf("%s needs no exception any more: delete its line in test/rooms/code_test.go", name)
		}
	}
}

// receiver is the name of a method's type, without pointer and type parameters.
func receiver(f *ast.FuncDecl) string {
	e := f.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func TestEveryPackageAndExportedNameHasAComment(t *testing.T) {
	described := make(map[string]bool)
	for _, s := range sources(t) {
		described[s.folder] = described[s.folder] || s.file.Doc.Text() != ""
		for _, d := range s.file.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s has no comment", s.at(name), name.Name)
			}
		}
	}
	for _, p := range packages(t) {
		path, _ := folder(p.ImportPath)
		if len(p.GoFiles) > 0 && !described[path] {
			t.Errorf("package %s has no comment", p.ImportPath)
		}
	}
}

func (s source) at(n ast.Node) string {
	p := s.set.Position(n.Pos())
	return s.folder + "/" + filepath.Base(p.Filename) + ":" + strconv.Itoa(p.Line)
}

// undocumented are the exported names of a declaration that no comment describes. The
// comment of a group describes its members; the methods of error and fmt.Stringer
// need none.
func undocumented(d ast.Decl) []*ast.Ident {
	switch d := d.(type) {
	case *ast.FuncDecl:
		standard := d.Recv != nil && (d.Name.Name == "Error" || d.Name.Name == "String")
		if d.Name.IsExported() && !standard && d.Doc.Text() == "" && (d.Recv == nil || ast.IsExported(receiver(d))) {
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		var names []*ast.Ident
		for _, spec := range d.Specs {
			names = append(names, undocumentedSpec(spec, d.Doc)...)
		}
		return names
	}
	return nil
}

func undocumentedSpec(spec ast.Spec, group *ast.CommentGroup) []*ast.Ident {
	var names []*ast.Ident
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && s.Doc.Text()+group.Text() == "" {
			names = append(names, s.Name)
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() && strings.TrimSpace(s.Doc.Text()+s.Comment.Text()+group.Text()) == "" {
				names = append(names, name)
			}
		}
	}
	return names
}
