// Package configtest has what tests of several packages of the configuration share.
package configtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"semlb/config"
	"semlb/config/load"
)

// Marker stands for whatever must not be seen. It looks like a word, not like a key: those
// are masked wherever they stand.
const Marker = "unseen-MARKER"

// Environment returns a lookup in a map.
func Environment(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

// AnyVariable gives every variable a value that follows from its name, whichever
// format refers to it.
func AnyVariable(name string) (string, bool) {
	name = strings.ToUpper(strings.TrimPrefix(strings.TrimPrefix(name, "DECK_"), "TF_VAR_"))
	if name == "NUMBER" {
		return "7", true
	}
	return "sk-" + name, true
}

// Minimal is the shortest configuration that loads; tests add to its end.
const Minimal = `plugins:
- name: ai-proxy-advanced
  config:
    targets:
    - model: {provider: openai, name: gpt-4o}
      route_type: llm/v1/chat
`

// Load loads one text that has to be good.
func Load(t *testing.T, text string, opts load.Options) *config.Config {
	t.Helper()
	c, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, opts)
	require.NoError(t, err)
	return c
}

// RequireExample checks what all examples say.
func RequireExample(t *testing.T, p config.Plugin) {
	t.Helper()
	require.Equal(t, "ai-proxy-advanced", p.Name)
	require.True(t, p.Enabled)
	s := p.Settings
	require.Equal(t, config.Balancer{
		Algorithm:        config.Semantic,
		Retries:          3,
		FailoverCriteria: []config.FailoverCriterion{config.OnError, config.OnTimeout, config.OnHTTP429, config.OnHTTP503, config.NonIdempotent},
		ConnectTimeout:   time.Minute, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
		FailTimeout: 10 * time.Second, HashOnHeader: "X-Kong-LLM-Request-ID",
		LatencyStrategy: "tpot", Slots: 10000, TokensCountStrategy: "total-tokens",
		NoMatch: config.NoMatchNearest, GroupOrder: config.GroupByWeight, Spill: config.SpillNone, OnPanic: config.OnPanicReject,
	}, s.Balancer)
	require.Equal(t, config.OpenAI, s.Embeddings.Model.Provider)
	require.Equal(t, "text-embedding-3-small", s.Embeddings.Model.Name)
	require.Equal(t, "Authorization", s.Embeddings.Auth.HeaderName)
	require.Equal(t, "Bearer sk-1", s.Embeddings.Auth.HeaderValue.Reveal())
	require.Equal(t, config.StrategyRedis, s.VectorDB.Strategy)
	require.Equal(t, config.Cosine, s.VectorDB.DistanceMetric)
	require.Equal(t, 0.7, *s.VectorDB.Threshold)
	require.Equal(t, 1024, s.VectorDB.Dimensions)
	require.Equal(t, config.SearchMemory, s.VectorDB.Search)
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
		require.Equal(t, config.OpenAI, target.Model.Provider)
		require.Equal(t, config.Chat, target.RouteType)
		require.Equal(t, 1024, *target.Model.Options.MaxTokens)
		require.Equal(t, config.Number("1.0"), target.Model.Options.Temperature)
		require.False(t, target.Model.Options.TopP.Present())
		require.Nil(t, target.Model.Options.TopK)
		require.Equal(t, "Bearer sk-1", target.Auth.HeaderValue.Reveal())
		require.Equal(t, config.Logging{LogPayloads: true, LogStatistics: true}, target.Logging)
	}
}

// ScopesOf returns the scopes of a configuration's instances.
func ScopesOf(c *config.Config) []config.Scope {
	scopes := []config.Scope{}
	for _, p := range c.Plugins {
		scopes = append(scopes, p.Scope)
	}
	return scopes
}

// Placeless returns routes without their positions.
func Placeless(routes []config.Route) []config.Route {
	for i := range routes {
		routes[i].Position = config.Position{}
	}
	return routes
}

// EveryWayToPrint returns what a value looks like in all the ways in which a
// program may write it.
func EveryWayToPrint(t *testing.T, value any) string {
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

// BodyOf returns what the shell command of an example sends, with the break in its
// quotes left as it is written.
func BodyOf(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	_, body, found := strings.Cut(string(data), "--data '")
	require.True(t, found)
	return []byte(body[:strings.LastIndex(body, "'")])
}

// BesideReach are the warnings that are not about plugins that no request reaches. Tests
// that are not about these have configurations without routes.
func BesideReach(warnings []config.Warning) []config.Warning {
	reach := func(w config.Warning) bool {
		return strings.Contains(w.Text, "o request reaches the plugin")
	}
	return slices.DeleteFunc(slices.Clone(warnings), reach)
}
