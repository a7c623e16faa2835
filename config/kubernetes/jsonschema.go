package kubernetes

import (
	"maps"
	"slices"

	"semlb/config/schema"
)

// jsonSchema returns the JSON Schema of KongPlugin and KongClusterPlugin with a plugin that
// is served; other resources are not looked into.
func jsonSchema(tables *schema.Tables) schema.JSON {
	var all []schema.JSON
	for _, name := range append(slices.Sorted(maps.Keys(tables.Guards)), schema.PluginName) {
		is := schema.JSON{"required": []string{"kind", "plugin"}, "properties": schema.JSON{
			"kind": schema.JSON{"enum": []string{"KongPlugin", "KongClusterPlugin"}}, "plugin": schema.JSON{"const": name},
		}}
		all = append(all, schema.JSON{"if": is, "then": strictObject(pluginProperties(name, tables.Named(name)), "apiVersion", "metadata")})
	}
	return schema.JSON{"allOf": all}
}

func pluginProperties(name string, f *schema.Field) schema.JSON {
	var w schema.JSONWriter
	str := schema.JSON{"type": "string"}
	ref := strictObject(schema.JSON{
		"secretKeyRef": strictObject(schema.JSON{"name": str, "key": str, "namespace": str}, "name", "key"),
	}, "secretKeyRef")
	patch := strictObject(schema.JSON{"path": schema.JSON{"type": "string", "pattern": "^/"}, "valueFrom": ref}, "path", "valueFrom")
	settings := w.Field(f.Fields["config"])
	delete(settings, "required") // configPatches may bring what is missing
	properties := schema.JSON{
		"apiVersion": schema.JSON{"const": kongV1}, "kind": schema.JSON{}, "metadata": schema.JSON{"type": "object"},
		"plugin": schema.JSON{"const": name}, "config": schema.OrNull(settings), "configFrom": schema.OrNull(ref),
		"configPatches": schema.JSON{"type": []string{"array", "null"}, "items": patch},
		"disabled":      schema.JSON{"type": []string{"boolean", "null"}}, "status": schema.JSON{},
	}
	for _, field := range []string{"instance_name", "ordering", "protocols", "run_on"} {
		properties[field] = schema.OrNull(w.Field(f.Fields[field]))
	}
	return properties
}

// strictObject returns the schema of an object without other properties.
func strictObject(properties schema.JSON, required ...string) schema.JSON {
	return schema.JSON{"type": "object", "required": required, "properties": properties, "additionalProperties": false}
}
