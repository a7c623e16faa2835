package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// everyWayToPrint returns what a value looks like in all the ways a program may
// come to write it.
func everyWayToPrint(t *testing.T, value any) string {
	t.Helper()
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%p", "%T"} {
		fmt.Fprintf(&out, verb+"\n", value)
	}
	data, err := json.Marshal(value)
	require.NoError(t, err)
	out.Write(data)
	data, err = yaml.Marshal(value)
	require.NoError(t, err)
	out.Write(data)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "value", value)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "value", value)
	return out.String()
}

func TestASecretIsSeenOnlyWhenRevealed(t *testing.T) {
	s := NewSecret(marker)
	type inside struct{ hidden Secret }
	for _, value := range []any{
		s, &s, []Secret{s}, map[string]Secret{"a": s}, inside{s}, &inside{s}, []inside{{s}},
	} {
		got := everyWayToPrint(t, value)
		require.NotContains(t, got, marker)
		require.NotContains(t, strings.ToLower(got), fmt.Sprintf("%x", marker))
	}
	require.Equal(t, "[redacted]", fmt.Sprint(s))
	require.Equal(t, marker, s.Reveal())
	require.True(t, s.Equal(NewSecret(marker)))
	require.False(t, s.Equal(NewSecret("another")))
	require.True(t, NewSecret("").IsZero())
	require.Equal(t, Secret{}, NewSecret(""))
	require.Empty(t, Secret{}.Reveal())
}

// TestNoSecretOfAnyFieldIsSeen plants a marker in every field that may hold a
// credential, in ways that load and in ways that do not.
func TestNoSecretOfAnyFieldIsSeen(t *testing.T) {
	table := newestTable(t)
	planted := 0
	eachField(table, "", func(path string, s *spec) {
		if !s.hidden || s.kind == kindObject {
			return
		}
		planted++
		for _, value := range []any{
			marker, []any{marker}, map[string]any{marker + " a": marker}, marker + "\n", "{vault://" + marker + "}",
		} {
			plugin := withValue(path, value).(map[string]any)
			plugin["name"] = pluginName
			data, err := json.Marshal(map[string]any{"plugins": []any{plugin}})
			require.NoError(t, err)
			c, warnings, err := Load([]Source{{Name: "kong.json", Data: data}}, Options{})
			require.Error(t, err, path)
			require.NotContains(t, everyWayToPrint(t, c)+everyWayToPrint(t, warnings)+everyWayToPrint(t, err)+err.Error(), marker, path)
			require.NotContains(t, everyWayToPrint(t, []error{err}), marker, path)
		}
		if s.secret {
			var settings AIProxyAdvanced
			decode(table, tree(t, withValue(path, marker)), reflect.ValueOf(&struct {
				S *AIProxyAdvanced `kong:"config"`
			}{&settings}).Elem())
		}
	})
	require.Greater(t, planted, 30)
}

// TestNoSecretOfTheModelIsSeen prints a model in which every secret is set.
func TestNoSecretOfTheModelIsSeen(t *testing.T) {
	table := newestTable(t).fields["config"]
	secrets := 0
	eachField(table, "", func(path string, s *spec) {
		if !s.secret {
			return
		}
		secrets++
		p := Plugin{Name: pluginName}
		decode(table, tree(t, withValue(path, marker)), reflect.ValueOf(&p.Settings).Elem())
		got := everyWayToPrint(t, p) + everyWayToPrint(t, &Config{Plugins: []Plugin{p}}) +
			everyWayToPrint(t, p.Settings.Embeddings) + everyWayToPrint(t, p.Settings.VectorDB)
		require.NotContains(t, got, marker, path)
		require.Equal(t, 1, revealed(reflect.ValueOf(p.Settings)), path)
	})
	require.GreaterOrEqual(t, secrets, 24)
}

// revealed counts the secrets below v that hold the marker.
func revealed(v reflect.Value) int {
	if s, ok := v.Interface().(Secret); ok {
		if s.Reveal() == marker {
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
	env := environment(map[string]string{"MY_KEY": "sk-1", "REDIS_PORT": "7000", "DECK_DOLLAR": "$MY_KEY", "EMPTY": ""})
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
			c := load(t, minimal+"      auth: {header_name: Authorization, header_value: "+written+"}\n", Options{Env: env})
			require.Equal(t, want, c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal())
		})
	}
	c := load(t, minimal+`    vectordb: {strategy: redis, dimensions: 3, distance_metric: cosine, redis: {port: "{vault://env/redis-port}"}}`, Options{Env: env})
	require.Equal(t, 7000, c.Plugins[0].Settings.VectorDB.Redis.Port)
}

func TestReferencesThatCannotBeFilledInAreFaults(t *testing.T) {
	env := environment(map[string]string{"EMPTY": "", "PORT": marker})
	for written, want := range map[string]string{
		"      auth: {header_name: A, header_value: Bearer $KEY}":                                                             "kong.yaml:7: plugins[0].config.targets[0].auth.header_value: KEY is not set: export KEY=…",
		"      auth: {header_name: A, header_value: Bearer $EMPTY}":                                                           "kong.yaml:7: plugins[0].config.targets[0].auth.header_value: EMPTY is empty: export EMPTY=…",
		"      auth: {header_name: A, header_value: 'x {vault://env/a}'}":                                                     "kong.yaml:7: plugins[0].config.targets[0].auth.header_value: a vault reference must be the whole value",
		"      auth: {header_name: A, header_value: '{vault://env/a/b}'}":                                                     "kong.yaml:7: plugins[0].config.targets[0].auth.header_value: got a malformed vault reference, want the form {vault://env/my-key}",
		"      auth: {header_name: A, header_value: '{vault://hcv/a}'}":                                                       "kong.yaml:7: plugins[0].config.targets[0].auth.header_value: not supported yet: a vault other than env",
		"      description: '{vault://env/port}'":                                                                             "kong.yaml:7: plugins[0].config.targets[0].description: got a vault reference, which the field does not take",
		"    vectordb: {strategy: redis, dimensions: 3, distance_metric: cosine,\n      redis: {port: '{vault://env/port}'}}": "kong.yaml:8: plugins[0].config.vectordb.redis.port: got a string [redacted], want 0 to 65535",
	} {
		_, _, err := Load([]Source{{Name: "kong.yaml", Data: []byte(minimal + written)}}, Options{Env: env})
		require.EqualError(t, err, want)
	}
}
