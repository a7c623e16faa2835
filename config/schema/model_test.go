package schema

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/tree"
	"semlb/wire"
)

// modelNames lists the paths of all fields of the model that are in the table.
func modelNames(t *testing.T, table *Field) []string {
	t.Helper()
	return slices.Sorted(maps.Keys(modelFields(t, table)))
}

// modelFields returns the model's fields, as "Type.Field", by the paths that their tags
// make of them, and fails for a field that is not in the table.
func modelFields(t *testing.T, table *Field) map[string]string {
	t.Helper()
	names := map[string]string{}
	var walk func(typ reflect.Type, within *Field, path string)
	walk = func(typ reflect.Type, within *Field, path string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			tag := f.Tag.Get("kong")
			if tag == "-" {
				continue
			}
			child, at := within.Fields[tag], report.Join(path, tag)
			if child == nil {
				// One type serves targets and embeddings, whose options differ by this.
				require.Equal(t, "embeddings.model.options.gemini.endpoint_id", at)
				continue
			}
			inner := f.Type
			if inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			switch {
			case child.Kind == tree.List && child.Elements.Fields != nil:
				walk(inner, child.Elements, at+"[]")
			case child.Fields != nil:
				walk(inner, child, at)
			default:
				names[at] = typ.Name() + "." + f.Name
				require.Equal(t, child.Secret, inner == reflect.TypeFor[wire.Secret](), "the schema and the model disagree whether %s is a secret", at)
			}
		}
	}
	walk(reflect.TypeFor[config.AIProxyAdvanced](), table, "")
	return names
}

func TestEveryValueReachesTheModel(t *testing.T) {
	table := newestTable(t).Fields["config"]
	for _, path := range schemaNames(table, "") {
		f := table.Find(path)
		for _, value := range goodValues(f) {
			var before, after config.AIProxyAdvanced
			empty := path[:max(0, lastDot(path))]
			table.Decode(node(t, withValueOrEmpty(empty)), &before)
			table.Decode(node(t, withValue(path, value)), &after)
			if f.differs(node(t, value)) {
				require.NotEqual(t, before, after, "%s with %v", path, value)
			}
		}
	}
}

// lastDot returns the index of the last dot of a path, or -1.
func lastDot(path string) int {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' {
			return i
		}
	}
	return -1
}

// withValueOrEmpty returns JSON with an empty object at a path.
func withValueOrEmpty(path string) any {
	if path == "" {
		return map[string]any{}
	}
	return withValue(path, map[string]any{})
}
