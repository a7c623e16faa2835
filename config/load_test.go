package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// minimal is the shortest configuration that loads; tests add to its end.
const minimal = `plugins:
- name: ai-proxy-advanced
  config:
    targets:
    - model: {provider: openai, name: gpt-4o}
      route_type: llm/v1/chat
`

// load loads one text that has to be good.
func load(t *testing.T, text string, opts Options) *Config {
	t.Helper()
	c, _, err := Load([]Source{{Name: "kong.yaml", Data: []byte(text)}}, opts)
	require.NoError(t, err)
	return c
}

func TestExamplesLoadAsWritten(t *testing.T) {
	env := environment(map[string]string{"DECK_OPENAI_API_KEY": "sk-1"})
	for name, scope := range map[string]Scope{
		"global":         {},
		"service":        {Service: "serviceName|Id"},
		"route":          {Route: "routeName|Id"},
		"consumer":       {Consumer: "consumerName|Id"},
		"consumer_group": {ConsumerGroup: "consumerGroupName|Id"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("..", "examples", "deck", name+".yaml")
			c, warnings, err := LoadFiles(Options{Env: env}, file)
			require.NoError(t, err)
			require.Empty(t, warnings)
			require.Len(t, c.Plugins, 1)
			require.Equal(t, scope, c.Plugins[0].Scope)
			require.Equal(t, Position{File: file, Line: 3, Column: 3}, c.Plugins[0].Position)
			requireExample(t, c.Plugins[0])
		})
	}
}

// requireExample checks what all examples say.
func requireExample(t *testing.T, p Plugin) {
	t.Helper()
	require.Equal(t, "ai-proxy-advanced", p.Name)
	require.True(t, p.Enabled)
	s := p.Settings
	require.Equal(t, Balancer{
		Algorithm:        Semantic,
		Retries:          3,
		FailoverCriteria: []FailoverCriterion{OnError, OnTimeout, OnHTTP429, OnHTTP503, NonIdempotent},
		ConnectTimeout:   time.Minute, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
		FailTimeout: 10 * time.Second, HashOnHeader: "X-Kong-LLM-Request-ID",
		LatencyStrategy: "tpot", Slots: 10000, TokensCountStrategy: "total-tokens",
		NoMatch: NoMatchNearest, GroupOrder: GroupByWeight, Spill: SpillNone, OnPanic: OnPanicReject,
	}, s.Balancer)
	require.Equal(t, OpenAI, s.Embeddings.Model.Provider)
	require.Equal(t, "text-embedding-3-small", s.Embeddings.Model.Name)
	require.Equal(t, "Authorization", s.Embeddings.Auth.HeaderName)
	require.Equal(t, "Bearer sk-1", s.Embeddings.Auth.HeaderValue.Reveal())
	require.Equal(t, StrategyRedis, s.VectorDB.Strategy)
	require.Equal(t, Cosine, s.VectorDB.DistanceMetric)
	require.Equal(t, 0.7, *s.VectorDB.Threshold)
	require.Equal(t, 1024, s.VectorDB.Dimensions)
	require.Equal(t, SearchMemory, s.VectorDB.Search)
	require.Equal(t, "localhost", s.VectorDB.Redis.Host)
	require.Equal(t, 6379, s.VectorDB.Redis.Port)
	require.Equal(t, 2*time.Second, s.VectorDB.Redis.ReadTimeout)
	require.True(t, s.VectorDB.Redis.SSLVerify)
	require.Len(t, s.Targets, 3)
	for i, want := range []struct {
		model, description string
		weight             int
	}{
		{"gpt-4o", "Specialist in real life topics", 2},
		{"gpt-4o", "Specialist in programming problems", 75},
		{"gpt-4o-mini", "Specialist in programming problems", 25},
	} {
		target := s.Targets[i]
		require.Equal(t, want.model, target.Model.Name)
		require.Equal(t, want.description, target.Description)
		require.Equal(t, want.weight, target.Weight)
		require.Equal(t, OpenAI, target.Model.Provider)
		require.Equal(t, Chat, target.RouteType)
		require.Equal(t, 1024, *target.Model.Options.MaxTokens)
		require.Equal(t, Number("1.0"), target.Model.Options.Temperature)
		require.False(t, target.Model.Options.TopP.Present())
		require.Nil(t, target.Model.Options.TopK)
		require.Equal(t, "Bearer sk-1", target.Auth.HeaderValue.Reveal())
		require.Equal(t, Logging{LogPayloads: true, LogStatistics: true}, target.Logging)
	}
}

func TestDefaultsAreThoseOfTheSchema(t *testing.T) {
	s := load(t, minimal, Options{}).Plugins[0].Settings
	require.Equal(t, RoundRobin, s.Balancer.Algorithm)
	require.Equal(t, 5, s.Balancer.Retries)
	require.Equal(t, []FailoverCriterion{OnError, OnTimeout}, s.Balancer.FailoverCriteria)
	require.Nil(t, s.Embeddings)
	require.Nil(t, s.VectorDB)
	require.Equal(t, int64(1<<20), s.MaxRequestBodySize)
	require.True(t, s.ModelNameHeader)
	require.Equal(t, StreamingAllow, s.ResponseStreaming)
	require.Equal(t, OptionsConfig, s.OptionsPrecedence)
	require.Equal(t, ModelReplace, s.ModelPolicy)
	require.Equal(t, 100, s.Targets[0].Weight)
	require.True(t, s.Targets[0].Model.Options.DashScope.International)
}

