package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// usedByThisPackage are the fields that no type holds or no other package asks for,
// each with where it is used.
func usedByThisPackage() map[string]string {
	const scope, kept = "Scope, by loader.scope", "kept for the Admin API and conversions"
	return map[string]string{
		"_config": "loader.withShared", "name": "loader.pluginEntry", "protocols": "checker.protocols",
		"consumer": scope, "consumer_group": scope, "route": scope, "service": scope,
		"id": "Plugin.ID", "instance_name": "Plugin.InstanceName", "enabled": "index.plugins", "tags": "Plugin.Tags",
		"created_at": kept, "updated_at": kept, "run_on": kept,
	}
}

// selected returns the names behind a dot in the code of the packages that use the
// configuration: those of the fields they read among them.
func selected(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if path != ".." && (strings.HasPrefix(entry.Name(), ".") || path == filepath.Join("..", "config") || path == filepath.Join("..", "test")) {
				return fs.SkipDir
			}
			return nil
		case !strings.HasSuffix(path, ".go"), strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				names[s.Sel.Name] = true
			}
			return true
		})
		return nil
	})
	require.NoError(t, err)
	return names
}

// refusals returns what the support table says about a value at a path.
func refusals(t *testing.T, table *spec, path string, value any) Faults {
	t.Helper()
	var c checker
	n := tree(t, withValue(path, value))
	c.supported(table, place{n: n, pos: n.pos})
	return c.faults
}

// TestEveryFieldIsEitherUsedOrRefused says of each field of the schema that a value
// other than its default is refused, or that a type of this package holds it and another
// package reads it there. What the schema gains fails it until one of both is so.
func TestEveryFieldIsEitherUsedOrRefused(t *testing.T) {
	table := newestTable(t)
	held, read, here := modelFields(t, table.fields["config"]), selected(t), usedByThisPackage()
	fields, used := 0, 0
	eachField(table, "", func(path string, s *spec) {
		if s.fields != nil || s.item != nil && s.item.fields != nil {
			return
		}
		fields++
		if everyValueRefused(t, table, path, s) {
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
		require.True(t, read[name], "%s is neither refused nor read, as %s, outside of this package", path, name)
	})
	require.Empty(t, here, "no such fields")
	require.Greater(t, fields, 180)
	require.Greater(t, used, 60)
}

// everyValueRefused reports whether a field may only have its default.
func everyValueRefused(t *testing.T, table *spec, path string, s *spec) bool {
	t.Helper()
	values := goodValues(s)
	if s.freeForm {
		values = []any{map[string]any{"a": 1}}
	}
	if path == "partials" {
		values = []any{[]any{map[string]any{"id": "x"}}}
	}
	other := slices.DeleteFunc(values, func(v any) bool { return !differs(s, tree(t, v)) })
	require.NotEmpty(t, other, path)
	return !slices.ContainsFunc(other, func(v any) bool { return len(refusals(t, table, path, v)) == 0 })
}

func TestEveryAllowedValueIsEitherDoneOrRefused(t *testing.T) {
	table := newestTable(t)
	for path, done := range map[string][]string{
		"config.balancer.algorithm":                     {"priority", "round-robin", "semantic"},
		"config.balancer.latency_strategy":              {"tpot"},
		"config.balancer.tokens_count_strategy":         {"total-tokens"},
		"config.embeddings.model.provider":              {"mistral", "openai"},
		"config.genai_category":                         {"text/generation"},
		"config.llm_format":                             {"openai"},
		"config.targets[].model.options.mistral_format": {"openai"},
		"config.targets[].model.provider":               {"azure", "cerebras", "dashscope", "deepseek", "mistral", "openai", "vllm", "xai"},
		"config.targets[].route_type":                   {"llm/v1/chat", "llm/v1/completions"},
		"config.vectordb.strategy":                      {"redis"},
	} {
		var accepted []string
		for _, value := range table.find(path).allowed {
			if len(refusals(t, table, path, value)) == 0 {
				accepted = append(accepted, value)
			}
		}
		require.Equal(t, done, accepted, path)
	}
}

func TestDefaultsAreNeverRefused(t *testing.T) {
	table := newestTable(t)
	eachField(table, "", func(path string, s *spec) {
		if strings.Contains(strings.TrimPrefix(path, "config.targets[]"), "[]") || strings.HasPrefix(path, "config.acls.") {
			return // An element of a refused list is refused, whatever is in it.
		}
		if s.fallback != nil {
			require.Empty(t, refusals(t, table, path, s.fallback), path)
		}
		require.Empty(t, refusals(t, table, path, nil), path)
		if s.kind == kindList {
			require.Empty(t, refusals(t, table, path, []any{}), path)
		}
		if s.kind == kindObject {
			require.Empty(t, refusals(t, table, path, map[string]any{}), path)
		}
	})
}

func TestEveryRowOfTheSupportTableNamesAField(t *testing.T) {
	table := newestTable(t)
	for _, u := range supportTable() {
		s := table.find(u.path)
		require.NotNil(t, s, u.path)
		if u.value != "" {
			require.Contains(t, s.allowed, u.value)
		}
	}
}
