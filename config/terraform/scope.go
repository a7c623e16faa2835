package terraform

import (
	"cmp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/tree"
)

// local is a local value.
type local struct {
	expression
	pos        config.Position
	value      *evaluated
	tree       *tree.Node
	evaluating bool
}

// evaluated is a value that was evaluated. One that is missing has no value anywhere.
type evaluated struct {
	value   cty.Value
	missing bool
	weight  int
}

// unknownValue stands for a value that could not be evaluated.
var unknownValue = evaluated{value: cty.DynamicVal, weight: 1}

// context returns what an expression refers to. References to nothing are faults, and
// unknown values. It reports false where the expression is too much work.
func (e *evaluator) context(at location, x hclsyntax.Expression) (*hcl.EvalContext, bool) {
	scopes := map[string]map[string]cty.Value{"var": {}, "local": {}}
	resources := map[string]map[string]map[string]cty.Value{}
	work := 1
	for _, traversal := range x.Variables() {
		pos := at.file.position(traversal.SourceRange())
		root, name := splitReference(traversal)
		attribute := attributeName(traversal, 2)
		kind, isResource := kongType(root)
		switch {
		case (root == "var" || root == "local") && name != "":
			v := e.scoped(at, pos, root, name)
			scopes[root][name] = v.value
			work += v.weight
		case isPath(root, name):
			scopes["path"] = map[string]cty.Value{"module": cty.StringVal("."), "root": cty.StringVal(".")}
		case isResource && name != "" && attribute != "":
			if resources[root] == nil {
				resources[root] = map[string]map[string]cty.Value{}
			}
			if resources[root][name] == nil {
				resources[root][name] = map[string]cty.Value{}
			}
			v := e.attribute(at, pos, attributeReference{kind, name, attribute})
			resources[root][name][attribute] = v
			work += weight(v)
		default:
			e.Problem(pos, at.path, "not supported yet: a reference to %s", report.Quote(root))
			return nil, false
		}
	}
	e.loopWork = work
	e.work += work
	return &hcl.EvalContext{Functions: e.functions, Variables: objects(scopes, resources)}, e.within(at, x, 0)
}

// objects returns scopes and resources as the variables of an evaluation.
func objects(scopes map[string]map[string]cty.Value, resources map[string]map[string]map[string]cty.Value) map[string]cty.Value {
	all := map[string]cty.Value{}
	for root, values := range scopes {
		all[root] = cty.ObjectVal(values)
	}
	for root, labels := range resources {
		objects := map[string]cty.Value{}
		for label, attributes := range labels {
			objects[label] = cty.ObjectVal(attributes)
		}
		all[root] = cty.ObjectVal(objects)
	}
	return all
}

// scoped returns a variable or a local value.
func (e *evaluator) scoped(at location, pos config.Position, root, name string) evaluated {
	if root == "local" {
		return e.local(at, pos, name)
	}
	return e.variable(at, pos, name)
}

// local returns a local value.
func (e *evaluator) local(at location, pos config.Position, name string) evaluated {
	v := e.enterLocal(at, pos, name)
	if v == nil {
		return unknownValue
	}
	if v.value == nil {
		v.evaluating = true
		value := e.evaluate(v.location, v.expr)
		if e.Converting() {
			value = value.Mark(givenMark)
		}
		v.evaluating = false
		v.value = &evaluated{value: value, weight: weight(value)}
	}
	return *v.value
}

// localTree returns the tree of a local value. Its parts keep their positions.
func (e *evaluator) localTree(at location, pos config.Position, name string) *tree.Node {
	v := e.enterLocal(at, pos, name)
	if v == nil {
		return brokenValue(pos)
	}
	if v.tree == nil {
		v.evaluating = true
		v.tree = e.tree(v.location, v.expr)
		v.evaluating = false
	}
	n := v.tree.WithPos(pos)
	n.Hidden = n.Hidden || e.Converting()
	return n
}

// enterLocal returns a local value that can be evaluated now. Any other is a fault.
func (e *evaluator) enterLocal(at location, pos config.Position, name string) *local {
	switch v := e.locals[name]; {
	case v == nil:
		e.Problem(pos, at.path, "no local value %s is declared", report.Quote(name))
		return nil
	case v.evaluating:
		e.Problem(pos, at.path, "local value %s contains itself", report.Quote(name))
		return nil
	default:
		return v
	}
}

// attributeReference is a reference to a resource's attribute.
type attributeReference struct{ kind, label, attribute string }

// attribute returns an attribute of a resource. The id of an entity is the name that
// stands for it.
func (e *evaluator) attribute(at location, pos config.Position, ref attributeReference) cty.Value {
	r := e.resources[ref.kind+"."+ref.label]
	if ref.attribute == "id" {
		if r == nil {
			return cty.StringVal(ref.label)
		}
		return cty.StringVal(e.identity(r))
	}
	if r == nil || r.body.Attributes[ref.attribute] == nil || r.evaluating {
		e.Problem(pos, at.path, "no such value in %s", report.Quote(ref.label))
		return cty.DynamicVal
	}
	r.evaluating = true
	defer func() { r.evaluating = false }()
	return e.evaluate(location{r.file, report.Join(r.path(), ref.attribute)}, r.body.Attributes[ref.attribute].Expr)
}

// identity returns the name that stands for an entity: the one it has, else its
// label.
func (e *evaluator) identity(r *resource) string {
	if r.evaluating {
		return r.label
	}
	r.evaluating = true
	defer func() { r.evaluating = false }()
	for _, name := range []string{"name", "username", "id", "custom_id"} {
		if a := r.body.Attributes[name]; a != nil {
			value, _ := e.evaluate(location{r.file, report.Join(r.path(), name)}, a.Expr).Unmark()
			if value.IsKnown() && !value.IsNull() && value.Type() == cty.String {
				return cmp.Or(value.AsString(), r.label)
			}
			return r.label
		}
	}
	return r.label
}
