package kubernetes

import (
	"semlb/config/schema"
)

// jsonSchema returns the JSON Schema of KongPlugin and KongClusterPlugin; other resources
// are not looked into.
func jsonSchema(tables *schema.Tables) schema.JSON {
	isPlugin := schema.JSON{"required": []string{"kind", "plugin"}, "properties": schema.JSON{
		"kind": schema.JSON{"enum": []string{"KongPlugin", "KongClusterPlugin"}}, "plugin": schema.JSON{"const": schema.PluginName},
	}}
	return schema.JSON{
		"if":   isPlugin,
		"then": strictObject(pluginProperties(tables), "apiVersion", "metadata"),
	}
}

func pluginProperties(tables *schema.Tables) schema.JSON {
	var w schema.JSONWriter
	str := schema.JSON{"type": "string"}
	ref := strictObject(schema.JSON{
		"secretKeyRef": strictObject(schema.JSON{"name": str, "key": str, "namespace": str}, "name", "key"),
	}, "secretKeyRef")
	patch := strictObject(schema.JSON{"path": schema.JSON{"type": "string", "pattern": "^/"}, "valueFrom": ref}, "path", "valueFrom")
	settings := w.Field(tables.Settings())
	delete(settings, "required") // configPatches may bring what is missing
	properties := schema.JSON{
		"apiVersion": schema.JSON{"const": kongV1}, "kind": schema.JSON{}, "metadata": schema.JSON{"type": "object"},
		"plugin": schema.JSON{"const": schema.PluginName}, "config": schema.OrNull(settings), "configFrom": schema.OrNull(ref),
		"configPatches": schema.JSON{"type": []string{"array", "null"}, "items": patch},
		"disabled":      schema.JSON{"type": []string{"boolean", "null"}}, "status": schema.JSON{},
	}
	for _, name := range []string{"instance_name", "ordering", "protocols", "run_on"} {
		properties[name] = schema.OrNull(w.Field(tables.Plugin.Fields[name]))
	}
	return properties
}

// strictObject returns the schema of an object without other properties.
func strictObject(properties schema.JSON, required ...string) schema.JSON {
	return schema.JSON{"type": "object", "required": required, "properties": properties, "additionalProperties": false}
}
