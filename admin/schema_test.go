package admin

import (
	"os"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/load"
	"semlb/config/schema"
	"semlb/wire"
)

// The model has a type for credentials, and the schema marks the fields.
func TestEveryCredentialOfTheModelIsRedacted(t *testing.T) {
	kinds, err := newKinds(load.Options{})
	require.NoError(t, err)
	found := 0
	for name, typ := range map[string]reflect.Type{
		plugins: reflect.TypeFor[config.AIProxyAdvanced](), keyAuths: reflect.TypeFor[config.KeyAuthCredential](),
		basicAuths: reflect.TypeFor[config.BasicAuthCredential](), jwtSecrets: reflect.TypeFor[config.JWTSecret](),
	} {
		f := kinds.named(name).fields
		if name == plugins {
			f = f.Fields["config"]
		}
		found += requireRedacted(t, name, f, typ)
	}
	require.Greater(t, found, 25)
}

// requireRedacted counts the credentials of a type, each of which must be a secret field.
func requireRedacted(t *testing.T, path string, f *schema.Field, typ reflect.Type) int {
	t.Helper()
	switch {
	case typ == reflect.TypeFor[wire.Secret]():
		require.NotNil(t, f, path)
		require.True(t, f.Secret, path)
		return 1
	case f == nil:
		require.Equal(t, reflect.String, typ.Kind(), path) // targets and embeddings share the type, and one of them lacks the field
		return 0
	case typ.Kind() == reflect.Pointer:
		return requireRedacted(t, path, f, typ.Elem())
	case typ.Kind() == reflect.Slice:
		return requireRedacted(t, path+"[]", f.Elements, typ.Elem())
	case typ.Kind() != reflect.Struct:
		return 0
	}
	n := 0
	for i := range typ.NumField() {
		if tag := typ.Field(i).Tag.Get("kong"); tag != "" && tag != "-" {
			n += requireRedacted(t, path+"."+tag, f.Fields[tag], typ.Field(i).Type)
		}
	}
	return n
}

// filled returns a record with the defaults of a published schema, as decK fills them in
// before it compares a file with the configuration in force. decK fills in records that are
// required or given.
func filled(fields []any, given object) object {
	out := object{}
	for name, v := range given {
		out[name] = v
	}
	for _, entry := range fields {
		for name, v := range entry.(object) {
			field := v.(object)
			below, _ := field["fields"].([]any)
			elements, _ := field["elements"].(object)
			each, ofRecords := elements["fields"].([]any)
			record, isRecord := given[name].(object)
			list, isList := given[name].([]any)
			switch {
			case field["type"] == "record" && (isRecord || field["required"] == true):
				out[name] = filled(below, record)
			case isList && ofRecords:
				all := []any{}
				for _, e := range list {
					all = append(all, filled(each, e.(object)))
				}
				out[name] = all
			case given[name] == nil:
				out[name] = field["default"]
			}
		}
	}
	return out
}

func TestDefaultsFilledInByDecKChangeNothing(t *testing.T) {
	example, err := os.ReadFile("../examples/deck/global.yaml")
	require.NoError(t, err)
	reading := load.Options{Env: variablesOf("DECK_OPENAI_API_KEY", "sk-x")}
	seed := serve(t, Options{Seed: []load.Source{{Name: "global.yaml", Data: example}}, Load: reading})
	asked, _ := seed.call("GET", "/config", "").object()["plugins"].([]any)
	require.NotEmpty(t, asked)
	whole, _ := asked[0].(object)["config"].(object)
	minimal, _ := parsed(t, aPlugin(""))["config"].(object)
	semantic := parsed(t, `{"balancer": {"algorithm": "semantic"},
		"embeddings": {"model": {"provider": "openai", "name": "m", "options": {"upstream_url": "http://e.test/v1/embeddings"}}},
		"vectordb": {"strategy": "redis", "distance_metric": "cosine", "dimensions": 8, "redis": {"host": "h"}},
		"targets": [{"route_type": "llm/v1/chat", "description": "d", "model": {"provider": "openai", "name": "m"}}]}`)
	for name, given := range map[string]object{"minimal": minimal, "semantic": semantic, "example": whole} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, Options{Token: wire.NewSecret("token"), Load: reading}).with("Kong-Admin-Token", "token")
			fields, _ := s.call("GET", "/schemas/plugins/ai-proxy-advanced", "").is(200).object()["fields"].([]any)
			var settings []any
			for _, entry := range fields {
				if config, ok := entry.(object)["config"].(object); ok {
					settings, _ = config["fields"].([]any)
				}
			}
			want := filled(settings, given)
			body := string(toJSON(object{"name": "ai-proxy-advanced", "config": want}, ""))
			got := s.call("POST", "/plugins?export=secrets", body).is(201).object()
			require.Equal(t, want, got["config"])
		})
	}
}

func parsed(t *testing.T, text string) object {
	t.Helper()
	v, err := parseJSON([]byte(text))
	require.NoError(t, err)
	o, ok := v.(object)
	require.True(t, ok)
	return o
}
