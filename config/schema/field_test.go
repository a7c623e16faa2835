package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/tree"
)

// newestTable returns the table for the default version.
func newestTable(t *testing.T) *Field {
	t.Helper()
	tables, err := For("")
	require.NoError(t, err)
	return tables.Plugin
}

// eachField calls visit for every field below s with its path, lists followed by "[]".
func eachField(f *Field, path string, visit func(path string, f *Field)) {
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		child := f.Fields[name]
		at := report.Join(path, name)
		visit(at, child)
		eachField(child, at, visit)
		if child.Elements != nil {
			eachField(child.Elements, at+"[]", visit)
		}
	}
}

// withValue returns JSON that has nothing but a value at a path.
func withValue(path string, value any) any {
	segments := strings.Split(path, ".")
	for i := len(segments) - 1; i >= 0; i-- {
		name, isList := strings.CutSuffix(segments[i], "[]")
		if isList {
			value = []any{value}
		}
		value = map[string]any{name: value}
	}
	return value
}

// node returns a JSON value as a tree.
func node(t *testing.T, value any) *tree.Node {
	t.Helper()
	data, err := json.Marshal(value)
	require.NoError(t, err)
	n, faults := tree.NewDocument("test.json", data).ParseJSON()
	require.Empty(t, faults)
	return n
}

// faultsAt returns the faults a value at a path gives at that very path.
func faultsAt(t *testing.T, table *Field, path string, value any) []string {
	t.Helper()
	faults, _ := checkedAt(t, table, path, value)
	var at []string
	for _, f := range faults {
		if strings.HasPrefix(f.Path, strings.ReplaceAll(path, "[]", "[0]")) {
			at = append(at, f.Error())
		}
	}
	return at
}

// goodValues returns values a field may have, the ends of its range among them.
func goodValues(f *Field) []any {
	switch {
	case f.Reference:
		return []any{"name", map[string]any{"id": "x"}}
	case f.Kind == tree.Bool:
		return []any{true, false}
	case f.Kind == tree.String && f.Values != nil:
		var all []any
		for _, v := range f.Values {
			all = append(all, v.Text)
		}
		return all
	case f.Kind == tree.String:
		return []any{"text"}
	case f.Kind == tree.Int || f.Kind == tree.Float:
		good := []any{}
		if f.Min == nil || *f.Min <= 1 {
			good = append(good, 1)
		}
		for _, bound := range []*float64{f.Min, f.Max} {
			if bound != nil {
				good = append(good, *bound)
			}
		}
		return good
	case f.Kind == tree.List && f.Elements.Kind == tree.String:
		return []any{goodValues(f.Elements)}
	default:
		return nil
	}
}

// badValues returns values a field may not have.
func badValues(f *Field) []any {
	bad := []any{}
	if f.Kind != tree.Object && !f.Reference {
		bad = append(bad, map[string]any{"a": 1})
	}
	if f.Kind != tree.List {
		bad = append(bad, []any{"a"})
	}
	if f.Kind != tree.String {
		bad = append(bad, "text")
	}
	if f.Kind == tree.String {
		bad = append(bad, 5, true, "")
	}
	if f.Values != nil {
		bad = append(bad, "no such value")
	}
	if f.Kind == tree.Int {
		bad = append(bad, 1.5, true)
	}
	if f.Min != nil {
		bad = append(bad, *f.Min-1)
	}
	if f.Max != nil {
		bad = append(bad, *f.Max+1)
	}
	if f.Kind == tree.List {
		if f.MinLength > 0 {
			bad = append(bad, []any{})
		}
		bad = append(bad, []any{nil})
		for _, item := range badValues(f.Elements) {
			bad = append(bad, []any{item})
		}
	}
	return bad
}

func TestEveryFieldTakesItsValuesAndNoOthers(t *testing.T) {
	table := newestTable(t)
	fields := 0
	eachField(table, "", func(path string, f *Field) {
		fields++
		if f.FreeForm {
			return
		}
		for _, value := range goodValues(f) {
			require.Empty(t, faultsAt(t, table, path, value), "%s with %v", path, value)
		}
		if f.Reference {
			return
		}
		for _, value := range badValues(f) {
			require.NotEmpty(t, faultsAt(t, table, path, value), "%s with %v", path, value)
		}
	})
	require.Greater(t, fields, 213+7)
}

func TestRequiredFieldsAreMissedWhereverTheirObjectIs(t *testing.T) {
	table := newestTable(t)
	missed := 0
	eachField(table, "", func(path string, f *Field) {
		if !f.Required || path == "name" {
			return
		}
		i := strings.LastIndex(path, ".")
		if i < 0 {
			return
		}
		parent, name := path[:i], path[i+1:]
		if !f.MustBeGiven() {
			return
		}
		got := faultsAt(t, table, parent, map[string]any{})
		require.Contains(t, strings.Join(got, "\n"), "."+name+": got nothing, want ", path)
		missed++
	})
	require.Greater(t, missed, 15)
}

func TestUnknownFieldsAreFaultsInEveryObject(t *testing.T) {
	table := newestTable(t)
	eachField(table, "", func(path string, f *Field) {
		if f.Kind != tree.Object || f.FreeForm || f.Reference {
			return
		}
		for name := range f.Fields {
			misspelt := name + "x"
			got := strings.Join(faultsAt(t, table, path, map[string]any{misspelt: 1}), "\n")
			require.Contains(t, got, fmt.Sprintf("%s: unknown field, did you mean %q?", misspelt, report.Nearest(misspelt, f.Fields)))
		}
	})
}

func TestEveryFieldOfTheSchemaHasAPlaceInTheModel(t *testing.T) {
	table := newestTable(t).Fields["config"]
	require.Equal(t, schemaNames(table, ""), modelNames(t, table))
}

// schemaNames lists the paths of all fields with a value.
func schemaNames(f *Field, path string) []string {
	var names []string
	eachField(f, path, func(path string, f *Field) {
		if f.Fields == nil && (f.Elements == nil || f.Elements.Fields == nil) {
			names = append(names, path)
		}
	})
	slices.Sort(names)
	return names
}

func TestNearestNamesAreFound(t *testing.T) {
	known := newestTable(t).Find("config.balancer").Fields
	for name, want := range map[string]string{
		"algoritm": "algorithm", "Retries": "retries", "retires": "retries", "max_fail": "max_fails",
		"connect-timeout": "connect_timeout", "colour": "", "x": "", strings.Repeat("a", 1000): "",
	} {
		require.Equal(t, want, report.Nearest(name, known), name)
	}
}

func TestProvidersAreThoseOfTheSchema(t *testing.T) {
	var names []string
	for _, p := range config.Providers() {
		names = append(names, string(p))
	}
	allowed := slices.Sorted(slices.Values(texts(newestTable(t).Find("config.targets[].model.provider"))))
	require.Equal(t, allowed, names)
}

// texts returns the values of a field.
func texts(f *Field) []string {
	var all []string
	for _, v := range f.Values {
		all = append(all, v.Text)
	}
	return all
}
