package load_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

func TestExamplesLoadAsWritten(t *testing.T) {
	env := configtest.Environment(map[string]string{"DECK_OPENAI_API_KEY": "sk-1"})
	for name, scope := range map[string]config.Scope{
		"global":         {},
		"service":        {Service: "serviceName|Id"},
		"route":          {Route: "routeName|Id"},
		"consumer":       {Consumer: "consumerName|Id"},
		"consumer_group": {ConsumerGroup: "consumerGroupName|Id"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("..", "..", "examples", "deck", name+".yaml")
			c, warnings, err := load.Files(load.Options{Env: env}, file)
			require.NoError(t, err)
			require.Empty(t, configtest.BesideReach(warnings))
			require.Len(t, c.Plugins, 1)
			require.Equal(t, scope, c.Plugins[0].Scope)
			require.Equal(t, config.Position{File: file, Line: 3, Column: 3}, c.Plugins[0].Position)
			configtest.RequireExample(t, c.Plugins[0])
		})
	}
}

func TestDefaultsAreThoseOfTheSchema(t *testing.T) {
	s := configtest.Load(t, configtest.Minimal, load.Options{}).Plugins[0].Settings
	require.Equal(t, config.RoundRobin, s.Balancer.Algorithm)
	require.Equal(t, 5, s.Balancer.Retries)
	require.Equal(t, []config.FailoverCriterion{config.OnError, config.OnTimeout}, s.Balancer.FailoverCriteria)
	require.Nil(t, s.Embeddings)
	require.Nil(t, s.VectorDB)
	require.Equal(t, int64(1<<20), s.MaxRequestBodySize)
	require.True(t, s.ModelNameHeader)
	require.Equal(t, config.StreamingAllow, s.ResponseStreaming)
	require.Equal(t, config.OptionsConfig, s.OptionsPrecedence)
	require.Equal(t, config.ModelReplace, s.ModelPolicy)
	require.Equal(t, 100, s.Targets[0].Weight)
	require.True(t, s.Targets[0].Model.Options.DashScope.International)
}

func TestOtherPluginsAreNamedInWarnings(t *testing.T) {
	_, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.Minimal + "- name: file-log\n- name: prometheus\nupstreams: [{name: u}]\n")}}, load.Options{})
	require.NoError(t, err)
	require.Len(t, warnings, 3)
	require.Equal(t, `kong.yaml:9: upstreams: ignored`, warnings[0].String())
	require.Equal(t, `kong.yaml:7: plugins[1].name: plugin "file-log" is not run`, warnings[1].String())
}

func TestAFileWithoutThePluginIsAWarning(t *testing.T) {
	c, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte("_format_version: '3.0'\n")}}, load.Options{})
	require.NoError(t, err)
	require.Empty(t, c.Plugins)
	require.Equal(t, "the configuration has no ai-proxy-advanced plugin", warnings[0].String())
}

func TestSharedBlocksGiveWhatAPluginLacks(t *testing.T) {
	text := `_plugin_configs:
  shared:
    model_name_header: false
    response_streaming: deny
    targets:
    - model: {provider: openai, name: shared}
      route_type: llm/v1/chat
plugins:
- name: ai-proxy-advanced
  _config: shared
- name: ai-proxy-advanced
  route: r
  _config: shared
  config:
    response_streaming: always
`
	c := configtest.Load(t, text, load.Options{})
	require.Equal(t, "shared", c.Plugins[0].Settings.Targets[0].Model.Name)
	require.Equal(t, config.StreamingDeny, c.Plugins[0].Settings.ResponseStreaming)
	require.Equal(t, config.StreamingAlways, c.Plugins[1].Settings.ResponseStreaming)
	require.False(t, c.Plugins[1].Settings.ModelNameHeader)
}