func TestOtherPluginsAreNamedInWarnings(t *testing.T) {
	_, warnings, err := Load([]Source{{Name: "kong.yaml", Data: []byte(minimal + "- name: cors\n- name: key-auth\nupstreams: [{name: u}]\n")}}, Options{})
	require.NoError(t, err)
	require.Len(t, warnings, 3)
	require.Equal(t, `kong.yaml:9: upstreams: not read`, warnings[0].String())
	require.Equal(t, `kong.yaml:7: plugins[1].name: plugin "cors" is not run`, warnings[1].String())
}

func TestAFileWithoutThePluginIsAWarning(t *testing.T) {
	c, warnings, err := Load([]Source{{Name: "kong.yaml", Data: []byte("_format_version: '3.0'\n")}}, Options{})
	require.NoError(t, err)
	require.Empty(t, c.Plugins)
	require.Equal(t, "there is no ai-proxy-advanced", warnings[0].String())
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
	c := load(t, text, Options{})
	require.Equal(t, "shared", c.Plugins[0].Settings.Targets[0].Model.Name)
	require.Equal(t, StreamingDeny, c.Plugins[0].Settings.ResponseStreaming)
	require.Equal(t, StreamingAlways, c.Plugins[1].Settings.ResponseStreaming)
	require.False(t, c.Plugins[1].Settings.ModelNameHeader)
}

func TestNestedPluginsTakeTheirPlaceAsScope(t *testing.T) {
	const config = `{targets: [{model: {provider: openai, name: m}, route_type: llm/v1/chat}]}`
	plugin := func(more string) string {
		return fmt.Sprintf("[{name: ai-proxy-advanced, config: %s%s}]", config, more)
	}
	c := load(t, `services:
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
`, Options{})
	var scopes []Scope
	for _, p := range c.Plugins {
		scopes = append(scopes, p.Scope)
	}
	require.Equal(t, []Scope{
		{Service: "s1"}, {Route: "r1"}, {Route: "r2", Consumer: "c2"}, {Consumer: "c1"}, {ConsumerGroup: "g1"},
	}, scopes)
}

func TestEnvelopeIsRead(t *testing.T) {
	p := load(t, minimal+`  id: 6b9f2c0e-0000-4000-8000-000000000000
  enabled: no
  instance_name: mine
  tags: [a, b]
  protocols: [http, https]
  created_at: 1700000000
  run_on: first
`, Options{}).Plugins[0]
	require.Equal(t, "6b9f2c0e-0000-4000-8000-000000000000", p.ID)
	require.False(t, p.Enabled)
	require.Equal(t, "mine", p.InstanceName)
	require.Equal(t, []string{"a", "b"}, p.Tags)
}

func TestNullIsAsGoodAsAbsent(t *testing.T) {
	require.Empty(t, load(t, minimal+"    balancer: {failover_criteria: []}\n", Options{}).Plugins[0].Settings.Balancer.FailoverCriteria)
	s := load(t, minimal+"    balancer: {retries: null}\n    embeddings: ~\n    acls:\n", Options{}).Plugins[0].Settings
	require.Equal(t, 5, s.Balancer.Retries)
	require.Nil(t, s.Embeddings)
}

func TestNumbersKeepTheirText(t *testing.T) {
	for written, want := range map[string]Number{
		"1.0": "1.0", "0.10": "0.10", "1e0": "1e0", "0": "0", "1": "1",
		".5": "0.5", "+1": "1", "0x1": "1", "1.": "1", "1_0.0e-1": "1",
	} {
		t.Run(written, func(t *testing.T) {
			s := load(t, minimal+"      weight: 1.0e2\n"+
				"    - model: {provider: openai, options: {temperature: "+written+"}}\n      route_type: llm/v1/chat\n", Options{}).Plugins[0].Settings
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
	c := load(t, text, Options{Env: environment(map[string]string{"DECK_W": "7"})})
	target := c.Plugins[0].Settings.Targets[0]
	require.Equal(t, "😀", target.Model.Name)
	require.Equal(t, Number("1.0"), target.Model.Options.Temperature)
	require.Equal(t, 7, target.Weight)
	require.Equal(t, Position{File: "kong.yaml", Line: 2, Column: 67}, target.Position)
}

func TestAnchorsAndMergeKeysAreFollowed(t *testing.T) {
	c := load(t, `plugins:
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
`, Options{})
	targets := c.Plugins[0].Settings.Targets
	require.Equal(t, []int{5, 6, 7}, []int{targets[0].Weight, targets[1].Weight, targets[2].Weight})
	require.Equal(t, "one", targets[1].Model.Name)
	require.Equal(t, "three", targets[2].Model.Name)
}

func TestFilesThatCannotBeReadAreNamed(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	_, _, err := LoadFiles(Options{}, missing)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, missing)
}
