package terraform

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// symbolic returns what stands for the value of a variable in a conversion. Of an object
// or a list each part becomes a variable of its own, such as KEYS_OPENAI, as far as its
// type, its default or a .tfvars file says what parts it has.
func (e *evaluator) symbolic(v *variable, name string) cty.Value {
	at, value := location{v.file, "var." + name}, cty.UnknownVal(v.typ)
	switch {
	case v.given != nil:
		value = e.typed(v, at, e.evaluate(v.given.location, v.given.expr))
	case v.fallback != nil:
		value = e.typed(v, at, e.evaluate(v.fallback.location, v.fallback.expr))
	}
	s := symbols{evaluator: e}
	value = s.value(environmentName(name), value)
	if s.parts != "" {
		e.Warn(v.pos, at.path, "each part of the variable becomes a variable of its own, such as "+s.parts)
	}
	return value
}

// symbols makes values out of placeholders.
type symbols struct {
	*evaluator
	// parts is the name of the last part of an object or a list, or empty.
	parts string
}

// value returns a value with placeholders in the places of all that it consists of.
func (s *symbols) value(name string, v cty.Value) cty.Value {
	v, _ = v.Unmark()
	typ := v.Type()
	switch {
	case !v.IsKnown():
		return s.unknown(name, typ)
	case v.IsNull():
		return v
	case typ.IsPrimitiveType():
		return s.text(name)
	case typ.IsObjectType() || typ.IsMapType():
		parts := map[string]cty.Value{}
		for it := v.ElementIterator(); it.Next(); {
			key, part := it.Element()
			parts[key.AsString()] = s.part(name, key.AsString(), part)
		}
		return cty.ObjectVal(parts)
	default:
		var parts []cty.Value
		for it := v.ElementIterator(); it.Next(); {
			_, part := it.Element()
			parts = append(parts, s.part(name, strconv.Itoa(len(parts)), part))
		}
		return cty.TupleVal(parts)
	}
}

func (s *symbols) part(name, of string, v cty.Value) cty.Value {
	s.parts = name + "_" + environmentName(of)
	return s.value(s.parts, v)
}

// unknown returns what stands for a value of which only the type is known.
func (s *symbols) unknown(name string, typ cty.Type) cty.Value {
	switch {
	case typ == cty.DynamicPseudoType || typ.IsPrimitiveType():
		return s.text(name)
	case typ.IsObjectType():
		parts := map[string]cty.Value{}
		types := typ.AttributeTypes()
		for _, key := range slices.Sorted(maps.Keys(types)) {
			parts[key] = s.part(name, key, cty.UnknownVal(types[key]))
		}
		return cty.ObjectVal(parts)
	default:
		m := placeholderMark{text: s.Placeholders.Variable(name), whole: typ.GoString()}
		return cty.UnknownVal(typ).Mark(sensitiveMark).Mark(m)
	}
}

func (s *symbols) text(name string) cty.Value {
	text := s.Placeholders.Variable(name)
	return cty.StringVal(text).Mark(sensitiveMark).Mark(placeholderMark{text: text})
}

// notInEnvironment matches what the names of variables of a shell cannot have.
var notInEnvironment = regexp.MustCompile(`[^A-Z0-9_]+`)

// environmentName returns a name as a variable of the environment has it.
func environmentName(name string) string {
	return notInEnvironment.ReplaceAllString(strings.ToUpper(name), "_")
}

// isReference reports whether an expression is a reference such as var.a.b, which changes
// nothing of the value.
func isReference(x hclsyntax.Expression) bool {
	traversal, ok := x.(*hclsyntax.ScopeTraversalExpr)
	if !ok {
		return false
	}
	for _, step := range traversal.Traversal[1:] {
		if _, ok := step.(hcl.TraverseAttr); !ok {
			return false
		}
	}
	return true
}
