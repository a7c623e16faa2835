package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// tfLocal is a local value.
type tfLocal struct {
	tfExpr
	pos        Position
	value      *tfValue
	tree       *node
	evaluating bool
}

// tfValue is a value that was evaluated. One that is missing has no value anywhere.
type tfValue struct {
	value   cty.Value
	missing bool
	weight  int
}

// context returns what an expression refers to. References to nothing are faults, and
// unknown values. It reports false where the expression is too much work.
func (t *tfEvaluator) context(at tfPlace, e hclsyntax.Expression) (*hcl.EvalContext, bool) {
	scopes := map[string]map[string]cty.Value{"var": {}, "local": {}}
	resources := map[string]map[string]map[string]cty.Value{}
	work := 1
	for _, traversal := range e.Variables() {
		pos := at.file.position(traversal.SourceRange())
		root, name := reference(traversal)
		attribute := attributeName(traversal, 2)
		kind, isResource := kongType(root)
		switch {
		case scopes[root] != nil && name != "":
			v := t.scoped(at, pos, root, name)
			scopes[root][name] = v.value
			work += v.weight
		case isResource && name != "" && attribute != "":
			if resources[root] == nil {
				resources[root] = map[string]map[string]cty.Value{}
			}
			if resources[root][name] == nil {
				resources[root][name] = map[string]cty.Value{}
			}
			v := t.attribute(at, pos, tfReference{kind, name, attribute})
			resources[root][name][attribute] = v
			work += weight(v)
		default:
			t.problem(pos, at.path, "not supported yet: a reference to %s", printable(root))
			return nil, false
		}
	}
	context := &hcl.EvalContext{Functions: t.functions, Variables: map[string]cty.Value{}}
	for root, values := range scopes {
		context.Variables[root] = cty.ObjectVal(values)
	}
	for root, labels := range resources {
		all := map[string]cty.Value{}
		for label, attributes := range labels {
			all[label] = cty.ObjectVal(attributes)
		}
		context.Variables[root] = cty.ObjectVal(all)
	}
	t.loopWork = work
	t.work += work
	return context, t.spend(at, e, 0)
}

// scoped returns a variable or a local value.
func (t *tfEvaluator) scoped(at tfPlace, pos Position, root, name string) tfValue {
	if root == "local" {
		return t.local(at, pos, name)
	}
	return t.variable(at, pos, name)
}

// unknownValue stands for a value that is not available.
func unknownValue() tfValue { return tfValue{value: cty.DynamicVal, weight: 1} }

// local returns a local value.
func (t *tfEvaluator) local(at tfPlace, pos Position, name string) tfValue {
	v := t.enterLocal(at, pos, name)
	if v == nil {
		return unknownValue()
	}
	if v.value == nil {
		v.evaluating = true
		value := t.evaluate(v.at, v.expr)
		v.evaluating = false
		v.value = &tfValue{value: value, weight: weight(value)}
	}
	return *v.value
}

// localTree returns the tree of a local value. Its parts keep their places.
func (t *tfEvaluator) localTree(at tfPlace, pos Position, name string) *node {
	v := t.enterLocal(at, pos, name)
	if v == nil {
		return brokenValue(pos)
	}
	if v.tree == nil {
		v.evaluating = true
		v.tree = t.term(v.at, v.expr)
		v.evaluating = false
	}
	c := *v.tree
	c.pos = pos
	return &c
}

// enterLocal returns a local value that can be evaluated now. Any other is a fault.
func (t *tfEvaluator) enterLocal(at tfPlace, pos Position, name string) *tfLocal {
	switch v := t.locals[name]; {
	case v == nil:
		t.problem(pos, at.path, "no local value %s is declared", printable(name))
		return nil
	case v.evaluating:
		t.problem(pos, at.path, "local value %s contains itself", printable(name))
		return nil
	default:
		return v
	}
}

// tfReference is a reference to a resource's attribute.
type tfReference struct{ kind, label, attribute string }

// attribute returns an attribute of a resource. Its id is the
// name that stands for the entity.
func (t *tfEvaluator) attribute(at tfPlace, pos Position, ref tfReference) cty.Value {
	r := t.resources[ref.kind+"."+ref.label]
	if ref.attribute == "id" {
		if r == nil {
			return cty.StringVal(ref.label)
		}
		return cty.StringVal(t.identity(r))
	}
	if r == nil || r.body.Attributes[ref.attribute] == nil || r.evaluating {
		t.problem(pos, at.path, "no such value in %s", printable(ref.label))
		return cty.DynamicVal
	}
	r.evaluating = true
	defer func() { r.evaluating = false }()
	return t.evaluate(tfPlace{r.file, join(r.path(), ref.attribute)}, r.body.Attributes[ref.attribute].Expr)
}

// identity returns the name that stands for an entity: the one it has, else its
// label.
func (t *tfEvaluator) identity(r *tfResource) string {
	if r.evaluating {
		return r.label
	}
	r.evaluating = true
	defer func() { r.evaluating = false }()
	for _, name := range []string{"name", "username", "id", "custom_id"} {
		if a := r.body.Attributes[name]; a != nil {
			value, _ := t.evaluate(tfPlace{r.file, join(r.path(), name)}, a.Expr).Unmark()
			if value.IsKnown() && !value.IsNull() && value.Type() == cty.String {
				return firstOf(value.AsString(), r.label)
			}
			return r.label
		}
	}
	return r.label
}

// reference returns the root of a traversal and the name behind it, such as var and
// key. The name is empty where there is an index in its place.
func reference(t hcl.Traversal) (root, name string) {
	if t.IsRelative() {
		return "", ""
	}
	return t.RootName(), attributeName(t, 1)
}

// attributeName returns the name of a step, or "".
func attributeName(t hcl.Traversal, i int) string {
	if i < len(t) {
		if a, ok := t[i].(hcl.TraverseAttr); ok {
			return a.Name
		}
	}
	return ""
}
