package deck

import (
	"semlb/config/format"
	"semlb/config/schema"
)

// templatePattern is what a value with a template of decK looks like.
const templatePattern = `\$\{\{`

// jsonSchema returns the JSON Schema of decK files. Plugins that semlb does not serve are
// not looked into.
func jsonSchema(tables *schema.Tables) schema.JSON {
	w := schema.JSONWriter{Template: templatePattern}
	defs := tables.PluginDefs(func(f *schema.Field) schema.JSON {
		entry := w.Field(f)
		entry["required"] = []string{"name"} // _plugin_configs may bring the config
		entry["properties"].(schema.JSON)["config"] = schema.OrNull(w.Field(f.Fields["config"]))
		return withRemarks(entry)
	})
	defs[format.KindVault] = withRemarks(w.Field(schema.Vault))
	for kind, f := range tables.Entities {
		defs[kind] = entity(withRemarks(w.Field(f)))
	}
	properties := schema.JSON{}
	for key, read := range keys {
		properties[key] = schema.JSON{}
		if !read {
			properties[key] = schema.JSON{"description": "Not read by semlb."}
		}
	}
	properties["_format_version"] = schema.JSON{"enum": []any{"3.0", "2.1", "1.1", 3.0, 2.1, 1.1, nil}}
	properties["_info"] = objectWith(infoKeys)
	properties["_info"].(schema.JSON)["properties"].(schema.JSON)["defaults"] = objectWith(defaultKeys)
	properties["plugins"] = listOf("plugin")
	for _, list := range lists {
		properties[list.key] = listOf(list.kind)
	}
	return schema.JSON{"type": "object", "properties": properties, "additionalProperties": false, "$defs": defs}
}

// entity lets an entity have what a file may nest in it.
func entity(o schema.JSON) schema.JSON {
	properties, _ := o["properties"].(schema.JSON)
	for nested, kind := range map[string]string{"plugins": "plugin", "routes": "route"} {
		if properties[nested] != nil {
			properties[nested] = listOf(kind)
		}
	}
	return o
}

// withRemarks lets an entity, and the credentials nested in it, have remarks.
func withRemarks(o schema.JSON) schema.JSON {
	properties, ok := o["properties"].(schema.JSON)
	if !ok {
		return o
	}
	for _, p := range properties {
		if list, ok := p.(schema.JSON); ok {
			if items, ok := list["items"].(schema.JSON); ok {
				withRemarks(items)
			}
		}
	}
	for _, name := range remarks {
		properties[name] = schema.JSON{}
	}
	return o
}

// objectWith returns the schema of an object that has some of the known keys.
func objectWith(known map[string]bool) schema.JSON {
	properties := schema.JSON{}
	for key := range known {
		properties[key] = schema.JSON{}
	}
	return schema.JSON{"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false}
}

// listOf returns the schema of a list whose elements are defined below "$defs".
func listOf(name string) schema.JSON {
	return schema.JSON{"type": []string{"array", "null"}, "items": schema.JSON{"$ref": "#/$defs/" + name}}
}
