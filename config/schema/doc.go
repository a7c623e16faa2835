// Package schema is the table of what configurations may hold: every field of the plugin
// and of the entities around it, for each version of Kong. Checks, the model's defaults,
// JSON Schema, the Admin API and the compatibility document are all made from it.
//
// schema.json has the facts as Kong publishes them, entities.json those about the
// entities around plugins, and extensions.json the fields that are this project's own.
package schema
