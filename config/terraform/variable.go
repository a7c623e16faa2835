package terraform

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyconvert "github.com/zclconf/go-cty/cty/convert"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/tree"
)

// variable is a variable. Its value is given by a .tfvars file, by the environment,
// or by a default.
type variable struct {
	pos             config.Position
	file            *file
	fallback, given *expression
	// rank is that of the file that gives the value.
	rank      int
	sensitive bool
	declared  bool
	// typ is the type that the value is converted to, with the defaults of optional
	// attributes.
	typ      cty.Type
	defaults *typeexpr.Defaults

	value *evaluated
	// evaluating is set while the value is evaluated, to detect cycles.
	evaluating bool
}

// complex reports whether the environment has the variable as an expression.
func (v *variable) complex() bool {
	return v.typ != cty.DynamicPseudoType && !v.typ.IsPrimitiveType()
}

// variable returns the value of a variable: that of a .tfvars file, of the
// environment's TF_VAR_name, or its default.
func (e *evaluator) variable(at location, pos config.Position, name string) evaluated {
	v := e.variables[name]
	switch {
	case v == nil:
		e.Problem(pos, at.path, "no variable %s is declared", report.Quote(name))
		return unknownValue
	case v.evaluating:
		e.Problem(pos, at.path, "variable %s contains itself", report.Quote(name))
		return unknownValue
	case v.value == nil:
		v.evaluating = true
		value, missing := e.variableValue(v, name)
		v.evaluating = false
		v.value = &evaluated{value: value, missing: missing, weight: weight(value)}
	}
	if v.value.missing && !e.AllowUnset {
		name = report.Shorten(name)
		e.Problem(pos, at.path, "variable %s has no value: export TF_VAR_%s=…", name, name)
	}
	return *v.value
}

func (e *evaluator) variableValue(v *variable, name string) (value cty.Value, missing bool) {
	at := location{v.file, "var." + name}
	text, set := e.Env("TF_VAR_" + name)
	switch {
	case e.Converting() && (v.sensitive || v.given == nil && v.fallback == nil):
		return e.symbolic(v, name), false
	case v.given != nil:
		value = e.evaluate(v.given.location, v.given.expr).Mark(sensitiveMark)
	case e.Converting():
		e.Warn(v.pos, at.path, "the variable is replaced by its default")
		value = e.evaluate(v.fallback.location, v.fallback.expr).Mark(givenMark)
	case set && v.complex():
		value = e.parsed(v, at, text)
	case set && text != "":
		value = cty.StringVal(text).Mark(sensitiveMark).Mark(newOrigin(v.pos, text))
	case v.fallback != nil:
		value = e.evaluate(v.fallback.location, v.fallback.expr)
		if v.sensitive {
			value = value.Mark(sensitiveMark)
		}
	default:
		return cty.DynamicVal, true
	}
	return e.typed(v, at, value), false
}

// typed returns a value as the type of its variable has it.
func (e *evaluator) typed(v *variable, at location, value cty.Value) (result cty.Value) {
	defer func() {
		if recover() != nil { // a bug of the conversion must not end the process
			e.Problem(v.pos, at.path, "got a value that is not of the variable's type")
			result = cty.DynamicVal
		}
	}()
	if v.defaults != nil && value.IsKnown() && !value.IsNull() {
		value = withDefaults(v.defaults, value)
	}
	result, err := ctyconvert.Convert(value, v.typ)
	if err != nil {
		e.Problem(v.pos, at.path, "got a value that is not of the variable's type")
		return cty.DynamicVal
	}
	return result
}

// withDefaults returns a value with the defaults of its optional attributes, which cty
// applies to values without marks only. If any of it is sensitive, all of the result is:
// a mark must not be lost where a value moves.
func withDefaults(defaults *typeexpr.Defaults, value cty.Value) cty.Value {
	plain, marks := value.UnmarkDeepWithPaths()
	value = defaults.Apply(plain).MarkWithPaths(marks)
	for _, m := range marks {
		if _, sensitive := m.Marks[sensitiveMark]; sensitive {
			return value.Mark(sensitiveMark)
		}
	}
	return value
}

// unmarkDefaults removes the marks of literals from defaults.
func unmarkDefaults(d *typeexpr.Defaults) {
	if d == nil {
		return
	}
	for name, value := range d.DefaultValues {
		d.DefaultValues[name], _ = value.UnmarkDeep()
	}
	for _, child := range d.Children {
		unmarkDefaults(child)
	}
}

// parsed returns the value of a variable that is a list or an object, which the
// environment has as an expression.
func (e *evaluator) parsed(v *variable, at location, text string) cty.Value {
	f := &file{name: v.file.name, text: []byte(text)}
	before, value := e.Count(), cty.DynamicVal
	if len(text) <= tree.MaxBytes && f.measure() == nil {
		x, diags := hclsyntax.ParseExpression(f.text, f.name, hcl.InitialPos)
		if !diags.HasErrors() && f.markLiterals(x, func(*hclsyntax.LiteralValueExpr) config.Position { return v.pos }) == nil {
			value = e.evaluate(location{f, at.path}, x)
		}
	}
	if e.Count() > before || !value.IsKnown() {
		e.Truncate(before) // positions in the environment mean nothing
		e.Problem(v.pos, at.path, "got a value in the environment that is not an expression of the variable's type")
		return cty.DynamicVal
	}
	return value.Mark(sensitiveMark)
}
