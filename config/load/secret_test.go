package load_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
	"semlb/wire"
)

// fieldsBelow calls visit for every field below f with its path, lists followed by "[]".
func fieldsBelow(f *schema.Field, path string, visit func(path string, f *schema.Field)) {
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		child, at := f.Fields[name], report.Join(path, name)
		visit(at, child)
		fieldsBelow(child, at, visit)
		if child.Elements != nil {
			fieldsBelow(child.Elements, at+"[]", visit)
		}
	}
}

// withValue returns JSON that has nothing but a value at a path.
func withValue(path string, value any) map[string]any {
	segments := strings.Split(path, ".")
	for _, segment := range slices.Backward(segments) {
		name, isList := strings.CutSuffix(segment, "[]")
		if isList {
			value = []any{value}
		}
		value = map[string]any{name: value}
	}
	return value.(map[string]any)
}

func newestTables(t *testing.T) *schema.Tables {
	t.Helper()
	tables, err := schema.For("")
	require.NoError(t, err)
	return tables
}

// TestNoSecretOfAnyFieldIsSeen plants a marker in every field that may hold a
// credential, in ways that load and in ways that do not.
func TestNoSecretOfAnyFieldIsSeen(t *testing.T) {
	planted := 0
	fieldsBelow(newestTables(t).Plugin, "", func(path string, f *schema.Field) {
		if !f.Hidden || f.Kind == tree.Object {
			return
		}
		planted++
		for _, value := range []any{
			configtest.Marker,
			[]any{configtest.Marker},
			map[string]any{configtest.Marker + " a": configtest.Marker},
			configtest.Marker + "\n", "{vault://" + configtest.Marker + "}",
		} {
			plugin := withValue(path, value)
			plugin["name"] = schema.PluginName
			data, err := json.Marshal(map[string]any{"plugins": []any{plugin}})
			require.NoError(t, err)
			c, warnings, err := load.Sources([]load.Source{{Name: "kong.json", Data: data}}, load.Options{})
			require.Error(t, err, path)
			for _, printed := range []any{c, warnings, err, []error{err}} {
				require.NotContains(t, configtest.EveryWayToPrint(t, printed), configtest.Marker, path)
			}
			require.NotContains(t, err.Error(), configtest.Marker, path)
		}
	})
	require.Greater(t, planted, 30)
}

// TestNoSecretOfTheModelIsSeen prints a model in which every secret is set.
func TestNoSecretOfTheModelIsSeen(t *testing.T) {
	settings := newestTables(t).Settings()
	secrets := 0
	fieldsBelow(settings, "", func(path string, f *schema.Field) {
		if !f.Secret {
			return
		}
		secrets++
		data, err := json.Marshal(withValue(path, configtest.Marker))
		require.NoError(t, err)
		n, faults := tree.NewDocument("test.json", data).ParseJSON()
		require.Empty(t, faults)
		p := config.Plugin{Name: schema.PluginName}
		settings.Decode(n, &p.Settings)
		for _, printed := range []any{p, &config.Config{Plugins: []config.Plugin{p}}, p.Settings.Embeddings, p.Settings.VectorDB} {
			require.NotContains(t, configtest.EveryWayToPrint(t, printed), configtest.Marker, path)
		}
		require.Equal(t, 1, revealed(reflect.ValueOf(p.Settings)), path)
	})
	require.GreaterOrEqual(t, secrets, 24)
}

// revealed counts the secrets below v that hold the marker.
func revealed(v reflect.Value) int {
	if s, ok := v.Interface().(wire.Secret); ok {
		if s.Reveal() == configtest.Marker {
			return 1
		}
		return 0
	}
	n := 0
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			n = revealed(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			n += revealed(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			n += revealed(v.Field(i))
		}
	}
	return n
}

