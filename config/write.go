package config

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// writer writes instances in a format.
type writer struct {
	plugins []entry
	symbols *symbols
}

func (w *writer) write(to Format) ([]byte, error) {
	for _, s := range w.symbols.all {
		switch {
		case to == FormatDeck:
		case !s.direct():
			return nil, fmt.Errorf("convert to %s: the value of %s goes through a template, which only deck has", to, s.name)
		case s.outside && to != FormatTerraform:
			return nil, fmt.Errorf("convert to %s: %s is used outside of a secret, which only deck and terraform can", to, s.name)
		}
	}
	switch to {
	case FormatDeck:
		return w.deck()
	case FormatAdmin:
		return w.admin()
	case FormatKubernetes:
		return w.kubernetes()
	case FormatTerraform:
		return w.terraform(), nil
	default:
		return nil, fmt.Errorf("convert to %q: want deck, admin, kubernetes or terraform", to)
	}
}

// normal returns a checked tree with every boolean as one, whichever word it is
// written with.
func normal(s *spec, n *node) *node {
	if s == nil || n.broken {
		return n
	}
	c := *n
	if b, ok := n.boolean(); ok && s.kind == kindBool {
		c.kind, c.text = kindBool, strconv.FormatBool(b)
	}
	c.items = slices.Clone(n.items)
	for i, item := range c.items {
		c.items[i] = normal(s.item, item)
	}
	c.fields = slices.Clone(n.fields)
	for i, f := range c.fields {
		c.fields[i].value = normal(s.fields[f.name], f.value)
	}
	return &c
}

// text returns a string node.
func text(s string) *node { return &node{kind: kindString, text: s} }

// object returns an object of names and values in turn.
func object(pairs ...any) *node {
	n := &node{kind: kindObject}
	for i := 0; i+1 < len(pairs); i += 2 {
		n.fields = append(n.fields, field{name: pairs[i].(string), value: pairs[i+1].(*node)})
	}
	return n
}

// body returns an instance as most formats have it, with each part of its scope as
// ref writes it.
func (e entry) body(ref func(name string) *node) *node {
	n := &node{kind: kindObject}
	for _, f := range e.n.fields {
		if f.name == "_config" || f.value.kind == kindNull || isScope(f.name) {
			continue
		}
		n.fields = append(n.fields, f)
	}
	for i, name := range e.scope.parts() {
		if name != "" {
			n.fields = append(n.fields, field{name: scopeNames()[i], value: ref(name)})
		}
	}
	return n
}

// parts returns the parts of a scope in the order of scopeNames.
func (s Scope) parts() []string { return []string{s.Service, s.Route, s.Consumer, s.ConsumerGroup} }

func isScope(name string) bool {
	for _, part := range scopeNames() {
		if name == part {
			return true
		}
	}
	return false
}

// deck writes a decK file.
func (w *writer) deck() ([]byte, error) {
	list := &node{kind: kindList}
	for _, p := range w.plugins {
		list.items = append(list.items, p.body(text))
	}
	out, err := yamlText(object("_format_version", text("3.0"), "plugins", list))
	return []byte(w.symbols.replace(string(out), symbol.deck)), err
}

// dollar writes a variable as the shell has it, which is how it is written in
// formats that know no environment.
func dollar(s symbol) string { return "$" + s.plain() }

// kubernetes writes a resource for each instance, and how it is bound.
func (w *writer) kubernetes() ([]byte, error) {
	var out bytes.Buffer
	for i, p := range w.plugins {
		if i > 0 {
			out.WriteString("---\n")
		}
		name := pluginName
		if i > 0 {
			name += "-" + strconv.Itoa(i+1)
		}
		doc, err := yamlText(p.resource(name))
		if err != nil {
			return nil, err
		}
		for part, entity := range p.scope.parts() {
			if kind := [...]string{"service", "httproute", "kongconsumer", "kongconsumergroup"}[part]; entity != "" {
				fmt.Fprintf(&out, "# kubectl annotate %s %q konghq.com/plugins=%s\n", kind, entity, name)
			}
		}
		out.Write(doc)
	}
	return []byte(w.symbols.replace(out.String(), dollar)), nil
}

