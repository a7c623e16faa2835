package config

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// hclCall returns what a function makes of its arguments. The functions are those
// that configurations are put together with.
func (l *loader) hclCall(at tfPlace, n *node, e *hclsyntax.FunctionCallExpr) *node {
	var args []*node
	for _, a := range e.Args {
		arg := l.term(at, a)
		if arg.broken && arg.text == "" {
			return arg
		}
		args = append(args, arg)
	}
	if e.ExpandFinal && len(args) > 0 {
		last := args[len(args)-1]
		args = append(args[:len(args)-1:len(args)-1], last.items...)
	}
	changes := slices.Contains([]string{"lower", "upper", "trimspace"}, e.Name)
	if changes && len(args) == 1 && args[0].broken {
		return l.notTerm(at, n.pos, "the value of a variable goes through %s, which cannot be converted", e.Name)
	}
	if !slices.Contains(tfFunctions(), e.Name) {
		return l.notTerm(at, n.pos, "not supported yet: function %s", printableName(e.Name))
	}
	result, want := l.hclFunction(e.Name, args)
	if want != "" {
		return l.notTerm(at, n.pos, "function %s: want %s", e.Name, want)
	}
	c := *result
	c.pos = n.pos
	if c.kind == kindList || c.kind == kindObject {
		return l.bounded(at, &c)
	}
	if l.tf.text += len(c.text); l.tf.text > maxTermText {
		return l.notTerm(at, n.pos, "too much text")
	}
	return &c
}

// tfFunctions are the functions there are.
func tfFunctions() []string {
	return []string{
		"coalesce", "concat", "join", "lower", "merge", "nonsensitive", "sensitive", "tobool", "tolist", "tomap",
		"tonumber", "toset", "tostring", "trimspace", "upper",
	}
}

// hclFunction calls a function, or returns what it wants where the arguments are
// not it.
func (l *loader) hclFunction(name string, args []*node) (result *node, want string) {
	switch name {
	case "tostring", "tonumber", "tobool", "sensitive", "nonsensitive", "tolist", "toset", "tomap":
		if len(args) != 1 {
			return nil, "one value"
		}
		if l.values += args[0].size; l.values > maxValues {
			return nil, "fewer values"
		}
		return castTo(name, args[0])
	case "lower", "upper", "trimspace":
		if len(args) != 1 || args[0].kind != kindString {
			return nil, "one string"
		}
		c := *args[0]
		c.text = map[string]func(string) string{
			"lower": strings.ToLower, "upper": strings.ToUpper, "trimspace": strings.TrimSpace,
		}[name](c.text)
		return &c, ""
	case "join":
		return l.joined(args)
	case "concat":
		return concatenated(args)
	case "merge":
		return mergedObjects(args)
	default: // coalesce
		i := slices.IndexFunc(args, func(n *node) bool { return n.broken || !n.empty() })
		if i < 0 {
			return nil, "a value that is neither null nor empty"
		}
		return args[i], ""
	}
}

func castTo(name string, n *node) (result *node, want string) {
	c := *n
	switch scalar := n.kind == kindString || n.kind == kindInt || n.kind == kindFloat || n.kind == kindBool; name {
	case "tostring":
		if !scalar {
			return nil, "a scalar"
		}
		c.kind = kindString
	case "tonumber":
		if n.broken {
			return &c, ""
		}
		if !scalar || !jsonNumber(n.text) {
			return nil, "a number"
		}
		c = *converted(&spec{kind: kindFloat}, n)
	case "tobool":
		if n.text != "true" && n.text != "false" && !n.broken {
			return nil, "true or false"
		}
		c = *converted(&spec{kind: kindBool}, n)
	case "sensitive":
		return hidden(n, n.pos), ""
	case "tolist", "toset":
		if n.kind != kindList {
			return nil, "a list"
		}
	case "tomap":
		if n.kind != kindObject {
			return nil, "an object"
		}
	}
	return &c, ""
}

func (l *loader) joined(args []*node) (result *node, want string) {
	const strs = "a separator and lists of strings"
	if len(args) < 2 || args[0].kind != kindString {
		return nil, strs
	}
	var b strings.Builder
	result = &node{kind: kindString, hidden: args[0].hidden, broken: args[0].broken}
	first := true
	for _, list := range args[1:] {
		for _, item := range list.items {
			if item.kind != kindString {
				return nil, strs
			}
			if b.Len()+len(item.text)+len(args[0].text) > maxTermText {
				return nil, "less text"
			}
			if !first {
				b.WriteString(args[0].text)
			}
			first = false
			b.WriteString(item.text)
			result.hidden, result.broken = result.hidden || item.hidden, result.broken || item.broken
		}
	}
	result.text = b.String()
	return result, ""
}

func concatenated(args []*node) (result *node, want string) {
	result = &node{kind: kindList}
	for _, list := range args {
		if list.kind != kindList {
			return nil, "lists"
		}
		if len(result.items)+len(list.items) > maxValues {
			return nil, "fewer values"
		}
		result.items = append(result.items, list.items...)
	}
	return result, ""
}

// mergedObjects returns the fields of all objects; of those of one name the last.
func mergedObjects(args []*node) (result *node, want string) {
	result = &node{kind: kindObject}
	at := map[string]int{}
	for _, o := range args {
		if o.kind != kindObject && o.kind != kindNull {
			return nil, "objects"
		}
		for _, f := range o.fields {
			if i, known := at[f.name]; known {
				result.fields[i] = f
				continue
			}
			if len(result.fields) > maxValues {
				return nil, "fewer values"
			}
			at[f.name] = len(result.fields)
			result.fields = append(result.fields, f)
		}
	}
	return result, ""
}
