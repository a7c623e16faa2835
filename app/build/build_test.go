package build

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/load"
	"semlb/config/schema"
	"semlb/provider/dialects"
	"semlb/router"
	"semlb/wire"
)

func loaded(t *testing.T, balancer string) *config.Config {
	t.Helper()
	text := fmt.Sprintf(`_format_version: "3.0"
plugins:
- name: ai-proxy-advanced
  config:
    balancer: {%s}
    embeddings: {model: {provider: openai, name: e}, auth: {header_name: Authorization, header_value: a}}
    vectordb: {strategy: redis, distance_metric: cosine, dimensions: 4}
    targets: [{description: code, route_type: llm/v1/chat, model: {provider: openai, name: m}, auth: {header_name: Authorization, header_value: b}}]
`, balancer)
	cfg, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{})
	require.NoError(t, err)
	return cfg
}

func newBuilder() *Builder {
	return New(Options{Log: slog.New(slog.DiscardHandler), BuiltinEmbeddings: true, MemoryStore: true})
}

func TestRetentionIsTheLongestLifeOfAPlan(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		connect, write, read time.Duration
		retries, targets     int
		want                 time.Duration
	}{
		{"all attempts run into all timeouts", time.Second, 2 * time.Second, 90 * time.Second, 1, 5, 186 * time.Second},
		{"each target is tried once", time.Second, 2 * time.Second, 90 * time.Second, 5, 3, 279 * time.Second},
		{"a minute at least", time.Second, time.Second, time.Second, 5, 2, time.Minute},
		{"an hour at most", time.Minute, time.Minute, 20 * time.Minute, 5, 6, time.Hour},
		{"the largest numbers of all", 596 * time.Hour, 596 * time.Hour, 596 * time.Hour, 32767, 40000, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &config.Balancer{ConnectTimeout: tt.connect, WriteTimeout: tt.write, ReadTimeout: tt.read, Retries: tt.retries}
			require.Equal(t, tt.want, retention(b, tt.targets))
		})
	}
}

// supported returns the values that the schema accepts of a field.
func supported(t *testing.T, path string) []string {
	t.Helper()
	tables, err := schema.For("")
	require.NoError(t, err)
	values := tables.Plugin.Find(path).Supported()
	require.NotEmpty(t, values, path)
	return values
}

func names[K ~string, V any](table map[K]V) []string {
	var all []string
	for name := range table {
		all = append(all, string(name))
	}
	return all
}

// What has a line in a table here is no longer refused by the schema, and the other way
// round.
func TestTheSchemaAcceptsWhatIsImplemented(t *testing.T) {
	for path, implemented := range map[string][]string{
		"config.balancer.algorithm":        names(algorithms),
		"config.embeddings.model.provider": names(remoteEmbedders),
		"config.targets[].model.provider":  dialects.Providers(),
		"config.vectordb.strategy":         names(stores),
	} {
		require.ElementsMatch(t, supported(t, path), implemented, path)
	}
}

// Every value that a configuration may have is one that the program implements.
func TestEveryValueOfAConfigurationIsTranslated(t *testing.T) {
	for _, field := range []string{"algorithm", "group_order", "spill", "on_panic"} {
		for _, value := range supported(t, "config.balancer."+field) {
			instances, err := newBuilder().Build(t.Context(), loaded(t, field+": "+value))
			require.NoError(t, err, "%s: %s", field, value)
			require.NoError(t, instances.Close())
		}
	}
	for _, value := range supported(t, "config.response_streaming") {
		cfg := loaded(t, "")
		cfg.Plugins[0].Settings.ResponseStreaming = config.ResponseStreaming(value)
		instances, err := newBuilder().Build(t.Context(), cfg)
		require.NoError(t, err, value)
		require.Equal(t, value, string(instances.List[0].Server.Streaming))
		require.NoError(t, instances.Close())
	}
}

func TestAnUnknownValueIsAFault(t *testing.T) {
	cfg := loaded(t, "")
	cfg.Plugins[0].Settings.Balancer.Spill = "elsewhere"
	_, err := newBuilder().Build(t.Context(), cfg)
	require.ErrorContains(t, err, `kong.yaml:3: config.balancer.spill: "elsewhere" is not implemented`)
}

