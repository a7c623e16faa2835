package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// templatePattern is what a value with a template of decK looks like.
const templatePattern = `\$\{\{`

// JSONSchema returns the JSON Schema (2020-12) of files of a format, for editors:
// deck, kubernetes or admin-api. It is made from the tables that files are checked
// with, for the version of Kong that Options would have. What is not supported yet
// is no allowed value, and fields say so.
func JSONSchema(format Format, version string) ([]byte, error) {
	kong, err := kongVersion(version)
	if err != nil {
		return nil, err
	}
	tables, err := tablesFor(kong)
	if err != nil {
		return nil, err
	}
	w := schemaWriter{table: tables.plugin, entities: tables.entities, template: format == FormatDeck, refused: map[string]string{}}
	for _, u := range supportTable() {
		w.refused[u.path+"="+u.value] = u.reason
	}
	var root schemaObject
	switch format {
	case FormatDeck:
		root = w.deck()
	case FormatKubernetes:
		root = w.kubernetes()
	case FormatAdmin:
		root = w.of("", tables.plugin)
	default:
		return nil, fmt.Errorf("schema of %q: want deck, kubernetes or admin-api", format)
	}
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "semlb: " + string(format)
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write schema: %w", err)
	}
	return append(text, '\n'), nil
}

type schemaObject = map[string]any

// schemaWriter turns tables into JSON Schema.
type schemaWriter struct {
	table, entities *spec
	// template tells that decK's templates may stand for any value.
	template bool
	// refused are the reasons of the support table, by path and value.
	refused map[string]string
}

// of returns the schema of a field. Its path is that of the support table.
func (w *schemaWriter) of(path string, s *spec) schemaObject {
	o := schemaObject{}
	switch {
	case s.reference:
		return w.described(path, s, schemaObject{"anyOf": []any{schemaObject{"type": "string", "minLength": 1}, schemaObject{"type": "object", "minProperties": 1, "maxProperties": 1}}})
	case s.kind == kindObject:
		o["type"] = "object"
		if !s.freeForm && s.fields != nil {
			w.fields(path, s, o)
		}
	case s.kind == kindList:
		o["type"] = "array"
		if s.minLength > 0 {
			o["minItems"] = s.minLength
		}
		if s.item != nil {
			o["items"] = w.of(path+"[]", s.item)
		}
	default:
		o = w.scalar(path, s)
	}
	return w.described(path, s, o)
}

func (w *schemaWriter) fields(path string, s *spec, o schemaObject) {
	properties, required := schemaObject{}, []string{}
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		if s.fields[name].newSince != "" {
			continue
		}
		properties[name] = w.of(join(path, name), s.fields[name])
		if s.fields[name].mustBeGiven() {
			required = append(required, name)
		}
	}
	o["properties"], o["additionalProperties"] = properties, false
	if len(required) > 0 {
		o["required"] = required
	}
}

// described adds what a field is for, and whether it is supported.
func (w *schemaWriter) described(path string, s *spec, o schemaObject) schemaObject {
	var text []string
	if s.note != "" {
		text = append(text, s.note)
	}
	if s.extension {
		text = append(text, "An extension of semlb.")
	}
	if reason, ok := w.refused[path+"="]; ok {
		text = append(text, "Not supported yet: "+reason+".")
		o["deprecated"] = true
	}
	if len(text) > 0 {
		o["description"] = strings.Join(text, " ")
	}
	if s.fallback != nil {
		o["default"] = s.fallback
	}
	return o
}

// scalar returns the schema of a value, or of what may stand for it.
func (w *schemaWriter) scalar(path string, s *spec) schemaObject {
	o := schemaObject{"type": map[kind]string{kindBool: "boolean", kindInt: "integer", kindFloat: "number", kindString: "string"}[s.kind]}
	if s.min != nil {
		o["minimum"] = *s.min
	}
	if s.max != nil {
		o["maximum"] = *s.max
	}
	if s.kind == kindString {
		o["minLength"] = 1
	}
	if s.allowed != nil {
		var values []string
		for _, v := range s.allowed {
			if _, refused := w.refused[path+"="+v]; !refused && s.allowedSince[v] == "" {
				values = append(values, v)
			}
		}
		o["enum"] = values
	}
	if s.kind == kindString && s.allowed == nil {
		return o
	}
	either := []any{o}
	if w.template {
		either = append(either, schemaObject{"type": "string", "pattern": templatePattern})
	}
	if s.vault || s.orString {
		either = append(either, schemaObject{"type": "string", "pattern": `^(\{vault://.*\}|[0-9]+)$`})
	}
	if len(either) == 1 {
		return o
	}
	return schemaObject{"anyOf": either}
}

