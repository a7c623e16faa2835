package config

import (
	"fmt"
	"slices"
	"strings"
)

// terraform writes a resource for each instance, and the variables they use.
func (w *writer) terraform() []byte {
	var out strings.Builder
	for i, p := range w.plugins {
		name := "ai_proxy_advanced"
		if i > 0 {
			name = fmt.Sprintf("ai_proxy_advanced_%d", i+1)
		}
		fmt.Fprintf(&out, "resource %q %q {\n", "konnect_gateway_plugin_ai_proxy_advanced", name)
		for _, f := range p.body(func(id string) *node { return object("id", text(id)) }).fields {
			if !slices.Contains([]string{"name", "run_on", "created_at", "updated_at"}, f.name) {
				out.WriteString("  " + f.name + " = " + hclText(f.value, "  ") + "\n")
			}
		}
		out.WriteString("  control_plane_id = var.control_plane_id\n}\n\n")
	}
	names := map[string]bool{"control_plane_id": true}
	body := w.symbols.replace(out.String(), func(s symbol) string {
		name := strings.ToLower(s.plain())
		names[name] = true
		return "${var." + name + "}"
	})
	return []byte(body + variables(names))
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
