package terraform

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// library are Terraform's functions that cty has. Those that read networks or the
// time are not among them.
var library = map[string]function.Function{
	"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": stdlib.LogFunc,
	"max": stdlib.MaxFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc,
	"signum": stdlib.SignumFunc,

	"chomp": stdlib.ChompFunc, "format": stdlib.FormatFunc, "formatlist": stdlib.FormatListFunc, "indent": stdlib.IndentFunc,
	"join": stdlib.JoinFunc, "lower": stdlib.LowerFunc, "regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc,
	"split": stdlib.SplitFunc, "strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc, "title": stdlib.TitleFunc,
	"trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc,
	"trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc, "replace": replaceFunction,

	"chunklist": stdlib.ChunklistFunc, "coalesce": coalesceFunction, "coalescelist": stdlib.CoalesceListFunc,
	"compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc,
	"distinct": stdlib.DistinctFunc, "element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc, "keys": stdlib.KeysFunc,
	"length": lengthFunction, "lookup": lookupFunction, "merge": stdlib.MergeFunc, "range": stdlib.RangeFunc,
	"reverse": stdlib.ReverseListFunc, "setintersection": stdlib.SetIntersectionFunc, "setproduct": stdlib.SetProductFunc,
	"setsubtract": stdlib.SetSubtractFunc, "setunion": stdlib.SetUnionFunc, "slice": stdlib.SliceFunc,
	"sort": stdlib.SortFunc, "values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

	"csvdecode": stdlib.CSVDecodeFunc, "jsondecode": stdlib.JSONDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc,
	"formatdate": stdlib.FormatDateFunc, "timeadd": stdlib.TimeAddFunc,

	"tobool": stdlib.MakeToFunc(cty.Bool), "tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
	"tomap": stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)), "tonumber": stdlib.MakeToFunc(cty.Number),
	"toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)), "tostring": stdlib.MakeToFunc(cty.String),

	"nonsensitive": nonsensitiveFunction, "sensitive": sensitiveFunction,
}

// closures are Terraform's functions that evaluate their arguments themselves.
var closures = map[string]function.Function{"try": tryfunc.TryFunc, "can": tryfunc.CanFunc}

// functionNames returns the names of the functions, in alphabetical order.
func functionNames() []string {
	return slices.Sorted(maps.Keys(allFunctions()))
}

// allFunctions returns the functions that evaluate values.
func allFunctions() map[string]function.Function {
	all := maps.Clone(library)
	maps.Copy(all, terraformsOwn)
	for name, of := range texts {
		all[name] = textFunction(of)
	}
	maps.Copy(all, (*evaluator)(nil).fileFunctions())
	return all
}

// wholeValues are the functions that return their arguments, or texts that hold them,
// as they are. A variable may go through them in a conversion.
var wholeValues = map[string]bool{
	"coalesce": true, "coalescelist": true, "concat": true, "element": true, "flatten": true, "format": true, "formatlist": true,
	"join": true, "lookup": true, "merge": true, "nonsensitive": true, "one": true, "sensitive": true, "slice": true, "tobool": true,
	"tolist": true, "tomap": true, "tonumber": true, "toset": true, "tostring": true, "values": true, "zipmap": true,
}

// Functions that are Terraform's own.

var sensitiveFunction = function.New(&function.Spec{
	Params: []function.Parameter{anyParameter("value")},
	Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		return args[0].Mark(sensitiveMark), nil
	},
})

var nonsensitiveFunction = function.New(&function.Spec{
	Params: []function.Parameter{anyParameter("value")},
	Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v, marks := args[0].Unmark()
		if _, is := marks[sensitiveMark]; is {
			delete(marks, sensitiveMark)
			marks[givenMark] = struct{}{}
		}
		return v.WithMarks(marks), nil
	},
})

// coalesceFunction returns the first value that is neither null nor an empty text.
var coalesceFunction = function.New(&function.Spec{
	VarParam: &function.Parameter{
		Name: "values", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true,
	},
	Type: func(args []cty.Value) (cty.Type, error) {
		v, err := coalesce(args)
		return v.Type(), err
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return coalesce(args) },
})

func coalesce(args []cty.Value) (cty.Value, error) {
	for _, a := range args {
		plain, _ := a.Unmark()
		if !plain.IsKnown() || !plain.IsNull() && (plain.Type() != cty.String || plain.AsString() != "") {
			return a, nil
		}
	}
	return cty.DynamicVal, functionError("function coalesce: want a value that is neither null nor empty")
}

// lengthFunction returns the number of elements, or of characters.
var lengthFunction = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if args[0].Type() == cty.String {
			return stdlib.Strlen(args[0])
		}
		if !args[0].CanIterateElements() {
			return cty.NilVal, functionError("function length: want a list, a map or a text")
		}
		return cty.NumberIntVal(int64(args[0].LengthInt())), nil
	},
})

// replaceFunction replaces a text, or what a regular expression between slashes matches.
var replaceFunction = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "text", Type: cty.String}, {Name: "old", Type: cty.String}, {Name: "new", Type: cty.String},
	},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		old := args[1].AsString()
		if len(old) > 1 && strings.HasPrefix(old, "/") && strings.HasSuffix(old, "/") {
			return stdlib.RegexReplace(args[0], cty.StringVal(old[1:len(old)-1]), args[2])
		}
		return stdlib.Replace(args[0], args[1], args[2])
	},
})
