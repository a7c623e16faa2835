package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Compatibility returns the document that lists, from the tables that files are
// checked with, what of the plugin's schema is not supported yet and what this
// project adds to it. It is Markdown.
func Compatibility() ([]byte, error) {
	kong, err := parseVersion(DefaultKongVersion)
	if err != nil {
		return nil, err
	}
	tables, err := tablesFor(kong)
	if err != nil {
		return nil, err
	}
	d := compatibility{}
	d.add(`# Compatibility

This file is made from the code: do not edit it, run `+"`make generate`"+`.

semlb reads the configuration of Kong's ai-proxy-advanced plugin, versions 3.8 to %s.
Every field of its schema is known. What is known and not done yet is refused when
it is loaded, with "not supported yet" and the place: nothing is ignored in silence.
Fields at their defaults are never refused.
`, DefaultKongVersion)
	d.fields(tables.plugin)
	d.values(tables.plugin)
	d.entities(tables.entities)
	d.extensions(tables.plugin)
	d.elsewhere()
	return []byte(d.text.String()), nil
}

// compatibility is the document as far as it is written.
type compatibility struct{ text strings.Builder }

func (d *compatibility) add(format string, args ...any) {
	fmt.Fprintf(&d.text, format, args...)
}

// fields lists the fields that are refused.
func (d *compatibility) fields(table *spec) {
	d.add("\n## Fields that are not supported yet\n\n| field | since Kong | why |\n|---|---|---|\n")
	for _, u := range supportTable() {
		if u.value == "" {
			d.add("| `%s` | %s | %s |\n", u.path, sinceText(table.find(u.path)), u.reason)
		}
	}
	d.add("| `protocols` | %s | a list without both http and https |\n", sinceText(table.find("protocols")))
}

// sinceText returns the version that brought a field, as the facts have it.
func sinceText(s *spec) string {
	if s == nil || s.since == "" {
		return "3.8"
	}
	return s.since
}

// values lists the values that are refused, and those that are left.
func (d *compatibility) values(table *spec) {
	d.add("\n## Values that are not supported yet\n\n| field | value | why |\n|---|---|---|\n")
	for _, u := range supportTable() {
		if u.value != "" {
			d.add("| `%s` | `%s` | %s |\n", u.path, u.value, u.reason)
		}
	}
	d.add("\n## Values that are supported\n\n| field | values |\n|---|---|\n")
	refused := map[string][]string{}
	var order []string
	for _, u := range supportTable() {
		if u.value == "" {
			continue
		}
		if refused[u.path] == nil {
			order = append(order, u.path)
		}
		refused[u.path] = append(refused[u.path], u.value)
	}
	for _, path := range order {
		var left []string
		for _, v := range table.find(path).allowed {
			if !slices.Contains(refused[path], v) {
				left = append(left, "`"+v+"`")
			}
		}
		d.add("| `%s` | %s |\n", path, strings.Join(left, ", "))
	}
}

// entities lists what is refused of routes and consumers.
func (d *compatibility) entities(table *spec) {
	d.add("\n## Services, routes, consumers and groups\n\nTheir other fields are read.\n\n| entity | field | value | why |\n|---|---|---|---|\n")
	for _, kind := range slices.Sorted(maps.Keys(table.fields)) {
		for _, u := range unsupportedEntities(kind) {
			d.add("| %s | `%s` | %s | %s |\n", strings.ReplaceAll(kind, "_", " "), u.path, code(u.value), u.reason)
		}
	}
	d.add("\n### Fields without effect\n\nWhat these say is about an upstream, and the plugin's targets take its place. They are accepted, because files have them.\n\n| entity | field | why |\n|---|---|---|\n")
	for _, kind := range slices.Sorted(maps.Keys(table.fields)) {
		for _, i := range idleEntities(kind) {
			d.add("| %s | `%s` | %s |\n", strings.ReplaceAll(kind, "_", " "), strings.Join(i.fields, "`, `"), i.reason)
		}
	}
	d.add(`
### Differences to Kong's routes

- Regular expressions are those of RE2, as Kong's own since 3.0: no look-around, no back references. They are checked when they are loaded, and so is their size.
- A route without http answers plain HTTP with https_redirect_status_code: 426, or a redirect. semlb's listener has no TLS of its own: a request came over TLS if X-Forwarded-Proto says https, which whatever ends TLS in front of it has to set. A client that sets it itself is served in clear.
- A route without https serves requests that came over TLS too, as Kong's router does.
- Hosts without a port take every port.
`)
}

// code returns a value as Markdown shows code, or nothing.
func code(value string) string {
	if value == "" {
		return ""
	}
	return "`" + value + "`"
}

// extensions lists this project's own fields.
func (d *compatibility) extensions(table *spec) {
	d.add("\n## Extensions\n\nKong does not know these fields. Their defaults are what the plugin does.\n\n| field | values | default | meaning |\n|---|---|---|---|\n")
	d.extensionsBelow("config", table.fields["config"])
}

func (d *compatibility) extensionsBelow(path string, s *spec) {
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		child, at := s.fields[name], path+"."+name
		if child.extension {
			values := make([]string, len(child.allowed))
			for i, v := range child.allowed {
				values[i] = "`" + v + "`"
			}
			if child.kind == kindBool {
				values = []string{"`true`", "`false`"}
			}
			d.add("| `%s` | %s | `%v` | %s |\n", at, strings.Join(values, ", "), child.fallback, child.note)
		}
		if child.item != nil {
			d.extensionsBelow(at+"[]", child.item)
		} else {
			d.extensionsBelow(at, child)
		}
	}
}

// elsewhere lists what formats have beside the plugin, and is not read.
func (d *compatibility) elsewhere() {
	var unread []string
	for name, read := range deckKeys() {
		if !read {
			unread = append(unread, "`"+name+"`")
		}
	}
	slices.Sort(unread)
	d.add(`
## Beside the plugin

| format | accepted with a warning, not read | refused |
|---|---|---|
| decK | other plugins; %s; `+"`acls`"+` of consumers | unknown keys |
| Kubernetes | other resources and plugins; resources of another ingress class; secrets and plugins that are in no file | query parameters of an HTTPRoute's matches; secrets other than key-auth, basic-auth and jwt |
| Terraform | other resources and plugins; data sources and modules; lines of prose | `+"`count`, `for_each`"+`; functions other than %s; Terraform in JSON |
| shell scripts | commands other than curl, echo and kubectl; requests that send nothing | bodies from a file; substitutions such as `+"`$(…)`"+` in a body |
`, strings.Join(unread, ", "), "`"+strings.Join(terraformFunctions(), "`, `")+"`")
}
