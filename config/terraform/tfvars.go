package terraform

import (
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"semlb/config/format"
	"semlb/config/tree"
)

// The endings of files of variables' values.
const (
	valuesEnding     = ".tfvars"
	jsonValuesEnding = ".tfvars.json"
)

// isValues reports whether a file has values of variables.
func isValues(name string) bool {
	return strings.HasSuffix(name, valuesEnding) || strings.HasSuffix(name, jsonValuesEnding)
}

// namedRank is that of files that Terraform reads only where they are named to it.
const namedRank = 4

// rankOf returns which files of values win over others, as in Terraform: those that it
// finds by their names give way to those that are named to it. Of two files of one rank the
// later one wins.
func rankOf(name string) int {
	switch base := path.Base(name); {
	case base == "terraform"+valuesEnding:
		return 1
	case base == "terraform"+jsonValuesEnding:
		return 2
	case strings.HasSuffix(base, ".auto"+valuesEnding), strings.HasSuffix(base, ".auto"+jsonValuesEnding):
		return 3
	default:
		return namedRank
	}
}

// give notes the value that a file gives a variable. Two files that Terraform would only
// read where they are named, such as those of two environments, may lie in one directory.
func (r *reader) give(f *file, name string, at hcl.Range, value hclsyntax.Expression) {
	v, rank := r.variable(name, f, at), rankOf(f.name)
	if rank < v.rank {
		return
	}
	if rank == namedRank && v.rank == namedRank && v.given.file.name != f.name {
		r.Warn(f.position(at), "var."+name, "the value replaces that of "+v.given.file.name+"; give one of the files only")
	}
	v.given, v.rank = &expression{location{f, "var." + name}, value}, rank
}

// jsonValues notes the values that a file of JSON gives variables. Its texts are no
// templates.
func (r *reader) jsonValues(d format.Document) {
	root, faults := tree.NewDocument(d.Name, d.Text).ParseJSON()
	if faults != nil {
		r.Add(faults...)
		return
	}
	if root.Kind != tree.Object {
		r.Want(root.Pos, "", root.Kind.Article(), "an object")
		return
	}
	f := &file{name: d.Name, text: d.Text}
	for _, field := range root.Fields {
		r.give(f, field.Name, rangeAt(field.Value), r.literal(field.Value))
	}
}

// literal returns a tree as an expression, with its positions.
func (r *reader) literal(n *tree.Node) hclsyntax.Expression {
	at := rangeAt(n)
	switch n.Kind {
	case tree.Object:
		x := &hclsyntax.ObjectConsExpr{SrcRange: at, OpenRange: at}
		for _, field := range n.Fields {
			key := &hclsyntax.LiteralValueExpr{Val: cty.StringVal(field.Name), SrcRange: at}
			x.Items = append(x.Items, hclsyntax.ObjectConsItem{KeyExpr: key, ValueExpr: r.literal(field.Value)})
		}
		return x
	case tree.List:
		x := &hclsyntax.TupleConsExpr{SrcRange: at, OpenRange: at}
		for _, item := range n.Items {
			x.Exprs = append(x.Exprs, r.literal(item))
		}
		return x
	default:
		value, ok := scalarValue(n)
		if !ok {
			r.Problem(n.Pos, "", "got a number that is too large")
		}
		if n.Kind != tree.Null {
			value = value.Mark(newOrigin(n.Pos, n.Text))
		}
		return &hclsyntax.LiteralValueExpr{Val: value, SrcRange: at}
	}
}

// scalarValue returns a text, a number, a boolean or null. It reports false for a number
// that is too large.
func scalarValue(n *tree.Node) (cty.Value, bool) {
	switch n.Kind {
	case tree.String:
		return cty.StringVal(n.Text), true
	case tree.Bool:
		on, _ := n.Bool()
		return cty.BoolVal(on), true
	case tree.Int, tree.Float:
		number, err := cty.ParseNumberVal(string(n.NumberText()))
		if err != nil || tooLarge(number.AsBigFloat()) {
			return cty.DynamicVal, false
		}
		return number, true
	default:
		return cty.NullVal(cty.DynamicPseudoType), true
	}
}

func rangeAt(n *tree.Node) hcl.Range {
	pos := hcl.Pos{Line: n.Pos.Line, Column: n.Pos.Column}
	return hcl.Range{Filename: n.Pos.File, Start: pos, End: pos}
}
