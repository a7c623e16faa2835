package config

import (
	"maps"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// loopShare is how many values an iteration compares for the price of one.
const loopShare = 64

// meterFunction counts the iterations of loops. No file can call it.
const meterFunction = "semlb meter"

// newFunctions returns the functions with their work counted.
func (t *tfEvaluator) newFunctions() map[string]function.Function {
	all := maps.Clone(closures)
	for name, f := range tfFunctions {
		all[name] = t.metered(name, f)
	}
	all[meterFunction] = function.New(&function.Spec{
		Params: []function.Parameter{anyParameter("value")},
		Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if t.work += t.loopWork/loopShare + weight(args[0]); t.work > maxTermWork {
				return cty.NilVal, tfError("got a loop that takes too long")
			}
			return args[0], nil
		},
	})
	return all
}

// anyParameter is a parameter that takes any value as it is.
func anyParameter(name string) function.Parameter {
	return function.Parameter{
		Name: name, Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true,
	}
}

// metered returns a function whose work is counted before it is called, and that takes
// no variable apart in a conversion.
func (t *tfEvaluator) metered(name string, f function.Function) function.Function {
	open := func(p function.Parameter) function.Parameter {
		p.AllowUnknown, p.AllowDynamicType, p.AllowMarked = true, true, true
		return p
	}
	spec := &function.Spec{}
	for _, p := range f.Params() {
		spec.Params = append(spec.Params, open(p))
	}
	if p := f.VarParam(); p != nil {
		all := open(*p)
		spec.VarParam = &all
	}
	spec.Type = func(args []cty.Value) (cty.Type, error) {
		if err := t.callable(name, args); err != nil {
			return cty.NilType, err
		}
		return f.ReturnTypeForValues(args)
	}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) }
	return function.New(spec)
}

// callable returns why a function cannot be called with its arguments.
func (t *tfEvaluator) callable(name string, args []cty.Value) error {
	plain := make([]cty.Value, len(args))
	for i, a := range args {
		t.work += weight(a)
		if t.work > maxTermWork {
			return tfError("function " + name + ": too much work")
		}
		var marks cty.ValueMarks
		plain[i], marks = a.UnmarkDeep()
		for m := range marks {
			if _, symbolic := m.(symbolMark); symbolic && !wholeValues[name] {
				return tfError("the value of a variable goes through " + name + ", which cannot be converted")
			}
		}
	}
	if outputSize(name, plain) > maxTermText {
		return tfError("function " + name + ": too much text")
	}
	return nil
}

// outputSize returns the most bytes or values that a function can make, where that is
// more than its arguments have.
func outputSize(name string, args []cty.Value) int {
	const most = maxTermText + 1
	n, text := 1, len(textOf(args, 0))
	switch name {
	case "format", "formatlist":
		if padded.MatchString(textOf(args, 0)) {
			return most
		}
		longest := 0
		for _, a := range args {
			longest = max(longest, longestText(a))
			if a.CanIterateElements() {
				n = max(n, a.LengthInt())
			}
		}
		text += strings.Count(textOf(args, 0), "%") * (maxPadding + escapedSize*longest)
	case "join":
		for _, a := range args[1:] {
			n += weight(a)
		}
	case "replace":
		n += len(textOf(args, 2))
	case "indent":
		return min(most, numberOf(args, 0)) * (1 + len(textOf(args, 1)))
	case "setproduct":
		text = 1
		for _, a := range args {
			if a.CanIterateElements() && n < most {
				n *= a.LengthInt()
			}
		}
	}
	return min(most, n) * min(most, text)
}

// textOf returns an argument that is a text, or "".
func textOf(args []cty.Value, i int) string {
	if i >= len(args) || !args[i].IsKnown() || args[i].IsNull() || args[i].Type() != cty.String {
		return ""
	}
	return args[i].AsString()
}

// numberOf returns an argument that is a number, or 0.
func numberOf(args []cty.Value, i int) int {
	if i >= len(args) || !args[i].IsKnown() || args[i].IsNull() || args[i].Type() != cty.Number {
		return 0
	}
	n, _ := args[i].AsBigFloat().Int64()
	return int(max(n, 0))
}

// longestText returns the length of the longest text in a value.
func longestText(v cty.Value) int {
	longest := 16 // of numbers
	_ = cty.Walk(v, func(_ cty.Path, part cty.Value) (bool, error) {
		longest = max(longest, len(textOf([]cty.Value{part}, 0)))
		return true, nil
	})
	return longest
}
