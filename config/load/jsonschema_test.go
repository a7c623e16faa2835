package load_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
	"semlb/config/schema"
	"semlb/config/tree"
)

// compiled is the JSON Schema of files of a format.
func compiled(t *testing.T, format string) *jsonschema.Schema {
	t.Helper()
	raw, err := load.JSONSchema(format, "")
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("semlb.json", document))
	s, err := c.Compile("semlb.json")
	require.NoError(t, err)
	return s
}

// violations returns what the schema of a format has against a text: where, and the
// keyword.
func violations(t *testing.T, format, text string) []string {
	t.Helper()
	roots, faults := tree.NewDocument("a.yaml", []byte(text)).Parse()
	require.Nil(t, faults)
	var wrong []string
	for _, root := range roots {
		var invalid *jsonschema.ValidationError
		if errors.As(compiled(t, format).Validate(root.Value()), &invalid) {
			wrong = append(wrong, leaves(invalid)...)
		}
	}
	slices.Sort(wrong)
	return wrong
}

// leaves are the innermost violations. Of alternatives, only that none matches is told.
func leaves(e *jsonschema.ValidationError) []string {
	keyword := strings.Join(e.ErrorKind.KeywordPath(), " ")
	if len(e.Causes) == 0 || keyword == "anyOf" {
		return []string{"/" + strings.Join(e.InstanceLocation, "/") + " " + keyword}
	}
	var all []string
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}

func TestExamplesAreValidByTheSchema(t *testing.T) {
	t.Parallel()
	for dir, format := range map[string]string{"deck": "deck", "kubernetes": "kubernetes"} {
		files, err := filepath.Glob("../../examples/" + dir + "/*.yaml")
		require.NoError(t, err)
		require.Len(t, files, 5)
		for _, file := range files {
			sources, err := load.ReadFiles(t.Context(), file)
			require.NoError(t, err)
			require.Empty(t, violations(t, format, string(sources[0].Data)), file)
		}
	}
	require.Empty(t, violations(t, "deck", strings.NewReplacer("enabled: no", "enabled: false", "ssl: on", "ssl: true").Replace(configtest.ManyFields)))
	require.Empty(t, violations(t, "deck", configtest.EveryEntity))
	require.Empty(t, violations(t, "deck", "plugins: [{name: http-log, anything: 1}, {name: cors, config: {origins: [a]}}]\n_plugin_configs: {a: {}}"))
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
		"plugin: []": "/ additionalProperties",
		"plugins: [{name: ai-proxy-advanced, x: 1}]":                                          "/plugins/0 additionalProperties",
		configtest.Minimal + "      weight: 70000":                                            "/plugins/0/config/targets/0/weight anyOf",
		configtest.Minimal + "      wheight: 1":                                               "/plugins/0/config/targets/0 additionalProperties",
		configtest.Minimal + "    balancer: {algorithm: lowest-usage}":                        "/plugins/0/config/balancer/algorithm anyOf",
		configtest.Minimal + "    balancer: {algorithm: round-robin, failover_criteria: [x]}": "/plugins/0/config/balancer/failover_criteria/0 anyOf",
		"plugins: [{name: ai-proxy-advanced, config: {targets: []}}]":                         "/plugins/0/config/targets minItems",
		"plugins: [{name: ai-proxy-advanced, config: {}}]":                                    "/plugins/0/config required",
		"plugins: [{name: key-auth, config: {key_name: [a]}}]":                                "/plugins/0/config additionalProperties",
		"services: [{name: a, routes: [{paths: /}]}]":                                         "/services/0/routes/0/paths type",
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
	plugin := root["$defs"].(map[string]any)[schema.PluginName].(map[string]any)
	fields := 0
	fieldsBelow(newestTables(t).Plugin, "", func(path string, _ *schema.Field) {
		fields++
		at := plugin
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

// withNulls returns a value with null for every field that it lacks and that need not be
// given, as answers of the Admin API have it.
func withNulls(f *schema.Field, value any) any {
	switch value := value.(type) {
	case map[string]any:
		full := maps.Clone(value)
		for name, child := range f.Fields {
			_, given := value[name]
			switch {
			case given:
				full[name] = withNulls(child, value[name])
			case child.NewSince == "" && !child.MustBeGiven():
				full[name] = nil
			}
		}
		return full
	case []any:
		all := make([]any, len(value))
		for i, item := range value {
			all[i] = item
			if f.Elements != nil {
				all[i] = withNulls(f.Elements, item)
			}
		}
		return all
	default:
		return value
	}
}

// TestTheSchemaAgreesWithLoadingOnNulls has dumps of the Admin API and of decK in which
// every field that is not set is null.
func TestTheSchemaAgreesWithLoadingOnNulls(t *testing.T) {
	t.Parallel()
	tables := newestTables(t)
	agree := func(format, name string, value any) {
		text, err := json.Marshal(value)
		require.NoError(t, err)
		_, _, err = load.Sources([]load.Source{{Name: "a.json", Data: text}}, load.Options{Env: configtest.AnyVariable})
		require.NoError(t, err, name)
		require.Empty(t, violations(t, format, string(text)), name)
	}
	for _, scope := range []string{"global", "service", "route", "consumer", "consumer_group"} {
		var body any
		require.NoError(t, json.Unmarshal(configtest.BodyOf(t, "../../examples/admin-api/"+scope+".sh"), &body))
		plugin := withNulls(tables.Plugin, body)
		agree("admin-api", scope, plugin)
		agree("admin-api", "a list of "+scope, map[string]any{"data": []any{plugin, map[string]any{"name": "file-log", "config": map[string]any{"path": "x"}}}, "next": nil, "offset": nil})
		agree("kubernetes", scope, map[string]any{
			"apiVersion": "configuration.konghq.com/v1", "kind": "KongPlugin", "metadata": map[string]any{"name": "p"}, "plugin": schema.PluginName,
			"config": plugin.(map[string]any)["config"], "configFrom": nil, "configPatches": nil, "disabled": nil, "instance_name": nil, "protocols": nil, "ordering": nil,
		})
		agree("deck", scope, map[string]any{"_format_version": nil, "plugins": []any{plugin}, "services": nil, "_plugin_configs": map[string]any{}})
	}
	entities := map[string]any{"_format_version": "3.0"}
	for kind, body := range map[string]any{
		config.KindService: map[string]any{"name": "s"}, config.KindRoute: map[string]any{"name": "r", "paths": []any{"/x"}},
		config.KindConsumer: map[string]any{"username": "u"}, config.KindConsumerGroup: map[string]any{"name": "g"},
	} {
		entities[kind+"s"] = []any{withNulls(tables.Entities[kind], body)}
	}
	agree("deck", "entities", entities)
}

// TestTheSchemaAgreesWithLoadingOnTheDocuments: what loads is valid.
func TestTheSchemaAgreesWithLoadingOnTheDocuments(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	seen := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range block.FindAllStringSubmatch(string(text), -1) {
			format := map[bool]string{true: "deck", false: "kubernetes"}[strings.Contains(m[1], "_format_version")]
			if format == "kubernetes" && !strings.Contains(m[1], "apiVersion:") {
				continue
			}
			if _, _, err := load.Sources([]load.Source{{Name: "a.yaml", Data: []byte(m[1])}}, load.Options{Env: configtest.AnyVariable}); err != nil {
				continue
			}
			require.Empty(t, violations(t, format, m[1]), "%s: %s", file, m[1])
			seen++
		}
	}
	require.Greater(t, seen, 15)
}
