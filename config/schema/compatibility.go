package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"semlb/config/report"
	"semlb/config/tree"
)

// Beside is what a format has beside the plugin, as the compatibility document lists it
// in Markdown.
type Beside struct {
	// Format is the format's name.
	Format string
	// Ignored is accepted with a warning and not read. Refused is a fault.
	Ignored, Refused string
}

// Compatibility returns the document, in Markdown, that lists what of the plugin's schema
// is not supported yet and what this project adds to it.
func Compatibility(formats []Beside) ([]byte, error) {
	tables, err := For(DefaultVersion)
	if err != nil {
		return nil, err
	}
	d := document{tables: tables}
	d.add(`# Compatibility

This file is made from the code: do not edit it, run `+"`make generate`"+`.

semlb reads the configuration of Kong's ai-proxy-advanced plugin, versions %s to %s.
Every field of its schema is known. What is not supported yet is refused when the
configuration is loaded, with file, line and path: nothing is ignored silently.
Fields at their defaults are never refused.
`, oldestVersion, DefaultVersion)
	d.refusedFields()
	d.refusedValues()
	d.supportedValues()
	d.entities()
	d.extensions()
	d.formats(formats)
	return []byte(d.text.String()), nil
}

// document is the compatibility document as far as it is written.
type document struct {
	tables *Tables
	text   strings.Builder
}

func (d *document) add(format string, args ...any) { fmt.Fprintf(&d.text, format, args...) }

func (d *document) refusedFields() {
	d.add("\n## Fields that are not supported yet\n\n| field | since Kong | why |\n|---|---|---|\n")
	for _, row := range pluginSupport {
		if row.value == "" {
			d.add("| `%s` | %s | %s |\n", row.path, d.since(row.path), row.reason)
		}
	}
	d.add("| `protocols` | %s | a list without both http and https |\n", d.since("protocols"))
}

// since returns the version that brought a field of the plugin, as the facts have it.
func (d *document) since(path string) string {
	if f := d.tables.Plugin.Find(path); f != nil && f.Since != "" {
		return f.Since
	}
	return oldestVersion
}

func (d *document) refusedValues() {
	d.add("\n## Values that are not supported yet\n\n| field | value | why |\n|---|---|---|\n")
	for _, row := range pluginSupport {
		if row.value != "" {
			d.add("| `%s` | `%s` | %s |\n", row.path, row.value, row.reason)
		}
	}
}

// supportedValues lists what is left of the fields with refused values.
func (d *document) supportedValues() {
	d.add("\n## Values that are supported\n\n| field | values |\n|---|---|\n")
	listed := map[string]bool{}
	for _, row := range pluginSupport {
		if row.value == "" || listed[row.path] {
			continue
		}
		listed[row.path] = true
		d.add("| `%s` | %s |\n", row.path, quotedList(enum(d.tables.Plugin.Find(row.path))))
	}
}

// quotedList returns texts as Markdown's code, with commas between them.
func quotedList(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return "`" + strings.Join(texts, "`, `") + "`"
}

// entities lists what is refused of the entities around plugins, and what has no effect.
func (d *document) entities() {
	d.add("\n## Services, routes, consumers and groups\n\nTheir other fields are read.\n\n| entity | field | value | why |\n|---|---|---|---|\n")
	for _, row := range entitySupport {
		kind, path, _ := strings.Cut(row.path, ".")
		value := row.value
		if value != "" {
			value = "`" + value + "`"
		}
		d.add("| %s | `%s` | %s | %s |\n", kind, path, value, row.reason)
	}
	d.add("\n### Fields without effect\n\nThese fields configure an upstream, which the plugin's targets replace. They are accepted and ignored.\n\n| entity | field | why |\n|---|---|---|\n")
	for _, row := range idleFields {
		d.add("| %s | %s | %s |\n", row.kind, quotedList(row.fields), row.reason)
	}
	d.add(`
### Differences from Kong's routes

- Regular expressions are those of RE2, as Kong's own since 3.0: no look-around, no back references. They are checked when they are loaded, and so is their size.
- A route without http answers plain HTTP with https_redirect_status_code: 426, or a redirect. semlb's listener has no TLS of its own: a request came over TLS if X-Forwarded-Proto says https, which the proxy that terminates TLS has to set. A client that sets it itself is served without TLS.
- A route without https serves requests that came over TLS too, as Kong's router does.
- Hosts without a port take every port.
`)
}

// extensions lists this project's own fields.
func (d *document) extensions() {
	d.add("\n## Extensions\n\nKong does not know these fields. Their defaults are what the plugin does.\n\n| field | values | default | meaning |\n|---|---|---|---|\n")
	d.extensionsBelow("config", d.tables.Settings())
}

func (d *document) extensionsBelow(path string, f *Field) {
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		child, at := f.Fields[name], report.Join(path, name)
		if child.Extension {
			values := enum(child)
			if child.Kind == tree.Bool {
				values = []string{"true", "false"}
			}
			d.add("| `%s` | %s | `%v` | %s |\n", at, quotedList(values), child.Default, child.Note)
		}
		if child.Elements != nil {
			d.extensionsBelow(at+"[]", child.Elements)
		} else {
			d.extensionsBelow(at, child)
		}
	}
}

func (d *document) formats(all []Beside) {
	d.add("\n## Beside the plugin\n\n| format | ignored, with a warning | refused |\n|---|---|---|\n")
	for _, row := range all {
		d.add("| %s | %s | %s |\n", row.Format, row.Ignored, row.Refused)
	}
}
