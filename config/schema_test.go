package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// newestTable returns the table for the default version.
func newestTable(t *testing.T) *spec {
	t.Helper()
	v, err := parseVersion(DefaultKongVersion)
	require.NoError(t, err)
	tables, err := tablesFor(v)
	require.NoError(t, err)
	return tables.plugin
}

// eachField calls f for every field below s with its path, lists followed by "[]".
func eachField(s *spec, path string, f func(path string, s *spec)) {
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		child := s.fields[name]
		at := join(path, name)
		f(at, child)
		eachField(child, at, f)
		if child.item != nil {
			eachField(child.item, at+"[]", f)
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

// tree returns a JSON value as a tree.
func tree(t *testing.T, value any) *node {
	t.Helper()
	data, err := json.Marshal(value)
	require.NoError(t, err)
	n, err := parseJSON(newDocument("test.json", data))
	require.NoError(t, err)
	return n
}

// faultsAt returns the faults a value at a path gives at that very path.
func faultsAt(t *testing.T, table *spec, path string, value any) []string {
	t.Helper()
	var c checker
	c.value("", table, tree(t, withValue(path, value)))
	var at []string
	for _, f := range c.faults {
		if strings.HasPrefix(f.Path, strings.ReplaceAll(path, "[]", "[0]")) {
			at = append(at, f.Error())
		}
	}
	return at
}

// goodValues returns values a field may have, the ends of its range among them.
func goodValues(s *spec) []any {
	switch {
	case s.reference:
		return []any{"name", map[string]any{"id": "x"}}
	case s.kind == kindBool:
		return []any{true, false}
	case s.kind == kindString && s.allowed != nil:
		var all []any
		for _, v := range s.allowed {
			all = append(all, v)
		}
		return all
	case s.kind == kindString:
		return []any{"text"}
	case s.kind == kindInt || s.kind == kindFloat:
		good := []any{}
		if s.min == nil || *s.min <= 1 {
			good = append(good, 1)
		}
		for _, bound := range []*float64{s.min, s.max} {
			if bound != nil {
				good = append(good, *bound)
			}
		}
		return good
	case s.kind == kindList && s.item.kind == kindString:
		return []any{goodValues(s.item)}
	default:
		return nil
	}
}

// badValues returns values a field may not have.
func badValues(s *spec) []any {
	bad := []any{}
	if s.kind != kindObject && !s.reference {
		bad = append(bad, map[string]any{"a": 1})
	}
	if s.kind != kindList {
		bad = append(bad, []any{"a"})
	}
	if s.kind != kindString {
		bad = append(bad, "text")
	}
	if s.kind == kindString {
		bad = append(bad, 5, true, "")
	}
	if s.allowed != nil {
		bad = append(bad, "no such value")
	}
	if s.kind == kindInt {
		bad = append(bad, 1.5, true)
	}
	if s.min != nil {
		bad = append(bad, *s.min-1)
	}
	if s.max != nil {
		bad = append(bad, *s.max+1)
	}
	if s.kind == kindList {
		if s.minLength > 0 {
			bad = append(bad, []any{})
		}
		bad = append(bad, []any{nil})
		for _, item := range badValues(s.item) {
			bad = append(bad, []any{item})
		}
	}
	return bad
}

func TestEveryFieldTakesItsValuesAndNoOthers(t *testing.T) {
	table := newestTable(t)
	fields := 0
	eachField(table, "", func(path string, s *spec) {
		fields++
		if s.freeForm {
			return
		}
		for _, value := range goodValues(s) {
			require.Empty(t, faultsAt(t, table, path, value), "%s with %v", path, value)
		}
		if s.reference {
			return
		}
		for _, value := range badValues(s) {
			require.NotEmpty(t, faultsAt(t, table, path, value), "%s with %v", path, value)
		}
	})
	require.Greater(t, fields, 213+7)
}

func TestRequiredFieldsAreMissedWhereverTheirObjectIs(t *testing.T) {
	table := newestTable(t)
	missed := 0
	eachField(table, "", func(path string, s *spec) {
		if !s.required || path == "name" {
			return
		}
		i := strings.LastIndex(path, ".")
		if i < 0 {
			return
		}
		parent, name := path[:i], path[i+1:]
		if !s.mustBeGiven() {
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
	eachField(table, "", func(path string, s *spec) {
		if s.kind != kindObject || s.freeForm || s.reference {
			return
		}
		for name := range s.fields {
			misspelt := name + "x"
			got := strings.Join(faultsAt(t, table, path, map[string]any{misspelt: 1}), "\n")
			require.Contains(t, got, fmt.Sprintf("%s: unknown field, did you mean %q?", misspelt, nearest(misspelt, s.fields)))
		}
	})
}

func TestEveryFieldOfTheSchemaHasAPlaceInTheModel(t *testing.T) {
	table := newestTable(t).fields["config"]
	require.Equal(t, schemaNames(table, ""), modelNames(t, table))
}

// schemaNames lists the paths of all fields with a value.
func schemaNames(s *spec, path string) []string {
	var names []string
	eachField(s, path, func(path string, s *spec) {
		if s.fields == nil && (s.item == nil || s.item.fields == nil) {
			names = append(names, path)
		}
	})
	slices.Sort(names)
	return names
}

func TestNearestNamesAreFound(t *testing.T) {
	known := newestTable(t).find("config.balancer").fields
	for name, want := range map[string]string{
		"algoritm": "algorithm", "Retries": "retries", "retires": "retries", "max_fail": "max_fails",
		"connect-timeout": "connect_timeout", "colour": "", "x": "", strings.Repeat("a", 1000): "",
	} {
		require.Equal(t, want, nearest(name, known), name)
	}
}

func TestPartialsAndBlocksExcludeEachOther(t *testing.T) {
	var c checker
	n := tree(t, map[string]any{
		"partials": []any{map[string]any{"id": "x", "path": "config.embeddings"}, map[string]any{"id": "y", "path": "config.vectordb"}},
		"config":   map[string]any{"embeddings": map[string]any{}},
	})
	c.rules(place{n: n, pos: n.pos})
	require.EqualError(t, c.faults, "test.json:1: config.embeddings: got a block that a partial brings too")
}

func TestProvidersAreThoseOfTheSchema(t *testing.T) {
	var names []string
	for _, p := range Providers() {
		names = append(names, string(p))
	}
	allowed := slices.Sorted(slices.Values(newestTable(t).find("config.targets[].model.provider").allowed))
	require.Equal(t, allowed, names)
}