func TestEveryFaultIsListedAndNothingStaysOpen(t *testing.T) {
	cfg := loaded(t, "algorithm: semantic")
	cfg.Plugins = append(cfg.Plugins, cfg.Plugins[0], cfg.Plugins[0])
	cfg.Plugins[1].Settings.Balancer.Spill = "elsewhere"
	cfg.Plugins[2].Settings.Balancer.Retries = -1
	b := newBuilder()
	_, err := b.Build(t.Context(), cfg)
	require.ErrorContains(t, err, "balancer.spill")
	require.ErrorContains(t, err, "make router: 0 attempts")
	require.Empty(t, b.embedders.items)
}

func TestInstancesWithTheSameEmbedderShareIt(t *testing.T) {
	cfg := loaded(t, "algorithm: semantic")
	cfg.Plugins = append(cfg.Plugins, cfg.Plugins[0])
	b := newBuilder()
	one, err := b.Build(t.Context(), cfg)
	require.NoError(t, err)
	other, err := b.Build(t.Context(), cfg)
	require.NoError(t, err)
	require.Len(t, b.embedders.items, 1)
	require.Same(t, one.List[0].embedder, other.List[1].embedder)
	require.NoError(t, one.Close())
	require.Len(t, b.embedders.items, 1, "a replaced configuration does not close what the next one uses")
	require.NoError(t, other.Close())
	require.Empty(t, b.embedders.items)
}

func TestABudgetForASlowModelIsNotCutShort(t *testing.T) {
	const slow = leastEmbedTimeout + time.Second
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(slow)
		_, _ = io.WriteString(w, `{"data":[{"index":0,"embedding":[0,0,0,1]}]}`)
	}))
	defer model.Close()
	b := New(Options{
		Log: slog.New(slog.DiscardHandler), MemoryStore: true, DecisionBudget: time.Minute,
		ProviderURLs: map[string]string{"openai": model.URL},
	})
	all, err := b.Build(t.Context(), loaded(t, "algorithm: semantic"))
	require.NoError(t, err)
	defer func() { require.NoError(t, all.Close()) }()
	_, err = all.List[0].embedder.Embed(t.Context(), []string{"a prompt"})
	require.NoError(t, err)
}

func TestOnlyConsistentHashingReadsItsHeader(t *testing.T) {
	require.Equal(t, "x-user", hashHeader(&config.Balancer{Algorithm: config.ConsistentHashing, HashOnHeader: "X-User"}))
	require.Empty(t, hashHeader(&config.Balancer{Algorithm: config.RoundRobin, HashOnHeader: "X-User"}))
}

func TestIDsDoNotDependOnSecrets(t *testing.T) {
	ids := func(secret string) (string, string) {
		cfg := loaded(t, "")
		cfg.Plugins[0].Settings.Targets[0].Auth.HeaderValue = wire.NewSecret(secret)
		return instanceID(&cfg.Plugins[0]), targetID(&cfg.Plugins[0], 0)
	}
	instance, target := ids("one")
	sameInstance, sameTarget := ids("another")
	require.Equal(t, instance, sameInstance)
	require.Equal(t, target, sameTarget)
	changed := loaded(t, "retries: 2")
	require.NotEqual(t, instance, instanceID(&changed.Plugins[0]))
	require.Equal(t, target, targetID(&changed.Plugins[0], 0), "a changed balancer leaves the target's circuit breaker")
}

func TestFailoverStatusesTripTheBreaker(t *testing.T) {
	cfg := loaded(t, "failover_criteria: [error, http_429, http_503]")
	require.Equal(t, []int{429, 503}, breakerOf(&cfg.Plugins[0].Settings.Balancer, time.Minute).Statuses)
	require.NotContains(t, algorithms, config.LowestUsage)
	require.Equal(t, router.Priority, algorithms[config.Priority])
}

func TestStrictModelsAreThoseOfTheRouteType(t *testing.T) {
	cfg, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(`_format_version: "3.0"
plugins:
- name: ai-proxy-advanced
  config:
    model_policy: strict
    targets:
    - {route_type: llm/v1/chat, model: {provider: openai, name: a}}
    - {route_type: llm/v1/chat, model: {provider: openai, name: a}}
    - {route_type: llm/v1/completions, model: {provider: openai, name: b}}
- name: ai-proxy-advanced
  route: r
  config:
    model_policy: strict
    targets: [{route_type: llm/v1/chat, model: {provider: openai, name: $(uri_captures.m)}}]
`)}}, load.Options{})
	require.NoError(t, err)
	instances, err := newBuilder().Build(t.Context(), cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, instances.Close()) }()
	require.Equal(t, map[string][]string{"llm/v1/chat": {"a"}, "llm/v1/completions": {"b"}}, instances.List[0].Server.Models)
	require.Nil(t, instances.List[1].Server.Models["llm/v1/chat"], "a template is any model")
}