func TestNestedPluginsTakeTheirPlaceAsScope(t *testing.T) {
	const settings = `{targets: [{model: {provider: openai, name: m}, route_type: llm/v1/chat}]}`
	plugin := func(more string) string {
		return fmt.Sprintf("[{name: ai-proxy-advanced, config: %s%s}]", settings, more)
	}
	c := configtest.Load(t, `services:
- name: s1
  plugins: `+plugin("")+`
  routes:
  - name: r1
    plugins: `+plugin("")+`
routes:
- id: r2
  plugins: `+plugin(", consumer: {username: c2}")+`
consumers:
- username: c1
  plugins: `+plugin("")+`
consumer_groups:
- name: g1
  plugins: `+plugin("")+`
`, load.Options{})
	var scopes []config.Scope
	for _, p := range c.Plugins {
		scopes = append(scopes, p.Scope)
	}
	require.Equal(t, []config.Scope{
		{Service: "s1"}, {Route: "r1"}, {Route: "r2", Consumer: "c2"}, {Consumer: "c1"}, {ConsumerGroup: "g1"},
	}, scopes)
}

func TestEnvelopeIsRead(t *testing.T) {
	p := configtest.Load(t, configtest.Minimal+`  id: 6b9f2c0e-0000-4000-8000-000000000000
  enabled: no
  instance_name: mine
  tags: [a, b]
  protocols: [http, https]
  created_at: 1700000000
  run_on: first
`, load.Options{}).Plugins[0]
	require.Equal(t, "6b9f2c0e-0000-4000-8000-000000000000", p.ID)
	require.False(t, p.Enabled)
	require.Equal(t, "mine", p.InstanceName)
	require.Equal(t, []string{"a", "b"}, p.Tags)
}

func TestNullIsAsGoodAsAbsent(t *testing.T) {
	require.Empty(t, configtest.Load(t, configtest.Minimal+"    balancer: {failover_criteria: []}\n", load.Options{}).Plugins[0].Settings.Balancer.FailoverCriteria)
	s := configtest.Load(t, configtest.Minimal+"    balancer: {retries: null}\n    embeddings: ~\n    acls:\n", load.Options{}).Plugins[0].Settings
	require.Equal(t, 5, s.Balancer.Retries)
	require.Nil(t, s.Embeddings)
}

func TestNumbersKeepTheirText(t *testing.T) {
	for written, want := range map[string]config.Number{
		"1.0": "1.0", "0.10": "0.10", "1e0": "1e0", "0": "0", "1": "1",
		".5": "0.5", "+1": "1", "0x1": "1", "1.": "1", "1_0.0e-1": "1",
	} {
		t.Run(written, func(t *testing.T) {
			s := configtest.Load(t, configtest.Minimal+"      weight: 1.0e2\n"+
				"    - model: {provider: openai, options: {temperature: "+written+"}}\n      route_type: llm/v1/chat\n", load.Options{}).Plugins[0].Settings
			require.Equal(t, want, s.Targets[1].Model.Options.Temperature)
			require.Equal(t, 100, s.Targets[0].Weight)
			data, err := json.Marshal(s.Targets[1].Model.Options.Temperature)
			require.NoError(t, err)
			require.Equal(t, string(want), string(data))
			require.InDelta(t, 0.5, want.Float64(), 0.51)
		})
	}
}

func TestJSONLoadsLikeYAML(t *testing.T) {
	text := "{\n\t\"plugins\": [{\"name\": \"ai-proxy-advanced\", \"config\": {\"targets\": [{\n\t\t\"model\": {\"provider\": \"openai\", \"name\": \"\\ud83d\\ude00\", \"options\": {\"temperature\": 1.0}},\n\t\t\"route_type\": \"llm/v1/chat\", \"weight\": ${{ env \"DECK_W\" | toInt }}}]}}]\n}"
	c := configtest.Load(t, text, load.Options{Env: configtest.Environment(map[string]string{"DECK_W": "7"})})
	target := c.Plugins[0].Settings.Targets[0]
	require.Equal(t, "😀", target.Model.Name)
	require.Equal(t, config.Number("1.0"), target.Model.Options.Temperature)
	require.Equal(t, 7, target.Weight)
	require.Equal(t, config.Position{File: "kong.yaml", Line: 2, Column: 67}, target.Position)
}

