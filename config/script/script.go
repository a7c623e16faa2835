// Package script reads requests to Kong's Admin API and to Konnect, alone or in shell
// scripts, and writes shell scripts of such requests.
package script

import (
	"cmp"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
)

// Names of the formats that are written.
const (
	AdminAPIName = "admin-api"
	KonnectName  = "konnect"
)

// AdminAPI describes requests to the Admin API: read are their bodies, and written are
// shell scripts that make them.
func AdminAPI() format.Format {
	return format.Format{
		Name:        AdminAPIName,
		Description: "the body of an Admin API request (name, config)",
		Endings:     []string{".yaml", ".yml", ".json"},
		Recognise:   isBody,
		NewReader:   func(in *format.Input) format.Reader { return &bodyReader{Input: in} },
		Write:       func(out *format.Output) ([]byte, error) { return write(out, AdminAPIName) },
		JSONSchema:  jsonSchema,
	}
}

// jsonSchema returns the JSON Schema of a plugin and of a list of plugins. Those other than
// ai-proxy-advanced are not looked into.
func jsonSchema(t *schema.Tables) schema.JSON {
	plugin := schema.JSON{"$ref": "#/$defs/plugin"}
	single := schema.JSON{"anyOf": []any{schema.JSON{"required": []string{"name"}}, schema.JSON{"required": []string{"config"}}}}
	return schema.JSON{
		"type": "object", "$defs": t.PluginDefs(schema.JSONWriter{}.Field),
		"if": single, "then": plugin,
		"else": schema.JSON{"required": []string{"data"}, "properties": schema.JSON{"data": schema.JSON{"type": "array", "items": plugin}}},
	}
}

// Konnect describes shell scripts of requests to Konnect.
func Konnect() format.Format {
	return format.Format{
		Name:  KonnectName,
		Write: func(out *format.Output) ([]byte, error) { return write(out, KonnectName) },
	}
}

// Format describes shell scripts of requests, which are only read.
func Format() format.Format {
	return format.Format{
		Description: "a shell script of such requests (.sh)",
		Endings:     []string{".sh"},
		Detect:      detect,
		NewReader:   newReader,
		Beside: &schema.Beside{
			Format:  "shell scripts",
			Ignored: "commands other than curl, deck, echo, printf and kubectl; requests for other entities; files that are given as addresses",
			Refused: "files of bodies, `kubectl apply -f` and `deck gateway sync` that neither are beside the script, nor written by it, nor given; fields of forms from files; `kubectl apply -k`; substitutions in a body, save for `$(cat …)`, `$(echo …)` and `$(printf …)` of plain text; variables and loops whose values only a shell knows, where a request uses them; other commands that may make a request to the Admin API, such as `bash -c` and `wget`; requests for several workspaces",
		},
	}
}

// isBody reports whether a value is a plugin, or an answer of the API that lists them.
func isBody(root *tree.Node) bool {
	if root.Get("apiVersion") != nil && root.Get("kind") != nil {
		return false // a Kubernetes resource may have these fields too
	}
	return root.Get("config") != nil || root.Get("name") != nil || root.Get("data") != nil
}

// bodyReader reads bodies of requests that make plugins, and lists of plugins.
type bodyReader struct {
	*format.Input
	// next is where the first page says that another one follows, and ended is set when one
	// was the last.
	next  *tree.Node
	ended bool
}

// Read yields the plugins of a body.
func (r *bodyReader) Read(d format.Document) {
	if d.Root.Get("config") != nil || d.Root.Get("name") != nil {
		r.AddPlugin("", d.Root, d.Scope)
		return
	}
	next := cmp.Or(d.Root.Get("next"), d.Root.Get("offset"))
	if next.Empty() {
		r.ended = true
	} else if r.next == nil {
		r.next = next
	}
	for i, body := range r.ListOf("", d.Root, "data") {
		r.AddPlugin(report.Index("data", i), body, config.Scope{})
	}
}

// Finish notes that the last page of a list is missing.
func (r *bodyReader) Finish() {
	if r.next != nil && !r.ended {
		m := format.Missing{Text: "the list goes on, and its last page is not in the files", Remedy: "add the other pages", Name: "next"}
		r.Miss(format.Item{Path: "next", Node: r.next}, m, m.Name)
	}
}
