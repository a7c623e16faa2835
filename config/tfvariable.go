package config

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyconvert "github.com/zclconf/go-cty/cty/convert"
)

// tfVariable is a variable. Its value is given by a .tfvars file, by the environment,
// or by a default.
type tfVariable struct {
	pos             Position
	file            *tfFile
	fallback, given *tfExpr
	sensitive       bool
	declared        bool
	// typ is the type that the value is converted to, with the defaults of optional
	// attributes.
	typ      cty.Type
	defaults *typeexpr.Defaults

	value *tfValue
	// evaluating is set while the value is evaluated, to detect cycles.
	evaluating bool
}

// variable returns the value of a variable: that of a .tfvars file, of the
// environment's TF_VAR_name, or its default.
func (t *tfEvaluator) variable(at tfPlace, pos Position, name string) tfValue {
	v := t.variables[name]
	switch {
	case v == nil:
		t.problem(pos, at.path, "no variable %s is declared", printable(name))
		return unknownValue()
	case v.evaluating:
		t.problem(pos, at.path, "variable %s contains itself", printable(name))
		return unknownValue()
	case v.value == nil:
		v.evaluating = true
		value, missing := t.variableValue(v, name)
		v.evaluating = false
		v.value = &tfValue{value: value, missing: missing, weight: weight(value)}
	}
	if v.value.missing && !t.allowUnset {
		t.problem(pos, at.path, "variable %s has no value: export TF_VAR_%s=…", limited(name), limited(name))
	}
	return *v.value
}

// complex reports whether the environment has the variable as an expression.
func (v *tfVariable) complex() bool {
	return v.typ != cty.DynamicPseudoType && !v.typ.IsPrimitiveType()
}

func (t *tfEvaluator) variableValue(v *tfVariable, name string) (value cty.Value, missing bool) {
	at := tfPlace{v.file, "var." + name}
	text, set := t.env("TF_VAR_" + name)
	switch {
	case t.symbols != nil && (v.sensitive || v.given == nil && v.fallback == nil):
		return t.symbolic(v, name), false
	case v.given != nil:
		value = t.evaluate(v.given.at, v.given.expr).Mark(sensitiveMark)
	case t.symbols != nil:
		t.warn(v.pos, at.path, "the default takes the variable's place")
		value = t.evaluate(v.fallback.at, v.fallback.expr)
	case set && v.complex():
		value = t.parsed(v, at, text)
	case set && text != "":
		value = cty.StringVal(text).Mark(sensitiveMark).Mark(newOrigin(v.pos, text))
	case v.fallback != nil:
		value = t.evaluate(v.fallback.at, v.fallback.expr)
		if v.sensitive {
			value = value.Mark(sensitiveMark)
		}
	default:
		return cty.DynamicVal, true
	}
	return t.typed(v, at, value), false
}

// symbolic returns what stands for the value of a variable in a conversion. The
// structure of a list or an object is not known then.
func (t *tfEvaluator) symbolic(v *tfVariable, name string) cty.Value {
	text := t.symbols.add(symbol{name: strings.ToUpper(name)})
	value := cty.StringVal(text)
	if v.complex() {
		value = cty.DynamicVal
	}
	return value.Mark(sensitiveMark).Mark(symbolMark(text))
}

// typed returns a value as the type of its variable has it.
func (t *tfEvaluator) typed(v *tfVariable, at tfPlace, value cty.Value) (result cty.Value) {
	defer func() {
		if recover() != nil { // a bug of the conversion must not end the process
			t.problem(v.pos, at.path, "got a value that is not of the variable's type")
			result = cty.DynamicVal
		}
	}()
	if v.defaults != nil && value.IsKnown() && !value.IsNull() {
		value = withDefaults(v.defaults, value)
	}
	result, err := ctyconvert.Convert(value, v.typ)
	if err != nil {
		t.problem(v.pos, at.path, "got a value that is not of the variable's type")
		return cty.DynamicVal
	}
	return result
}

// withDefaults returns a value with the defaults of its optional attributes, which are
// for values without marks only. If any of it is sensitive, all of the result is: a mark
// must not be lost with a place that changes.
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

// unmarkDefaults takes the marks of literals off defaults.
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
func (t *tfEvaluator) parsed(v *tfVariable, at tfPlace, text string) cty.Value {
	file := &tfFile{name: v.file.name, text: []byte(text)}
	faults := len(t.faults)
	value := cty.DynamicVal
	if len(text) <= maxFileBytes && file.measure() == nil {
		e, diags := hclsyntax.ParseExpression(file.text, file.name, hcl.InitialPos)
		if !diags.HasErrors() && file.markLiterals(e, func(*hclsyntax.LiteralValueExpr) Position { return v.pos }) == nil {
			value = t.evaluate(tfPlace{file, at.path}, e)
		}
	}
	if len(t.faults) > faults || !value.IsKnown() {
		t.faults = t.faults[:faults]
		t.problem(v.pos, at.path, "got a value in the environment that is no expression of the variable's type")
		return cty.DynamicVal
	}
	return value.Mark(sensitiveMark)
}
