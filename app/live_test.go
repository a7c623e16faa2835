package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/envoy/parts"
	counters "semlb/record/metrics"
	"semlb/router"
	"semlb/server"
)

// newLive makes what serves a configuration, without an Envoy.
func newLive(t *testing.T) *live {
	t.Helper()
	log, registry := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	metrics := server.NewMetrics(registry)
	options := LoadOptions{Reading: config.Options{Env: noEnvironment}, Embeddings: "builtin", VectorDB: "memory", Budget: time.Second}
	quiet := &discretion{}
	l := (&live{
		discretion: quiet,
		builder:    &builder{options: options, log: log, circuits: router.NewCircuits(time.Now, nil), baseURL: options.providerURL},
		options:    &ServeOptions{LoadOptions: options, Listen: "127.0.0.1:8000", GRPCSocket: "/semlb.sock"},
		control:    server.NewControlPlane(t.Context(), log, metrics, quiet.redact),
		counters:   counters.New(registry, server.Labels()), loader: newLoader(time.Minute, log, registry, func() {}), log: log,
	}).init()
	t.Cleanup(l.close)
	return l
}

// balanced is a configuration of two targets at a port that wait for 90 s.
func balanced(t *testing.T, port int, more ...string) *config.Config {
	t.Helper()
	text := `_format_version: "3.0"
plugins:
- name: ai-proxy-advanced
  config:
    balancer: {connect_timeout: 1000, write_timeout: 2000, read_timeout: 90000` + strings.Join(more, "") + `}
    targets:
` + target(port) + target(port)
	c, _, err := config.Load([]config.Source{{Name: "kong.yaml", Data: []byte(text)}}, config.Options{})
	require.NoError(t, err)
	return c
}

func target(port int) string {
	return fmt.Sprintf("    - {route_type: llm/v1/chat, model: {provider: openai, name: m%[1]d, options: {upstream_url: \"http://127.0.0.1:%[1]d/v1\"}}}\n", port)
}

func (l *live) put(t *testing.T, c *config.Config) (instance string) {
	t.Helper()
	require.NoError(t, l.apply(t.Context(), c))
	return l.snapshot.Load().Find(server.Match{}).ID
}

// clusters are the ports of the endpoints that Envoy has.
func (l *live) clusters(t *testing.T) []uint16 {
	t.Helper()
	c, err := l.envoyConfig(l.current)
	require.NoError(t, err)
	var ports []uint16
	for _, u := range c.Upstreams {
		ports = append(ports, u.Port)
	}
	return ports
}

func TestAPlanFindsItsTargetsForAsLongAsItCanLive(t *testing.T) {
	const longest = 2 * 93 * time.Second // two attempts that run into every timeout
	l := newLive(t)
	first := l.put(t, balanced(t, 9001))
	begun := time.Now()
	second := l.put(t, balanced(t, 9002))
	require.NotEqual(t, first, second)

	require.NoError(t, l.letGo(t.Context(), begun.Add(longest-time.Second)))
	require.Empty(t, l.ending, "it decides nothing any more")
	left := l.snapshot.Load().Instances[first]
	require.NotNil(t, left, "its second attempt finds its instance")
	require.Len(t, left.Targets, 2)
	require.Contains(t, l.clusters(t), uint16(9001))
	for id := range left.Targets { // outcomes are still learned of
		left.Router.Report(router.Outcome{Target: id, Result: router.Failed})
	}

	require.NoError(t, l.letGo(t.Context(), time.Now().Add(longest)))
	require.NotContains(t, l.snapshot.Load().Instances, first)
	require.NotContains(t, l.clusters(t), uint16(9001))
	require.Contains(t, l.snapshot.Load().Instances, second)
}

func TestRetentionIsAPlansLongestLife(t *testing.T) {
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

func TestAnUnchangedInstanceLeavesNothingBehind(t *testing.T) {
	l := newLive(t)
	for range 3 {
		l.put(t, balanced(t, 9001))
	}
	require.Empty(t, l.replaced)
	first := l.put(t, balanced(t, 9002))
	require.Len(t, l.replaced, 1)
	l.put(t, balanced(t, 9001))
	require.Contains(t, l.replaced, first)
	require.Len(t, l.replaced, 1, "the one that came back is in force")
}

func TestManyChangesAreBounded(t *testing.T) {
	const more = 20
	now := time.Now()
	// keep has remains of many instances; the oldest, "0", goes first.
	keep := func(n int, port func(i int) uint16) replaced {
		r := make(replaced)
		for i := range n {
			r[strconv.Itoa(i)] = remains{
				upstreams: []parts.Upstream{{Host: "127.0.0.1", Port: 9000}, {Host: "127.0.0.1", Port: port(i)}},
				until:     now.Add(time.Duration(i) * time.Second),
			}
		}
		return r
	}
	for _, tt := range []struct {
		name          string
		port          func(i int) uint16
		left, trimmed int
	}{
		{"instances", func(int) uint16 { return 9001 }, maxRemains, more},
		{"clusters", func(i int) uint16 { return uint16(10000 + i) }, maxRemainsClusters - 1, more + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := keep(maxRemains+more, tt.port)
			require.Equal(t, tt.trimmed, r.trim())
			require.Len(t, r, tt.left)
			require.LessOrEqual(t, r.clusters(), maxRemainsClusters)
			require.NotContains(t, r, strconv.Itoa(more-1))
			require.Contains(t, r, strconv.Itoa(maxRemains+more-1))
			require.Zero(t, r.trim())
		})
	}
}

func TestConfigurationsThatDecideNothingAnyMoreAreBounded(t *testing.T) {
	l := newLive(t)
	for i := range maxEnding + 10 { // other retries, the same endpoints
		l.put(t, balanced(t, 9001, fmt.Sprintf(", retries: %d", i)))
	}
	require.Len(t, l.ending, maxEnding)
	require.Len(t, l.replaced, maxEnding+9, "their plans go on")
	require.Equal(t, 1, l.replaced.clusters())
}

func TestDecisionsOfAReplacedConfigurationGoOn(t *testing.T) {
	l := newLive(t)
	l.put(t, balanced(t, 9001))
	old := l.snapshot.Load().Find(server.Match{})
	l.put(t, balanced(t, 9002))
	plan := old.Router.Route(context.Background(), router.Request{Prompt: "hello"})
	require.Len(t, plan.Targets, 2)
	left := l.snapshot.Load().Instances[old.ID]
	require.ElementsMatch(t, plan.Targets, slices.Collect(maps.Keys(left.Targets)), "who asks next is told by what is left")
	require.NoError(t, l.letGo(t.Context(), time.Now()))
	require.Len(t, l.ending, 1, "a decision may be under way")
}

func TestARefusedConfigurationLeavesNoTargetBehind(t *testing.T) {
	l := newLive(t)
	l.put(t, balanced(t, 9001))
	before := l.builder.circuits.Targets()
	require.Len(t, before, 2)

	refused := balanced(t, 9002)
	refused.Plugins = append(refused.Plugins, refused.Plugins[0])
	refused.Plugins[1].Settings.Balancer.Retries = -1
	require.Error(t, l.apply(t.Context(), refused), "when it is built")
	require.ElementsMatch(t, before, l.builder.circuits.Targets())

	l.options.Listen = "nowhere"
	require.Error(t, l.apply(t.Context(), balanced(t, 9003)), "when Envoy is told")
	require.ElementsMatch(t, before, l.builder.circuits.Targets())
}
