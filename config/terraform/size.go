package terraform

import (
	"github.com/zclconf/go-cty/cty"

	"semlb/config/verbs"
)

// outputSize returns the most bytes or values that a function can make, where that is
// more than its arguments have.
func outputSize(name string, args []cty.Value) int {
	const most = maxText + 1
	n, text := 1, len(textOf(args, 0))
	switch name {
	case "format", "formatlist":
		longest := 0
		for _, a := range args {
			longest = max(longest, longestText(a))
			if a.CanIterateElements() {
				n = max(n, a.LengthInt())
			}
		}
		size, ok := verbs.MaxSize(textOf(args, 0), longest)
		if !ok {
			return most
		}
		text = size
	case "join":
		for _, a := range args[1:] {
			n += weight(a)
		}
	case "replace":
		n += len(textOf(args, 2))
	case "urlencode", "base64encode":
		n = 3 // bytes for each
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
	longest := 0
	_ = cty.Walk(v, func(_ cty.Path, part cty.Value) (bool, error) {
		longest = max(longest, len(textOf([]cty.Value{part}, 0)))
		return true, nil
	})
	return longest
}
