package load_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

// bindingOfExamples binds the examples of Kubernetes that are left to be bound.
func bindingOfExamples() load.Source {
	return load.Source{Name: "binding.yaml", Data: []byte(configtest.Resource("Service", "llm", "konghq.com/plugins: ai-proxy-advanced", ""))}
}

// exampleFiles are the 30 examples, by their paths.
func exampleFiles(t *testing.T) map[string][]load.Source {
	t.Helper()
	files, err := filepath.Glob("../../examples/*/*.*")
	require.NoError(t, err)
	all := map[string][]load.Source{}
	for _, file := range files {
		name := strings.TrimPrefix(file, "../../examples/")
		all[name], err = load.ReadFiles(t.Context(), file)
		require.NoError(t, err)
	}
	require.Len(t, all, 30)
	return all
}

// TestEveryExampleConvertsToEveryFormat says that what comes out is what went in. An
// example that is not attached to anything is the same once both are bound, or where the format
// cannot say so, is disabled.
func TestEveryExampleConvertsToEveryFormat(t *testing.T) {
	t.Parallel()
	unbound := 0
	for name, source := range exampleFiles(t) {
		want, _, err := load.Sources(source, load.Options{Env: configtest.AnyVariable})
		require.NoError(t, err)
		if len(want.Plugins) == 0 {
			unbound++
		}
		t.Run(name, func(t *testing.T) {
			for _, to := range load.Writable() {
				if len(want.Plugins) > 0 {
					requireSame(t, want, convert(t, source, to), to)
					continue
				}
				requireSameUnbound(t, source, to)
			}
		})
	}
	require.Equal(t, 5, unbound, "four resources and the script whose routes have no names")
}

// requireSameUnbound converts what is not attached to anything.
func requireSameUnbound(t *testing.T, source []load.Source, to string) {
	t.Helper()
	want, _, err := load.Sources(append(source[:1:1], bindingOfExamples()), load.Options{Env: configtest.AnyVariable})
	require.NoError(t, err)
	out := convert(t, source, to)
	if to == "kubernetes" {
		got, _, err := load.Sources(append(sourceOf(to, out), bindingOfExamples()), load.Options{Env: configtest.AnyVariable})
		require.NoError(t, err)
		requireEqual(t, want, got, to)
		return
	}
	got, _, err := load.Sources(sourceOf(to, out), load.Options{Env: configtest.AnyVariable})
	require.NoError(t, err)
	want.Services, want.Plugins[0].Scope, want.Plugins[0].Enabled = nil, config.Scope{}, false
	requireEqual(t, want, got, to)
}

func TestWhatIsBoundToNothingStaysSoOrIsDisabled(t *testing.T) {
	plugin := func(name string) string {
		return configtest.Resource("KongPlugin", name, "", "plugin: ai-proxy-advanced"+configtest.PluginConfig)
	}
	source := []load.Source{{Name: "a.yaml", Data: []byte(plugin("one") + plugin("two") + plugin("three") + configtest.Resource("Service", "s", "konghq.com/plugins: three", ""))}}
	out, warnings, err := load.Convert(source, "deck", load.Options{})
	require.NoError(t, err)
	require.Equal(t, []string{
		`KongPlugin "one" is not attached to anything; it becomes a disabled global instance`,
		`KongPlugin "two" is not attached to anything; it is omitted, because there is a global instance already`,
	}, []string{warnings[2].String(), warnings[3].String()})
	c := configtest.Load(t, string(out), load.Options{})
	require.Equal(t, []config.Scope{{}, {Service: "kong/s"}}, configtest.ScopesOf(c))
	require.Equal(t, []bool{false, true}, []bool{c.Plugins[0].Enabled, c.Plugins[1].Enabled})

	out, _, err = load.Convert(source, "kubernetes", load.Options{})
	require.NoError(t, err)
	_, warnings, err = load.Sources(sourceOf("kubernetes", out), load.Options{})
	require.NoError(t, err)
	require.Len(t, configtest.BesideReach(warnings), 2)
	require.Contains(t, warnings[0].Text, `KongPlugin "one" is not attached to anything`)
	require.Contains(t, warnings[1].Text, `KongPlugin "two" is not attached to anything`)
}

const configInSecret = `
apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: {name: p, labels: {global: "true"}}
plugin: ai-proxy-advanced
configFrom: {secretKeyRef: {namespace: kong, name: whole, key: config}}
configPatches:
- {path: /targets/0/logging, valueFrom: {secretKeyRef: {namespace: kong, name: more, key: logging}}}
- {path: /targets/1, valueFrom: {secretKeyRef: {namespace: kong, name: more, key: target}}}
---
apiVersion: v1
kind: Secret
metadata: {name: whole, namespace: kong}
stringData:
  config: |
    targets:
    - route_type: llm/v1/chat
      description: "sold for $1"
      model: {provider: openai, name: m}
      auth: {header_name: Authorization, header_value: sk-WHOLE_CONFIG_TARGETS_0_AUTH_HEADER_VALUE}
---
apiVersion: v1
kind: Secret
metadata: {name: more, namespace: kong}
stringData:
  logging: "{log_statistics: true}"
  target: |
    route_type: llm/v1/chat
    model: {provider: openai, name: n}
    auth: {param_name: k, param_location: query, param_value: sk-MORE_TARGET_AUTH_PARAM_VALUE}
`

func TestConfigsOfSecretsBecomeVariables(t *testing.T) {
	source := []load.Source{{Name: "a.yaml", Data: []byte(configInSecret)}}
	want, _, err := load.Sources(source, load.Options{Env: configtest.AnyVariable})
	require.NoError(t, err)
	for _, first := range load.Writable() {
		out := convert(t, source, first) // it says that no value is in it
		requireSame(t, want, out, first)
		require.Contains(t, strings.ToUpper(string(out)), "MORE_TARGET_AUTH_PARAM_VALUE")
		for _, second := range load.Writable() {
			requireSame(t, want, convert(t, sourceOf(first, out), second), second, first)
		}
	}
	_, warnings, err := load.Convert(source, "deck", load.Options{})
	require.NoError(t, err)
	require.Equal(t, "a.yaml:6: configFrom.secretKeyRef: the value of the secret becomes the variable WHOLE_CONFIG_TARGETS_0_AUTH_HEADER_VALUE", warnings[0].String())
}

func TestConversionsReadMountedSecrets(t *testing.T) {
	out, _, err := load.Convert([]load.Source{{Name: "a.yaml", Data: []byte(configtest.MountedCluster)}}, "deck", load.Options{SecretsDir: configtest.MountedSecrets(t)})
	require.NoError(t, err)
	require.NotContains(t, string(out), configtest.Marker)
	for _, want := range []string{`{{ env "DECK_OPENAI_HEADER" }}`, `{{ env "DECK_WHOLE_CONFIG_TARGETS_0_AUTH_HEADER_VALUE" }}`, `{{ env "DECK_ONE_KEY" }}`, `{{ env "DECK_TWO_PASSWORD" }}`} {
		require.Contains(t, string(out), want)
	}
}