// resource returns an instance as a Kubernetes resource.
func (e entry) resource(name string) *node {
	var tags []string
	for _, tag := range e.n.get("tags").elements() {
		tags = append(tags, tag.text)
	}
	meta := object("name", text(name), "annotations", object(
		annotationClass, text("kong"), annotationTags, text(strings.Join(tags, ","))))
	kind := "KongPlugin"
	if e.scope.Global() {
		kind = "KongClusterPlugin"
		meta = meta.with("labels", object(labelGlobal, text("true")))
	}
	n := object("apiVersion", text("configuration.konghq.com/v1"), "kind", text(kind), "metadata", meta)
	for _, f := range e.body(text).fields {
		switch {
		case isScope(f.name), f.name == "tags", f.name == "id", f.name == "created_at", f.name == "updated_at":
		case f.name == "name":
			n = n.with("plugin", f.value)
		case f.name == "enabled":
			if on, _ := f.value.boolean(); !on {
				n = n.with("disabled", &node{kind: kindBool, text: "true"})
			}
		default:
			n = n.with(f.name, f.value)
		}
	}
	return n
}

// admin writes the body of a request, or a list of bodies.
func (w *writer) admin() ([]byte, error) {
	ref := func(name string) *node { return object("name", text(name)) }
	list := &node{kind: kindList}
	for _, p := range w.plugins {
		body := p.body(ref)
		if c := body.get("consumer"); c != nil {
			body = body.with("consumer", object("username", c.get("name")))
		}
		list.items = append(list.items, body)
	}
	root := object("data", list)
	if len(list.items) == 1 {
		root = list.items[0]
	}
	value := jsontext.Value(jsonText(nil, root))
	if err := value.Indent(jsontext.WithIndent("  ")); err != nil {
		return nil, fmt.Errorf("indent JSON: %w", err)
	}
	return []byte(w.symbols.replace(string(value), dollar) + "\n"), nil
}

// jsonText appends a tree as JSON.
func jsonText(b []byte, n *node) []byte {
	switch n.kind {
	case kindObject:
		b = append(b, '{')
		for i, f := range n.fields {
			if i > 0 {
				b = append(b, ',')
			}
			b, _ = jsontext.AppendQuote(b, f.name)
			b = jsonText(append(b, ':'), f.value)
		}
		return append(b, '}')
	case kindList:
		b = append(b, '[')
		for i, item := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = jsonText(b, item)
		}
		return append(b, ']')
	case kindString:
		b, _ = jsontext.AppendQuote(b, n.text)
		return b
	case kindNull:
		return append(b, "null"...)
	default:
		return append(b, n.scalarText()...)
	}
}

// scalarText returns a number or a boolean as JSON, YAML and Terraform write it.
func (n *node) scalarText() string {
	if n.kind == kindBool {
		b, _ := n.boolean()
		return strconv.FormatBool(b)
	}
	return string(n.numberText())
}

// yamlText returns a tree as a YAML document.
func yamlText(n *node) ([]byte, error) {
	y, err := yamlNode(n)
	if err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(y); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return out.Bytes(), encoder.Close()
}

// yamlNode returns a tree as the YAML library has it. Strings are left to the
// library to quote: it knows which ones older readers take for something else.
func yamlNode(n *node) (*yaml.Node, error) {
	y := &yaml.Node{Kind: yaml.MappingNode}
	switch n.kind {
	case kindObject:
		for _, f := range n.fields {
			if err := appendYAML(y, text(f.name), f.value); err != nil {
				return nil, err
			}
		}
		return y, nil
	case kindList:
		y.Kind = yaml.SequenceNode
		return y, appendYAML(y, n.items...)
	case kindString:
		return y, y.Encode(n.text)
	case kindNull:
		return y, y.Encode(nil)
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: n.scalarText()}, nil
	}
}

// appendYAML appends trees to the content of a YAML node.
func appendYAML(y *yaml.Node, trees ...*node) error {
	for _, n := range trees {
		child, err := yamlNode(n)
		if err != nil {
			return err
		}
		y.Content = append(y.Content, child)
	}
	return nil
}
