package schema

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/tree"
)

// usedInConfig are the fields that no type holds or no room but config reads,
// each with where it is used.
func usedInConfig() map[string]string {
	const scope, kept = "Plugin.Scope", "kept for the Admin API and conversions"
	return map[string]string{
		"_config": "the deck format", "name": "the loader", "protocols": "the rules",
		"consumer": scope, "consumer_group": scope, "route": scope, "service": scope,
		"id": "Plugin.ID", "instance_name": "Plugin.InstanceName", "enabled": "Config.Find", "tags": "Plugin.Tags",
		"created_at": kept, "updated_at": kept, "run_on": kept,
	}
}

// refusals returns what of a value at a path is not supported.
func refusals(t *testing.T, table *Field, path string, value any) config.Faults {
	t.Helper()
	var r report.Report
	CheckSupport(&r, "", table, node(t, withValue(path, value)))
	return r.Faults()
}

// TestEveryFieldIsEitherUsedOrRefused says of each field of the schema that a value
// other than its default is refused, or that a type of the model holds it and another
// package reads that type's field. What the schema gains fails it until one of both is so.
func TestEveryFieldIsEitherUsedOrRefused(t *testing.T) {
	table := newestTable(t)
	held, read, here := modelFields(t, table.Fields["config"]), readByProgram(t), usedInConfig()
	fields, used := 0, 0
	eachField(table, "", func(path string, f *Field) {
		if f.Fields != nil || f.Elements != nil && f.Elements.Fields != nil {
			return
		}
		fields++
		if everyValueRefused(t, table, path, f) {
			require.NotContains(t, here, path, "it is refused")
			return
		}
		used++
		name := held[strings.TrimPrefix(path, "config.")]
		if here[path] != "" {
			require.Empty(t, name, path)
			delete(here, path)
			return
		}
		require.NotEmpty(t, name, "%s is neither refused nor held by a type", path)
		require.Contains(t, read, name, "%s is neither refused nor read, as %s, outside of config", path, name)
	})
	require.Empty(t, here, "no such fields")
	require.Greater(t, fields, 180)
	require.Greater(t, used, 60)
}

// everyValueRefused reports whether a field may only have its default.
func everyValueRefused(t *testing.T, table *Field, path string, f *Field) bool {
	t.Helper()
	values := goodValues(f)
	if f.FreeForm {
		values = []any{map[string]any{"a": 1}}
	}
	if path == "partials" {
		values = []any{[]any{map[string]any{"id": "x"}}}
	}
	other := slices.DeleteFunc(values, func(v any) bool { return !f.differs(node(t, v)) })
	require.NotEmpty(t, other, path)
	return !slices.ContainsFunc(other, func(v any) bool { return len(refusals(t, table, path, v)) == 0 })
}

// The tests of app/build hold the fields whose values have a table of implementations.
func TestEveryAllowedValueIsEitherDoneOrRefused(t *testing.T) {
	table := newestTable(t)
	for path, done := range map[string][]string{
		"config.balancer.latency_strategy":              {"tpot"},
		"config.balancer.tokens_count_strategy":         {"total-tokens"},
		"config.genai_category":                         {"text/generation"},
		"config.llm_format":                             {"openai"},
		"config.targets[].model.options.mistral_format": {"openai"},
		"config.targets[].route_type":                   {"llm/v1/chat", "llm/v1/completions"},
	} {
		var accepted []string
		for _, value := range texts(table.Find(path)) {
			if len(refusals(t, table, path, value)) == 0 {
				accepted = append(accepted, value)
			}
		}
		require.Equal(t, done, accepted, path)
	}
}

func TestDefaultsAreNeverRefused(t *testing.T) {
	table := newestTable(t)
	eachField(table, "", func(path string, f *Field) {
		if strings.Contains(strings.TrimPrefix(path, "config.targets[]"), "[]") || strings.HasPrefix(path, "config.acls.") {
			return // An element of a refused list is refused, whatever is in it.
		}
		if f.Default != nil {
			require.Empty(t, refusals(t, table, path, f.Default), path)
		}
		require.Empty(t, refusals(t, table, path, nil), path)
		if f.Kind == tree.List {
			require.Empty(t, refusals(t, table, path, []any{}), path)
		}
		if f.Kind == tree.Object {
			require.Empty(t, refusals(t, table, path, map[string]any{}), path)
		}
	})
}