func TestAnchorsAndMergeKeysAreFollowed(t *testing.T) {
	c := configtest.Load(t, `plugins:
- name: ai-proxy-advanced
  config:
    targets:
    - &first
      model: &model {provider: openai, name: one}
      route_type: llm/v1/chat
      weight: 5
    - <<: *first
      weight: 6
    - <<: [{weight: 7}, *first]
      model: {<<: *model, name: three}
`, load.Options{})
	targets := c.Plugins[0].Settings.Targets
	require.Equal(t, []int{5, 6, 7}, []int{targets[0].Weight, targets[1].Weight, targets[2].Weight})
	require.Equal(t, "one", targets[1].Model.Name)
	require.Equal(t, "three", targets[2].Model.Name)
}

func TestFilesThatCannotBeReadAreNamed(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	_, _, err := load.Files(load.Options{}, missing)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, missing)
}

func TestNamedGroupsThatNoRouteHasAreWarnings(t *testing.T) {
	const text = `_format_version: "3.0"
services:
- name: one
  routes: [{name: a, paths: ["~/(?<model>[a-z]+)/chat"]}]
- name: two
  routes: [{name: b, paths: ["/plain"]}]
plugins:
- name: ai-proxy-advanced
  %s
  config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: "x-$(uri_captures.model)"}}]}
`
	const none = "no route that the plugin applies to has the group (?<model>…) in a path: its requests are answered with 400"
	const some = "not every path that leads to the plugin has the group (?<model>…): this target cannot serve requests over the others"
	onB := "- {name: ai-proxy-advanced, route: b, config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: m}}]}}\n"
	for _, tt := range []struct{ scope, more, want string }{
		{scope: "route: a"},
		{scope: "service: one"},
		{scope: "enabled: true", want: some},
		{scope: "enabled: true", more: onB},
		{scope: "enabled: true", more: strings.Replace(onB, "route: b", "service: two", 1)},
		{scope: "enabled: true", more: strings.Replace(onB, "route: b", "route: b, enabled: false", 1), want: some},
		{scope: "route: b", want: none},
		{scope: "service: two", want: none},
		{scope: "route: c", more: "routes: [{name: c, paths: [/c, '~/c/(?<model>[a-z]+)']}]\n", want: some},
	} {
		_, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(fmt.Sprintf(text, tt.scope) + tt.more)}}, load.Options{})
		require.NoError(t, err)
		if tt.want == "" {
			require.Empty(t, warnings, tt.scope)
			continue
		}
		require.Len(t, warnings, 1, tt.scope)
		require.Equal(t, "kong.yaml:10: plugins[0].config.targets[0].model.name: "+tt.want, warnings[0].String())
	}
}

func TestPluginsWithOneInstanceNameAreAFault(t *testing.T) {
	text := configtest.Minimal + "- {name: file-log, instance_name: one}\n- {name: file-log, instance_name: two}\n- {name: file-log, instance_name: one}\n"
	_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{})
	require.EqualError(t, err, "kong.yaml:9: plugins[3].instance_name: got a second plugin of the same instance_name, first at kong.yaml:7")
}

func TestPluginsThatAreNotRunPointAtTheOneThatIs(t *testing.T) {
	for name, want := range map[string]string{
		"ai-proxy":            `plugin "ai-proxy" is not run; semlb runs ai-proxy-advanced, which has the same settings for each of its targets`,
		"ai-proxi-advanced":   `plugin "ai-proxi-advanced" is not run, did you mean "ai-proxy-advanced"?`,
		"ai-proxy-avdanced":   `plugin "ai-proxy-avdanced" is not run, did you mean "ai-proxy-advanced"?`,
		"ai-rag-injector":     `plugin "ai-rag-injector" is not run`,
		"request-transformer": `plugin "request-transformer" is not run`,
	} {
		_, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.Minimal + "- name: " + name + "\n")}}, load.Options{})
		require.NoError(t, err)
		require.Equal(t, "kong.yaml:7: plugins[1].name: "+want, warnings[0].String())
	}
}
