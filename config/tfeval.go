package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Bounds of the evaluation.
const (
	// maxTermDepth bounds how many values refer to each other in a row.
	maxTermDepth = 500
	// maxTermWork bounds what all expressions together cost, in values.
	maxTermWork = 4_000_000
)

// tfEvaluator evaluates the expressions of a module.
type tfEvaluator struct {
	*terraform
	// functions are those that expressions call.
	functions map[string]function.Function
	// prepared are the expressions that are ready to be evaluated, and whether all their
	// functions are known.
	prepared map[hclsyntax.Expression]bool
	// work and depth count towards the bounds; loopWork is what each iteration of a loop
	// may cost beyond its value.
	work, depth, loopWork int
}

func newEvaluator(t *terraform) *tfEvaluator {
	e := &tfEvaluator{terraform: t, prepared: map[hclsyntax.Expression]bool{}}
	e.functions = e.newFunctions()
	return e
}

// tfPlace is where an expression is, for faults.
type tfPlace struct {
	file *tfFile
	path string
}

// element returns the place of an element of a list.
func (p tfPlace) element(i int) tfPlace {
	return tfPlace{p.file, fmt.Sprintf("%s[%d]", p.path, i)}
}

// tfExpr is an expression and where it is.
type tfExpr struct {
	at   tfPlace
	expr hclsyntax.Expression
}

// term returns the tree of an expression. Lists, objects and local values are walked
// here, so that each value keeps its own place and the order of the file; HCL evaluates
// the rest. A value that is not available is a fault, and broken.
func (t *tfEvaluator) term(at tfPlace, e hclsyntax.Expression) *node {
	pos := at.file.position(e.Range())
	switch e := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return t.term(at, e.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return t.term(at, e.Wrapped)
	case *hclsyntax.TupleConsExpr:
		n := &node{kind: kindList, pos: pos}
		for i, item := range e.Exprs {
			n.items = append(n.items, t.term(at.element(i), item))
		}
		return t.bounded(at, n)
	case *hclsyntax.ObjectConsExpr:
		return t.object(at, pos, e)
	case *hclsyntax.ScopeTraversalExpr:
		if root, name := reference(e.Traversal); root == "local" && len(e.Traversal) == 2 {
			return t.localTree(at, pos, name)
		}
	}
	c := treeBuilder{t: t, at: at}
	return t.bounded(at, c.tree(t.evaluate(at, e), pos, valueMarks{}))
}

// object returns the tree of an object's expression.
func (t *tfEvaluator) object(at tfPlace, pos Position, e *hclsyntax.ObjectConsExpr) *node {
	n := &node{kind: kindObject, pos: pos}
	for _, item := range e.Items {
		f := field{pos: at.file.position(item.KeyExpr.Range())}
		if f.name = hcl.ExprAsKeyword(item.KeyExpr); f.name == "" {
			key := t.evaluate(at, item.KeyExpr)
			m := marksOf(key)
			key, _ = key.Unmark()
			if !key.IsKnown() || key.IsNull() || key.Type() != cty.String || len(m.symbols) > 0 {
				return t.notTerm(at, f.pos, "got a name that is no string")
			}
			f.name, f.hidden = key.AsString(), m.hidden
		}
		f.value = t.term(tfPlace{at.file, join(at.path, fieldName(&spec{}, f))}, item.ValueExpr)
		n.fields = append(n.fields, f)
	}
	return t.bounded(at, n)
}

// notTerm is a fault; it returns a value for it.
func (t *tfEvaluator) notTerm(at tfPlace, pos Position, format string, args ...any) *node {
	t.problem(pos, at.path, format, args...)
	return brokenValue(pos)
}

// brokenValue stands for a value that is not available.
func brokenValue(pos Position) *node {
	return &node{kind: kindString, pos: pos, text: "unknown", hidden: true, broken: true}
}

// bounded returns a tree, unless it is beyond the bounds.
func (t *tfEvaluator) bounded(at tfPlace, n *node) *node {
	if n.kind != kindList && n.kind != kindObject {
		return n
	}
	if err := n.seal(); err != nil {
		return t.notTerm(at, n.pos, "%s", err)
	}
	return n
}

// evaluate returns the value of an expression by HCL. Where that fails it is
// unknown, and that is a fault already. HCL's own texts are not shown where they may
// quote a value.
func (t *tfEvaluator) evaluate(at tfPlace, e hclsyntax.Expression) (value cty.Value) {
	value = cty.DynamicVal
	if t.depth++; t.depth > maxTermDepth {
		t.problem(at.file.position(e.Range()), at.path, "got values that refer to each other more than %d times in a row", maxTermDepth)
		t.depth--
		return value
	}
	defer func() {
		t.depth--
		if recover() != nil { // a bug of a function or of HCL must not end the process
			t.problem(at.file.position(e.Range()), at.path, "got an expression that cannot be evaluated")
			value = cty.DynamicVal
		}
	}()
	if !t.prepare(at, e) {
		return value
	}
	context, ok := t.context(at, e)
	if !ok {
		return value
	}
	v, diags := e.Value(context)
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			t.evaluationFault(at, e, d)
		}
	}
	if diags.HasErrors() || !t.spend(at, e, weight(v)) {
		return value
	}
	return v
}

// spend counts work. It reports false, and notes a fault, where that is too much.
func (t *tfEvaluator) spend(at tfPlace, e hclsyntax.Expression, work int) bool {
	t.work += work
	if work <= maxValues && t.work <= maxTermWork {
		return true
	}
	t.problem(at.file.position(e.Range()), at.path, "got a value that is too large")
	return false
}

// tfError is why a function of this package fails. It quotes no value.
type tfError string

func (e tfError) Error() string { return string(e) }

// evaluationFault notes an error of HCL. Its summary is one of few sentences; its
// detail may quote values.
func (t *tfEvaluator) evaluationFault(at tfPlace, e hclsyntax.Expression, d *hcl.Diagnostic) {
	pos := at.file.position(e.Range())
	if d.Subject != nil {
		pos = at.file.position(*d.Subject)
	}
	problem := strings.ToLower(limited(d.Summary))
	if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok && call.CalledFunctionName() != "" {
		var known tfError
		if errors.As(call.FunctionCallError(), &known) {
			problem = known.Error()
		} else {
			problem = "function " + printableName(call.CalledFunctionName()) + ": " + problem
		}
	}
	t.problem(pos, at.path, "%s", problem)
}
