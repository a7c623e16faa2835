package load_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
	"semlb/config/load"
	"semlb/config/schema"
	"semlb/config/tree"
)

// validator checks values by the part of JSON Schema that is written here.
type validator struct{ root map[string]any }

// check returns what is wrong with a value.
func (v validator) check(path string, schema map[string]any, value any) []string {
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, path+": "+fmt.Sprintf(format, args...)) }
	for _, keyword := range []string{"type", "const", "enum", "minimum", "maximum", "minLength", "minItems", "pattern"} {
		if limit, ok := schema[keyword]; ok && !holds(keyword, limit, value) {
			say("%s %v", keyword, limit)
		}
	}
	if ref, ok := schema["$ref"].(string); ok {
		defs := v.root["$defs"].(map[string]any)
		wrong = append(wrong, v.check(path, defs[filepath.Base(ref)].(map[string]any), value)...)
	}
	if either, ok := schema["anyOf"].([]any); ok {
		if !slices.ContainsFunc(either, func(s any) bool { return len(v.check(path, s.(map[string]any), value)) == 0 }) {
			say("anyOf")
		}
	}
	if condition, ok := schema["if"].(map[string]any); ok {
		next := "else"
		if len(v.check(path, condition, value)) == 0 {
			next = "then"
		}
		if branch, ok := schema[next].(map[string]any); ok {
			wrong = append(wrong, v.check(path, branch, value)...)
		}
	}
	switch value := value.(type) {
	case map[string]any:
		wrong = append(wrong, v.object(path, schema, value)...)
	case []any:
		for i, item := range value {
			if items, ok := schema["items"].(map[string]any); ok {
				wrong = append(wrong, v.check(fmt.Sprintf("%s[%d]", path, i), items, item)...)
			}
		}
	}
	return wrong
}

