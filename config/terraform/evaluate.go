package terraform

import (
	"errors"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/tree"
)

// maxReferences bounds how many values refer to each other in a row.
const maxReferences = 500

// evaluator turns the expressions of a module into trees. HCL evaluates them; marks on
// its values keep positions, the text of numbers, and which values come from the
// environment.
type evaluator struct {
	*format.Input
	*module
	meter
	// functions are those that expressions call.
	functions map[string]function.Function
	// prepared are the expressions that are ready to be evaluated, and whether all their
	// functions are known.
	prepared map[hclsyntax.Expression]bool
	// calling is the file whose functions are called.
	calling *file
	// depth is how many values refer to each other.
	depth int
}

func newEvaluator(in *format.Input, m *module) *evaluator {
	e := &evaluator{Input: in, module: m, prepared: map[hclsyntax.Expression]bool{}}
	e.functions = e.meter.functions()
	for name, f := range e.fileFunctions() {
		e.functions[name] = e.metered(name, f)
	}
	return e
}

// location is where an expression is, for faults.
type location struct {
	file *file
	path string
}

// expression is an expression and where it is.
type expression struct {
	location
	expr hclsyntax.Expression
}

// tree returns the tree of an expression. Lists, objects and local values are walked
// here, so that each value keeps its own position and the order of the file; HCL
// evaluates the rest. What cannot be evaluated is a fault, and broken.
func (e *evaluator) tree(at location, x hclsyntax.Expression) *tree.Node {
	pos := at.file.position(x.Range())
	switch x := x.(type) {
	case *hclsyntax.ParenthesesExpr:
		return e.tree(at, x.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return e.tree(at, x.Wrapped)
	case *hclsyntax.TupleConsExpr:
		n := &tree.Node{Kind: tree.List, Pos: pos}
		for i, item := range x.Exprs {
			n.Items = append(n.Items, e.tree(location{at.file, report.Index(at.path, i)}, item))
		}
		return e.bounded(at, n)
	case *hclsyntax.ObjectConsExpr:
		return e.object(at, pos, x)
	case *hclsyntax.ScopeTraversalExpr:
		if root, name := splitReference(x.Traversal); root == "local" && len(x.Traversal) == 2 {
			return e.localTree(at, pos, name)
		}
	}
	b := treeBuilder{report: &e.Report, path: at.path, reference: isReference(x), converting: e.Converting()}
	return e.bounded(at, b.tree(e.evaluate(at, x), pos, valueMarks{}))
}

// object returns the tree of an object's expression.
func (e *evaluator) object(at location, pos config.Position, x *hclsyntax.ObjectConsExpr) *tree.Node {
	n := &tree.Node{Kind: tree.Object, Pos: pos}
	for _, item := range x.Items {
		f := tree.Field{Pos: at.file.position(item.KeyExpr.Range())}
		if f.Name = hcl.ExprAsKeyword(item.KeyExpr); f.Name == "" {
			key := e.evaluate(at, item.KeyExpr)
			m := marksOf(key)
			key, _ = key.Unmark()
			if !key.IsKnown() || key.IsNull() || key.Type() != cty.String || len(m.placeholders) > 0 {
				e.Problem(f.Pos, at.path, "got a name that is not a string")
				return brokenValue(f.Pos)
			}
			f.Name, f.Hidden = key.AsString(), m.hidden
		}
		f.Value = e.tree(location{at.file, report.Join(at.path, f.Shown())}, item.ValueExpr)
		n.Fields = append(n.Fields, f)
	}
	return e.bounded(at, n)
}

// brokenValue stands for a value that could not be evaluated.
func brokenValue(pos config.Position) *tree.Node {
	return &tree.Node{Kind: tree.String, Pos: pos, Text: "unknown", Hidden: true, Broken: true}
}

// bounded returns a tree, unless it is beyond the bounds.
func (e *evaluator) bounded(at location, n *tree.Node) *tree.Node {
	if n.Kind != tree.List && n.Kind != tree.Object {
		return n
	}
	if err := n.Seal(); err != nil {
		e.Problem(n.Pos, at.path, "%s", err)
		return brokenValue(n.Pos)
	}
	return n
}

// evaluate returns the value of an expression. One that cannot be evaluated is unknown,
// which has been reported. HCL's own texts are not shown where they may quote a value.
func (e *evaluator) evaluate(at location, x hclsyntax.Expression) (value cty.Value) {
	value = cty.DynamicVal
	if e.depth++; e.depth > maxReferences {
		e.Problem(at.file.position(x.Range()), at.path, "got a chain of more than %d references", maxReferences)
		e.depth--
		return value
	}
	defer func() {
		e.depth--
		if recover() != nil { // a bug of a function or of HCL must not end the process
			e.Problem(at.file.position(x.Range()), at.path, "got an expression that cannot be evaluated")
			value = cty.DynamicVal
		}
	}()
	if !e.prepare(at, x) {
		return value
	}
	context, ok := e.context(at, x)
	if !ok {
		return value
	}
	e.calling = at.file
	v, diags := x.Value(context)
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			e.evaluationFault(at, x, d)
		}
	}
	if diags.HasErrors() || !e.within(at, x, weight(v)) {
		return value
	}
	return v
}

// within counts work. It reports false, and adds a fault, where that is too much.
func (e *evaluator) within(at location, x hclsyntax.Expression, work int) bool {
	if e.spend(work) && work <= tree.MaxValues {
		return true
	}
	e.Problem(at.file.position(x.Range()), at.path, "got a value that is too large")
	return false
}

// evaluationFault reports an error of HCL. Its summary is one of few sentences; its
// detail may quote values.
func (e *evaluator) evaluationFault(at location, x hclsyntax.Expression, d *hcl.Diagnostic) {
	pos := at.file.position(x.Range())
	if d.Subject != nil {
		pos = at.file.position(*d.Subject)
	}
	problem := strings.ToLower(report.Shorten(d.Summary))
	if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok && call.CalledFunctionName() != "" {
		var known functionError
		if errors.As(call.FunctionCallError(), &known) {
			problem = known.Error()
		} else {
			problem = "function " + shownName(call.CalledFunctionName()) + ": " + problem
		}
	}
	e.Problem(pos, at.path, "%s", problem)
}