func TestReferencesToTheEnvironmentAreFilledIn(t *testing.T) {
	env := configtest.Environment(map[string]string{"MY_KEY": "sk-1", "REDIS_PORT": "7000", "DECK_DOLLAR": "$MY_KEY", "EMPTY": ""})
	for written, want := range map[string]string{
		`Bearer $MY_KEY`:         "Bearer sk-1",
		`"Bearer ${MY_KEY}"`:     "Bearer sk-1",
		`"Bearer '$MY_KEY'"`:     "Bearer sk-1",
		`"{vault://env/my-key}"`: "sk-1",
		`"{vault://env/MY_KEY}"`: "sk-1",
		`pa$MY_KEY`:              "pa$MY_KEY",
		`$$MY_KEY`:               "$$MY_KEY",
		// What a variable holds is not looked into again.
		`${{ env "DECK_DOLLAR" }}`: "$MY_KEY",
	} {
		t.Run(written, func(t *testing.T) {
			c := configtest.Load(t, configtest.Minimal+"      auth: {header_name: Authorization, header_value: "+written+"}\n", load.Options{Env: env})
			require.Equal(t, want, c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal())
		})
	}
	c := configtest.Load(t, configtest.Minimal+`    vectordb: {strategy: redis, dimensions: 3, distance_metric: cosine, redis: {port: "{vault://env/redis-port}"}}`, load.Options{Env: env})
	require.Equal(t, 7000, c.Plugins[0].Settings.VectorDB.Redis.Port)
}

func TestReferencesThatCannotBeFilledInAreFaults(t *testing.T) {
	env := configtest.Environment(map[string]string{"EMPTY": "", "PORT": configtest.Marker})
	for written, want := range map[string]string{
		"      auth: {header_name: A, header_value: Bearer $KEY}":                                                             "kong.yaml:7: plugins[0].config.targets[0].auth.header_value: KEY is not set: export KEY=…",
		"      auth: {header_name: A, header_value: Bearer $EMPTY}":                                                           "kong.yaml:7: plugins[0].config.targets[0].auth.header_value: EMPTY is empty: export EMPTY=…",
		"      auth: {header_name: A, header_value: 'x {vault://env/a}'}":                                                     "kong.yaml:7: plugins[0].config.targets[0].auth.header_value: a vault reference must be the whole value",
		"      auth: {header_name: A, header_value: '{vault://hcv/a}'}":                                                       "kong.yaml:7: plugins[0].config.targets[0].auth.header_value: not supported yet: a vault other than env",
		"      description: '{vault://env/port}'":                                                                             "kong.yaml:7: plugins[0].config.targets[0].description: got a vault reference, which this field does not support",
		"    vectordb: {strategy: redis, dimensions: 3, distance_metric: cosine,\n      redis: {port: '{vault://env/port}'}}": "kong.yaml:8: plugins[0].config.vectordb.redis.port: got a string [redacted], want 0 to 65535",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.Minimal + written)}}, load.Options{Env: env})
		require.EqualError(t, err, want)
	}
}

// A dump of the Admin API is no configuration in which everyone knows the keys.
func TestTheStandInOfACredentialIsAFault(t *testing.T) {
	const what = ": got [redacted], which stands for a credential: the Admin API exports it with ?export=secrets"
	for text, path := range map[string]string{
		configtest.Minimal + "      auth: {header_name: Authorization, header_value: 'Bearer [redacted]'}": "kong.yaml:7: plugins[0].config.targets[0].auth.header_value",
		"consumers: [{username: a, keyauth_credentials: [{key: '[redacted]'}]}]":                           "kong.yaml:1: consumers[0].keyauth_credentials[0].key",
		"consumers: [{username: a, basicauth_credentials: [{username: u, password: '[redacted]'}]}]":       "kong.yaml:1: consumers[0].basicauth_credentials[0].password",
		"consumers: [{username: a, jwt_secrets: [{key: k, secret: '[redacted]'}]}]":                        "kong.yaml:1: consumers[0].jwt_secrets[0].secret",
	} {
		_, err := loadFile("kong.yaml", text, load.Options{})
		require.EqualError(t, err, path+what)
	}
}