func (v validator) object(path string, schema map[string]any, value map[string]any) []string {
	var wrong []string
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if value[name.(string)] == nil {
			wrong = append(wrong, path+": required "+name.(string))
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, child := range value {
		if p, known := properties[name].(map[string]any); known {
			wrong = append(wrong, v.check(path+"."+name, p, child)...)
		} else if schema["additionalProperties"] == false {
			wrong = append(wrong, path+": unknown "+name)
		}
	}
	return wrong
}

func holds(keyword string, limit, value any) bool {
	number, isNumber := value.(float64)
	text, isText := value.(string)
	list, isList := value.([]any)
	switch keyword {
	case "type":
		is := map[string]bool{"boolean": reflect.TypeOf(value) == reflect.TypeFor[bool](), "number": isNumber, "string": isText, "array": isList}
		_, is["object"] = value.(map[string]any)
		is["integer"] = isNumber && number == math.Trunc(number)
		return is[limit.(string)]
	case "const":
		return reflect.DeepEqual(limit, value)
	case "enum":
		return slices.ContainsFunc(limit.([]any), func(one any) bool { return reflect.DeepEqual(one, value) })
	case "minimum":
		return !isNumber || number >= limit.(float64)
	case "maximum":
		return !isNumber || number <= limit.(float64)
	case "minLength":
		return !isText || float64(len(text)) >= limit.(float64)
	case "minItems":
		return !isList || float64(len(list)) >= limit.(float64)
	default:
		return !isText || regexp.MustCompile(limit.(string)).MatchString(text)
	}
}

// violations returns what the schema of a format has against a text.
func violations(t *testing.T, format string, text string) []string {
	t.Helper()
	raw, err := load.JSONSchema(format, "")
	require.NoError(t, err)
	v := validator{}
	require.NoError(t, json.Unmarshal(raw, &v.root))
	roots, faults := tree.NewDocument("a.yaml", []byte(text)).Parse()
	require.Nil(t, faults)
	var wrong []string
	for _, root := range roots {
		wrong = append(wrong, v.check("", v.root, root.Value())...)
	}
	return wrong
}

func TestExamplesAreValidByTheSchema(t *testing.T) {
	t.Parallel()
	for dir, format := range map[string]string{"deck": "deck", "kubernetes": "kubernetes"} {
		files, err := filepath.Glob("../../examples/" + dir + "/*.yaml")
		require.NoError(t, err)
		require.Len(t, files, 5)
		for _, file := range files {
			sources, err := load.ReadFiles(file)
			require.NoError(t, err)
			require.Empty(t, violations(t, format, string(sources[0].Data)), file)
		}
	}
	require.Empty(t, violations(t, "deck", strings.NewReplacer("enabled: no", "enabled: false", "ssl: on", "ssl: true").Replace(configtest.ManyFields)))
	require.Empty(t, violations(t, "deck", configtest.EveryEntity))
	require.Empty(t, violations(t, "deck", "plugins: [{name: cors, anything: 1}]\n_plugin_configs: {a: {}}"))
	require.Empty(t, violations(t, "deck", "_format_version: \"2.1\"\n_ignore: [1]\nvaults: [{name: env, prefix: v, config: {prefix: P_}}]\nroutes: [{name: a, _comment: x}]\n"+
		"consumers: [{username: a, keyauth_credentials: [{key: k, _ignore: [x]}]}]\nplugins: [{name: ai-proxy-advanced, _comment: x, config: {targets: [{route_type: llm/v1/chat, model: {provider: openai}}]}}]"))
	require.Empty(t, violations(t, "kubernetes", configtest.ClusterFile))
	require.Empty(t, violations(t, "admin-api", string(configtest.BodyOf(t, "../../examples/admin-api/global.sh"))))
	// What conversions write is valid as well.
	all := conversions()
	maps.Copy(all, exampleFiles(t))
	for name, source := range all {
		require.Empty(t, violations(t, "deck", string(convert(t, source, "deck"))), name)
		if name != "script" {
			require.Empty(t, violations(t, "kubernetes", string(convert(t, source, "kubernetes"))), name)
		}
	}
}

func TestTheSchemaRefusesWhatLoadingRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"plugin: []": ": unknown plugin",
		"plugins: [{name: ai-proxy-advanced, x: 1}]":                                          ".plugins[0]: unknown x",
		configtest.Minimal + "      weight: 70000":                                            ".plugins[0].config.targets[0].weight: anyOf",
		configtest.Minimal + "      wheight: 1":                                               ".plugins[0].config.targets[0]: unknown wheight",
		configtest.Minimal + "    balancer: {algorithm: lowest-usage}":                        ".plugins[0].config.balancer.algorithm: anyOf",
		configtest.Minimal + "    balancer: {algorithm: round-robin, failover_criteria: [x]}": ".plugins[0].config.balancer.failover_criteria[0]: anyOf",
		"plugins: [{name: ai-proxy-advanced, config: {targets: []}}]":                         ".plugins[0].config.targets: minItems 1",
		"plugins: [{name: ai-proxy-advanced, config: {}}]":                                    ".plugins[0].config: required targets",
		"services: [{name: a, routes: [{paths: /}]}]":                                         ".services[0].routes[0].paths: type array",
	} {
		require.Equal(t, []string{want}, violations(t, "deck", text))
	}
	_, err := load.JSONSchema("xml", "")
	require.EqualError(t, err, `schema of "xml": want deck, kubernetes or admin-api`)
}

// TestTheSchemaHasEveryField says that nothing of the tables lacks.
func TestTheSchemaHasEveryField(t *testing.T) {
	raw, err := load.JSONSchema("admin-api", "")
	require.NoError(t, err)
	var root map[string]any
	require.NoError(t, json.Unmarshal(raw, &root))
	fields := 0
	fieldsBelow(newestTables(t).Plugin, "", func(path string, _ *schema.Field) {
		fields++
		at := root
		for _, step := range regexp.MustCompile(`[^.\[\]]+|\[\]`).FindAllString(path, -1) {
			if step == "[]" {
				at, _ = at["items"].(map[string]any)
				continue
			}
			properties, _ := at["properties"].(map[string]any)
			at, _ = properties[step].(map[string]any)
			require.NotNil(t, at, path)
		}
	})
	require.Greater(t, fields, 200)
}
