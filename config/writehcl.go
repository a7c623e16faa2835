package config

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// terraform writes a resource for each entity and each instance, and the variables
// they use. Resources refer to each other.
func (w *writer) terraform() ([]byte, error) {
	t := terraformWriter{writer: w, file: hclwrite.NewEmptyFile(), labels: map[alias]string{}, taken: map[alias]bool{}, variables: map[string]bool{}}
	for _, e := range w.entities {
		t.labels[alias{e.kind, e.name}] = t.label(e.kind, e.name)
	}
	for _, e := range w.entities {
		if err := t.entity(e); err != nil {
			return nil, err
		}
	}
	for i, p := range w.plugins {
		name := "ai_proxy_advanced"
		if i > 0 {
			name = fmt.Sprintf("ai_proxy_advanced_%d", i+1)
		}
		t.extensions(w.settings, "", p.n)
		t.resource("plugin_ai_proxy_advanced", name, p.body(t.ref).without("name").without("run_on").without("created_at").without("updated_at"))
	}
	t.declare()
	return t.file.Bytes(), nil
}

// terraformWriter writes resources.
type terraformWriter struct {
	*writer
	file   *hclwrite.File
	labels map[alias]string
	taken  map[alias]bool
	// variables are those that the resources use.
	variables map[string]bool
}

// notInLabel matches what a label must not hold.
var notInLabel = regexp.MustCompile(`[^a-z0-9_]+`)

// label returns a label that is like a name.
func (t *terraformWriter) label(kind, like string) string {
	base := strings.Trim(notInLabel.ReplaceAllString(strings.ToLower(like), "_"), "_")
	if base == "" || base[0] >= '0' && base[0] <= '9' {
		base = kind + "_" + base
	}
	label := base
	for i := 2; t.taken[alias{kind, label}]; i++ {
		label = fmt.Sprintf("%s_%d", base, i)
	}
	t.taken[alias{kind, label}] = true
	return label
}

// ref returns a reference to an entity: to its resource, if it has one.
func (t *terraformWriter) ref(kind, name string) *node {
	return object("id", t.id(kind, name))
}

func (t *terraformWriter) id(kind, name string) *node {
	if label, ok := t.labels[alias{kind, name}]; ok {
		return &node{kind: kindString, text: "konnect_gateway_" + kind + "." + label + ".id", plain: true}
	}
	return text(name)
}

func (t *terraformWriter) entity(e keptEntity) error {
	n, err := withoutURL(e)
	if err != nil {
		return err
	}
	if e.service != "" {
		n = n.with("service", t.ref("service", e.service))
	}
	for _, c := range credentialPaths() {
		n = n.without(c[0])
	}
	label := t.labels[alias{e.kind, e.name}]
	t.resource(e.kind, label, n)
	for _, c := range credentialPaths() {
		kind := strings.ReplaceAll(c[1], "-", "_")
		for _, credential := range e.n.get(c[0]).elements() {
			t.resource(kind, t.label(kind, label), credential.without("created_at").with("consumer_id", t.id("consumer", e.name)))
		}
	}
	for _, g := range e.groups {
		member := object("consumer_id", t.id("consumer", e.name), "consumer_group_id", t.id("consumer_group", g))
		t.resource("consumer_group_member", t.label("member", label+"_"+g), member)
	}
	return nil
}

// withoutURL returns a service with its URL in parts: the provider has no attribute
// for the whole.
func withoutURL(e keptEntity) (*node, error) {
	whole := e.n.get("url")
	if e.kind != "service" || whole == nil {
		return e.n, nil
	}
	u, err := url.Parse(whole.text)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("convert to terraform: the url of service %s cannot be taken apart: write protocol, host, port and path", printable(e.name))
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "grpcs": "443"}[u.Scheme]
	}
	n := e.n.without("url").with("protocol", text(u.Scheme)).with("host", text(u.Hostname()))
	n = n.with("port", &node{kind: kindInt, text: firstOf(port, "80")})
	if u.Path != "" {
		n = n.with("path", text(u.Path))
	}
	return n, nil
}

// extensions warns of settings that Konnect's provider does not have.
func (t *terraformWriter) extensions(s *spec, path string, n *node) {
	if s == nil || n == nil {
		return
	}
	if s.extension && n.kind != kindNull {
		t.warn("%s is an extension of semlb, which Konnect's provider does not take", path)
	}
	for _, f := range n.fields {
		t.extensions(s.fields[f.name], join(path, f.name), f.value)
	}
	for _, item := range n.items {
		t.extensions(s.item, path+"[]", item)
	}
}

