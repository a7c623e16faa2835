package terraform

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"semlb/config/placeholder"
	"semlb/config/tree"
)

// controlPlane is the variable, and the attribute of every resource, with the id of the
// control plane in Konnect.
const controlPlane = "control_plane_id"

// hclFile is a file that is written.
type hclFile struct {
	file         *hclwrite.File
	placeholders *placeholder.Set
	// references are the nodes that are references to an attribute, such as a.b.id.
	references map[*tree.Node]string
	// variables are those that the resources use.
	variables map[string]bool
}

func newHCL(placeholders *placeholder.Set) *hclFile {
	return &hclFile{
		file: hclwrite.NewEmptyFile(), placeholders: placeholders,
		references: map[*tree.Node]string{}, variables: map[string]bool{controlPlane: true},
	}
}

// reference returns a value that is written as a reference to an attribute.
func (h *hclFile) reference(to string) *tree.Node {
	n := tree.NewString(to)
	h.references[n] = to
	return n
}

// resource adds a resource.
func (h *hclFile) resource(kind, label string, n *tree.Node) {
	body := h.file.Body().AppendNewBlock("resource", []string{konnectPrefix + kind, label}).Body()
	for _, f := range n.Fields {
		if f.Value.Kind != tree.Null || f.Value.Broken {
			body.SetAttributeRaw(f.Name, h.value(f.Value))
		}
	}
	body.SetAttributeRaw(controlPlane, h.variable(controlPlane))
	h.file.Body().AppendNewline()
}

// bytes declares the variables, which are secrets save for the control plane's, and
// returns the file as `terraform fmt` formats it.
func (h *hclFile) bytes() []byte {
	for _, name := range slices.Sorted(maps.Keys(h.variables)) {
		body := h.file.Body().AppendNewBlock("variable", []string{name}).Body()
		body.SetAttributeRaw("type", hclwrite.TokensForIdentifier("string"))
		if name != controlPlane {
			body.SetAttributeValue("sensitive", cty.True)
		}
	}
	return h.file.Bytes()
}

// variable returns a reference to a variable, which is declared then.
func (h *hclFile) variable(name string) hclwrite.Tokens {
	h.variables[name] = true
	return traversal("var." + name)
}

// value returns a tree as an expression.
func (h *hclFile) value(n *tree.Node) hclwrite.Tokens {
	if to, ok := h.references[n]; ok {
		return traversal(to)
	}
	switch n.Kind {
	case tree.Object:
		var attributes []hclwrite.ObjectAttrTokens
		for _, f := range n.Fields {
			attributes = append(attributes, hclwrite.ObjectAttrTokens{Name: key(f.Name), Value: h.value(f.Value)})
		}
		return hclwrite.TokensForObject(attributes)
	case tree.List:
		var items []hclwrite.Tokens
		for _, item := range n.Items {
			items = append(items, h.value(item))
		}
		return hclwrite.TokensForTuple(items)
	case tree.String:
		return h.text(n.Text)
	case tree.Null:
		return hclwrite.TokensForIdentifier("null")
	default: // numbers keep their text
		return hclwrite.TokensForIdentifier(n.Literal())
	}
}

// key returns the name of a field of an object.
func key(name string) hclwrite.Tokens {
	if hclsyntax.ValidIdentifier(name) && name != "for" {
		return hclwrite.TokensForIdentifier(name)
	}
	return hclwrite.TokensForValue(cty.StringVal(name))
}

// traversal returns a reference such as var.name.
func traversal(to string) hclwrite.Tokens {
	names := strings.Split(to, ".")
	steps := hcl.Traversal{hcl.TraverseRoot{Name: names[0]}}
	for _, name := range names[1:] {
		steps = append(steps, hcl.TraverseAttr{Name: name})
	}
	return hclwrite.TokensForTraversal(steps)
}

// text returns a quoted string in which nothing is a template but its variables.
func (h *hclFile) text(text string) hclwrite.Tokens {
	tokens := hclwrite.Tokens{{Type: hclsyntax.TokenOQuote, Bytes: []byte{'"'}}}
	h.placeholders.Each(text, func(literal string) {
		quoted := hclwrite.TokensForValue(cty.StringVal(literal))
		tokens = append(tokens, quoted[1:len(quoted)-1]...)
	}, func(p placeholder.Placeholder) {
		tokens = append(tokens, &hclwrite.Token{Type: hclsyntax.TokenTemplateInterp, Bytes: []byte("${")})
		tokens = append(tokens, h.variable(strings.ToLower(p.Name()))...)
		tokens = append(tokens, &hclwrite.Token{Type: hclsyntax.TokenTemplateSeqEnd, Bytes: []byte("}")})
	})
	return append(tokens, &hclwrite.Token{Type: hclsyntax.TokenCQuote, Bytes: []byte{'"'}})
}
