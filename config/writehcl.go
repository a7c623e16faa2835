package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// terraform writes a resource for each entity and each instance, and the variables
// they use. Resources refer to each other.
func (w *writer) terraform() ([]byte, error) {
	t := terraformWriter{writer: w, labels: map[alias]string{}, taken: map[alias]bool{}}
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
	names := map[string]bool{"control_plane_id": true}
	body := w.symbols.replace(t.out.String(), func(s symbol) string {
		name := strings.ToLower(s.plain())
		names[name] = true
		return "${var." + name + "}"
	})
	return []byte(body + variables(names)), nil
}

// terraformWriter writes resources.
type terraformWriter struct {
	*writer
	out    strings.Builder
	labels map[alias]string
	taken  map[alias]bool
}

// label returns a label that is like a name.
func (t *terraformWriter) label(kind, like string) string {
	base := strings.Trim(regexp.MustCompile(`[^a-z0-9_]+`).ReplaceAllString(strings.ToLower(like), "_"), "_")
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
	fmt.Fprintf(&t.out, "resource %q %q {\n", "konnect_gateway_"+kind, label)
	for _, f := range n.fields {
		if f.value.kind != kindNull || f.value.broken {
			t.out.WriteString("  " + f.name + " = " + hclText(f.value, "  ") + "\n")
		}
	}
	t.out.WriteString("  control_plane_id = var.control_plane_id\n}\n\n")
}

// variables declares variables. All but the control plane's are secrets.
func variables(names map[string]bool) string {
	var sorted []string
	for name := range names {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	var out strings.Builder
	for _, name := range sorted {
		fmt.Fprintf(&out, "variable %q {\n  type = string\n", name)
		if name != "control_plane_id" {
			out.WriteString("  sensitive = true\n")
		}
		out.WriteString("}\n")
	}
	return out.String()
}

// hclText returns a tree as an expression of Terraform's language.
func hclText(n *node, indent string) string {
	deeper := indent + "  "
	var b strings.Builder
	switch n.kind {
	case kindObject:
		b.WriteString("{\n")
		for _, f := range n.fields {
			name := f.name
			if !identifier(name) || strings.ContainsAny(name, "./") {
				name = hclString(name)
			}
			b.WriteString(deeper + name + " = " + hclText(f.value, deeper) + "\n")
		}
		b.WriteString(indent + "}")
	case kindList:
		b.WriteString("[\n")
		for _, item := range n.items {
			b.WriteString(deeper + hclText(item, deeper) + ",\n")
		}
		b.WriteString(indent + "]")
	case kindString:
		if n.plain && n.pos == (Position{}) {
			b.WriteString(n.text) // a reference
			break
		}
		b.WriteString(hclString(n.text))
	case kindNull:
		b.WriteString("null")
	default:
		b.WriteString(n.scalarText())
	}
	return b.String()
}

// hclString returns a quoted string in which nothing is a template.
func hclString(s string) string {
	return `"` + strings.NewReplacer(
		`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", "$${", "%{", "%%{",
	).Replace(s) + `"`
}