func (t *terraformWriter) resource(kind, label string, n *node) {
	body := t.file.Body().AppendNewBlock("resource", []string{"konnect_gateway_" + kind, label}).Body()
	for _, f := range n.fields {
		if f.value.kind != kindNull || f.value.broken {
			body.SetAttributeRaw(f.name, t.tokens(f.value))
		}
	}
	body.SetAttributeRaw("control_plane_id", t.variable("control_plane_id"))
	t.file.Body().AppendNewline()
}

// variable returns a reference to a variable, which is declared then.
func (t *terraformWriter) variable(name string) hclwrite.Tokens {
	t.variables[name] = true
	return referenceTokens("var." + name)
}

// declare declares the variables. All but the control plane's are secrets.
func (t *terraformWriter) declare() {
	t.variables["control_plane_id"] = true
	for _, name := range slices.Sorted(maps.Keys(t.variables)) {
		body := t.file.Body().AppendNewBlock("variable", []string{name}).Body()
		body.SetAttributeRaw("type", hclwrite.TokensForIdentifier("string"))
		if name != "control_plane_id" {
			body.SetAttributeValue("sensitive", cty.True)
		}
	}
}

// tokens returns a tree as an expression of Terraform's language.
func (t *terraformWriter) tokens(n *node) hclwrite.Tokens {
	switch {
	case n.kind == kindObject:
		var attributes []hclwrite.ObjectAttrTokens
		for _, f := range n.fields {
			attributes = append(attributes, hclwrite.ObjectAttrTokens{Name: keyTokens(f.name), Value: t.tokens(f.value)})
		}
		return hclwrite.TokensForObject(attributes)
	case n.kind == kindList:
		var items []hclwrite.Tokens
		for _, item := range n.items {
			items = append(items, t.tokens(item))
		}
		return hclwrite.TokensForTuple(items)
	case n.kind == kindString && n.plain && n.pos == (Position{}):
		return referenceTokens(n.text)
	case n.kind == kindString:
		return t.textTokens(n.text)
	case n.kind == kindNull:
		return hclwrite.TokensForIdentifier("null")
	default: // numbers keep their text
		return hclwrite.TokensForIdentifier(n.scalarText())
	}
}

// keyTokens returns the name of a field of an object.
func keyTokens(name string) hclwrite.Tokens {
	if hclsyntax.ValidIdentifier(name) && name != "for" {
		return hclwrite.TokensForIdentifier(name)
	}
	return hclwrite.TokensForValue(cty.StringVal(name))
}

// referenceTokens returns a reference such as var.name.
func referenceTokens(to string) hclwrite.Tokens {
	names := strings.Split(to, ".")
	traversal := hcl.Traversal{hcl.TraverseRoot{Name: names[0]}}
	for _, name := range names[1:] {
		traversal = append(traversal, hcl.TraverseAttr{Name: name})
	}
	return hclwrite.TokensForTraversal(traversal)
}

// symbolPattern matches what stands for a variable.
var symbolPattern = regexp.MustCompile(symbolOpen + `\d+` + symbolClose)

// textTokens returns a quoted string in which nothing is a template but its variables.
func (t *terraformWriter) textTokens(text string) hclwrite.Tokens {
	quoted := func(s string) hclwrite.Tokens {
		all := hclwrite.TokensForValue(cty.StringVal(s))
		return all[1 : len(all)-1]
	}
	tokens := hclwrite.Tokens{{Type: hclsyntax.TokenOQuote, Bytes: []byte{'"'}}}
	at := 0
	for _, m := range symbolPattern.FindAllStringIndex(text, -1) {
		name := t.symbols.replace(text[m[0]:m[1]], func(s symbol) string { return strings.ToLower(s.plain()) })
		tokens = append(tokens, quoted(text[at:m[0]])...)
		tokens = append(tokens, &hclwrite.Token{Type: hclsyntax.TokenTemplateInterp, Bytes: []byte("${")})
		tokens = append(tokens, t.variable(name)...)
		tokens = append(tokens, &hclwrite.Token{Type: hclsyntax.TokenTemplateSeqEnd, Bytes: []byte("}")})
		at = m[1]
	}
	tokens = append(tokens, quoted(text[at:])...)
	return append(tokens, &hclwrite.Token{Type: hclsyntax.TokenCQuote, Bytes: []byte{'"'}})
}
