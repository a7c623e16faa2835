package terraform

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// terraformsOwn are Terraform's functions that cty does not have.
var terraformsOwn = map[string]function.Function{
	"startswith": predicate(strings.HasPrefix), "endswith": predicate(strings.HasSuffix), "strcontains": predicate(strings.Contains),
	"base64decode": textFunction(decodeBase64),
	"base64encode": textFunction(func(s string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(s)), nil }),
	"urlencode":    textFunction(func(s string) (string, error) { return url.QueryEscape(s), nil }),
	"sha256": textFunction(func(s string) (string, error) {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:]), nil
	}),
	"alltrue": all(cty.True), "anytrue": all(cty.False),
	"yamldecode": yamlFunction, "transpose": transposeFunction,
	"sum": sumFunction, "one": oneFunction, "index": indexFunction,
}

func predicate(holds func(text, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(holds(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

func textFunction(of func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := of(args[0].AsString())
			return cty.StringVal(text), err
		},
	})
}

func decodeBase64(s string) (string, error) {
	text, err := base64.StdEncoding.DecodeString(s)
	if err != nil || !utf8.Valid(text) {
		return "", functionError("function base64decode: want base64 of UTF-8 text")
	}
	return string(text), nil
}

// all returns a function that reports whether all values of a list are true, if the unit
// is true, or any, if it is false.
func all(unit cty.Value) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for _, v := range args[0].AsValueSlice() {
				if !v.IsKnown() {
					return cty.UnknownVal(cty.Bool), nil
				}
				if isTrue := !v.IsNull() && v.True(); isTrue != unit.True() {
					return unit.Not(), nil
				}
			}
			return unit, nil
		},
	})
}

var sumFunction = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Number)}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		values := args[0].AsValueSlice()
		if len(values) == 0 {
			return cty.NilVal, functionError("function sum: want a list that is not empty")
		}
		sum := cty.Zero
		for _, v := range values {
			if v.IsNull() {
				return cty.NilVal, functionError("function sum: want numbers")
			}
			sum = sum.Add(v)
		}
		return sum, nil
	},
})

// oneFunction returns the one element of a list, or null of an empty one.
var oneFunction = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.DynamicPseudoType),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if !isSequence(args[0]) || args[0].LengthInt() > 1 {
			return cty.NilVal, functionError("function one: want a list of at most one element")
		}
		for _, v := range args[0].AsValueSlice() {
			return v, nil
		}
		return cty.NullVal(cty.DynamicPseudoType), nil
	},
})

// indexFunction returns at which index a list has a value.
var indexFunction = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}, {Name: "value", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if !isSequence(args[0]) {
			return cty.NilVal, functionError("function index: want a list")
		}
		for i, v := range args[0].AsValueSlice() {
			equal, err := stdlib.Equal(v, args[1])
			if err == nil && equal.IsKnown() && equal.True() {
				return cty.NumberIntVal(int64(i)), nil
			}
		}
		return cty.NilVal, functionError("function index: the list does not have the value")
	},
})

func isSequence(v cty.Value) bool {
	return v.Type().IsTupleType() || v.Type().IsListType() || v.Type().IsSetType()
}

// lookupFunction is cty's, whose default Terraform does not need.
var lookupFunction = function.New(&function.Spec{
	Params: stdlib.LookupFunc.Params()[:2], VarParam: &stdlib.LookupFunc.Params()[2],
	Type: func(args []cty.Value) (cty.Type, error) {
		value, err := lookup(args)
		return value.Type(), err
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return lookup(args) },
})

func lookup(args []cty.Value) (cty.Value, error) {
	if len(args) != 2 {
		return stdlib.LookupFunc.Call(args)
	}
	value, diags := hcl.Index(args[0], args[1], nil)
	if diags.HasErrors() {
		return cty.DynamicVal, functionError("function lookup: the map lacks the key, and there is no default")
	}
	return value, nil
}
