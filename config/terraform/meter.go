package terraform

import (
	"maps"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Bounds of the evaluation.
const (
	// maxWork bounds what all expressions together cost, in values.
	maxWork = 4_000_000
	// maxText bounds the text that one call of a function makes, in bytes.
	maxText = 16 << 20
)

// meter counts what the evaluation costs.
type meter struct {
	// work is in values. loopWork is what each iteration of a loop may cost beyond its
	// value.
	work, loopWork int
}

// spend counts work, and reports whether there is not too much of it.
func (m *meter) spend(work int) bool {
	m.work += work
	return m.work <= maxWork
}

// functionError is why a function fails. It quotes no value.
type functionError string

// Error returns the message.
func (e functionError) Error() string { return string(e) }

const (
	// loopShare is how many values an iteration compares for the price of one.
	loopShare = 64
	// pairShare is how many pairs of types are compared for the price of one value. HCL
	// compares those of all elements of a tuple when a function takes a list.
	pairShare = 32
)

// meterFunction counts the iterations of loops. No file can call it.
const meterFunction = "semlb meter"

// functions returns the functions with their work counted.
func (m *meter) functions() map[string]function.Function {
	all := maps.Clone(closures)
	for name, f := range allFunctions() {
		all[name] = m.metered(name, f)
	}
	all[meterFunction] = function.New(&function.Spec{
		Params: []function.Parameter{anyParameter("value")},
		Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if m.work += m.loopWork/loopShare + weight(args[0]); m.work > maxWork {
				return cty.NilVal, functionError("got a loop that takes too long")
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
func (m *meter) metered(name string, f function.Function) function.Function {
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
		if err := m.callable(name, args); err != nil {
			return cty.NilType, err
		}
		return f.ReturnTypeForValues(args)
	}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) }
	return function.New(spec)
}

// pairs returns the number of pairs of elements that an argument has.
func pairs(v cty.Value) int {
	v, _ = v.Unmark()
	if !v.CanIterateElements() {
		return 0
	}
	n := v.LengthInt()
	return n * n
}

// callable returns why a function cannot be called with its arguments.
func (m *meter) callable(name string, args []cty.Value) error {
	plain := make([]cty.Value, len(args))
	for i, a := range args {
		m.work += weight(a) + pairs(a)/pairShare
		if m.work > maxWork {
			return functionError("function " + name + ": too much work")
		}
		var marks cty.ValueMarks
		plain[i], marks = a.UnmarkDeep()
		for mark := range marks {
			if _, symbolic := mark.(placeholderMark); symbolic && !wholeValues[name] {
				return functionError("the value of a variable goes through " + name + ", which cannot be converted")
			}
		}
	}
	if outputSize(name, plain) > maxText {
		return functionError("function " + name + ": too much text")
	}
	return nil
}