// plugin returns the schema of an entry in a list of plugins. Others than
// ai-proxy-advanced are not looked into.
func (w *schemaWriter) plugin() schemaObject {
	return schemaObject{
		"if":   schemaObject{"properties": schemaObject{"name": schemaObject{"const": pluginName}}},
		"then": schemaObject{"$ref": "#/$defs/ai-proxy-advanced"},
		"else": schemaObject{"type": "object", "required": []string{"name"}},
	}
}

func (w *schemaWriter) deck() schemaObject {
	settings := w.of("", w.table)
	settings["required"] = []string{"name"} // config may come of _plugin_configs
	defs := schemaObject{"plugin": w.plugin(), pluginName: settings}
	list := func(name string) schemaObject {
		return schemaObject{"type": "array", "items": schemaObject{"$ref": "#/$defs/" + name}}
	}
	for kind, s := range w.entities.fields {
		o := w.of(kind, s)
		properties, _ := o["properties"].(schemaObject)
		for nested, name := range map[string]string{"plugins": "plugin", "routes": "route"} {
			if properties[nested] != nil {
				properties[nested] = list(name)
			}
		}
		defs[kind] = o
	}
	properties := schemaObject{}
	for name, read := range deckKeys() {
		properties[name] = schemaObject{}
		if !read {
			properties[name] = schemaObject{"description": "Not read by semlb."}
		}
	}
	properties["_format_version"] = schemaObject{"enum": []any{"3.0", "1.1", 3.0, 1.1}}
	for name, kind := range map[string]string{
		"plugins": "plugin", "services": "service", "routes": "route", "consumers": "consumer", "consumer_groups": "consumer_group",
	} {
		properties[name] = list(kind)
	}
	return schemaObject{"type": "object", "properties": properties, "additionalProperties": false, "$defs": defs}
}

// kubernetes returns the schema of KongPlugin and KongClusterPlugin; other resources
// are not looked into.
func (w *schemaWriter) kubernetes() schemaObject {
	ref := schemaObject{"type": "object", "required": []string{"secretKeyRef"}, "properties": schemaObject{
		"secretKeyRef": schemaObject{"type": "object", "required": []string{"name", "key"}, "properties": schemaObject{
			"name": schemaObject{"type": "string"}, "key": schemaObject{"type": "string"}, "namespace": schemaObject{"type": "string"},
		}, "additionalProperties": false},
	}, "additionalProperties": false}
	config := w.of("config", w.table.fields["config"])
	delete(config, "required") // configPatches may bring what lacks
	properties := schemaObject{
		"apiVersion": schemaObject{"const": "configuration.konghq.com/v1"}, "kind": schemaObject{}, "metadata": schemaObject{"type": "object"},
		"plugin": schemaObject{"const": pluginName}, "config": config, "configFrom": ref,
		"configPatches": schemaObject{"type": "array", "items": schemaObject{
			"type": "object", "required": []string{"path", "valueFrom"}, "properties": schemaObject{
				"path": schemaObject{"type": "string", "pattern": "^/"}, "valueFrom": ref,
			}, "additionalProperties": false,
		}},
		"disabled": schemaObject{"type": "boolean"}, "status": schemaObject{},
	}
	for _, name := range []string{"instance_name", "ordering", "protocols", "run_on"} {
		properties[name] = w.of(name, w.table.fields[name])
	}
	return schemaObject{
		"if": schemaObject{"required": []string{"kind", "plugin"}, "properties": schemaObject{
			"kind": schemaObject{"enum": []string{"KongPlugin", "KongClusterPlugin"}}, "plugin": schemaObject{"const": pluginName},
		}},
		"then": schemaObject{
			"type": "object", "required": []string{"apiVersion", "metadata"},
			"properties": properties, "additionalProperties": false,
		},
	}
}
