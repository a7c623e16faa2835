package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"semlb/app/build"
	"semlb/app/gateway"
	"semlb/config"
	"semlb/config/load"
	"semlb/envoy/parts"
	"semlb/envoy/render"
	"semlb/record/metrics"
	"semlb/router"
	"semlb/server"
	"semlb/wire"
)

// noEnvoy is a control plane to which no Envoy is connected. It records what it was
// sent, or refuses it.
type noEnvoy struct {
	sent    render.Resources
	refuses error
}

func (n *noEnvoy) Set(_ context.Context, r render.Resources) error {
	if n.refuses == nil {
		n.sent = r
	}
	return n.refuses
}
func (*noEnvoy) Connected() bool            { return false }
func (*noEnvoy) Wait(context.Context) error { return nil }

type fixture struct {
	*Manager
	t       *testing.T
	control *noEnvoy
	logged  *bytes.Buffer
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	logged := new(bytes.Buffer)
	log, registry, control := slog.New(slog.DiscardHandler), prometheus.NewRegistry(), &noEnvoy{}
	circuits := router.NewCircuits(time.Now, nil)
	m := NewManager(Options{
		Builder:  build.New(build.Options{Log: log, BuiltinEmbeddings: true, MemoryStore: true, DecisionBudget: time.Second, Circuits: circuits}),
		Envoy:    gateway.Options{Listen: netip.MustParseAddrPort("127.0.0.1:8000"), Service: parts.Endpoint{Path: "/semlb.sock"}, DecisionBudget: time.Second},
		Control:  control,
		Snapshot: NewSnapshot(), Circuits: circuits, Counters: metrics.New(registry, server.Labels()), Redactor: new(LogRedactor),
		Descriptions: NewDescriptions(time.Minute, log, registry, func() {}), DecisionBudget: time.Second, Log: slog.New(slog.NewTextHandler(logged, nil)), // of this goroutine only
	})
	t.Cleanup(m.Close)
	return &fixture{m, t, control, logged}
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
	c, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{})
	require.NoError(t, err)
	return c
}

func target(port int) string {
	return fmt.Sprintf("    - {route_type: llm/v1/chat, model: {provider: openai, name: m%[1]d, options: {upstream_url: \"http://127.0.0.1:%[1]d/v1\"}}}\n", port)
}

// apply puts a configuration in force and returns the ID of its instance.
func (f *fixture) apply(c *config.Config) (instance string) {
	f.t.Helper()
	require.NoError(f.t, f.Apply(f.t.Context(), c))
	return f.options.Snapshot.Load().Find(server.Match{}).ID
}

// instances are those that requests can reach, by ID.
func (f *fixture) instances() map[string]*server.Instance { return f.options.Snapshot.Load().Instances }

// ports are those of the endpoints that Envoy has.
func (f *fixture) ports() []uint16 {
	f.t.Helper()
	c, err := f.envoyConfig(f.current)
	require.NoError(f.t, err)
	var ports []uint16
	for _, u := range c.Upstreams {
		ports = append(ports, u.Port)
	}
	return ports
}

func TestARetiredInstanceIsKeptForTheLongestLifeOfItsPlans(t *testing.T) {
	const longest = 2 * 93 * time.Second // two attempts that run into every timeout
	f := newFixture(t)
	first := f.apply(balanced(t, 9001))
	begun := time.Now()
	second := f.apply(balanced(t, 9002))
	require.NotEqual(t, first, second)

	require.NoError(t, f.expire(t.Context(), begun.Add(longest-time.Second)))
	require.Empty(t, f.replaced, "it makes no more decisions")
	retired := f.instances()[first]
	require.NotNil(t, retired, "its second attempt finds its instance")
	require.Len(t, retired.Targets, 2)
	require.Contains(t, f.ports(), uint16(9001))
	for id := range retired.Targets { // late outcomes are still reported
		retired.Router.Report(router.Outcome{Target: id, Result: router.Failed})
	}

	require.NoError(t, f.expire(t.Context(), time.Now().Add(longest)))
	require.NotContains(t, f.instances(), first)
	require.NotContains(t, f.ports(), uint16(9001))
	require.Contains(t, f.instances(), second)
}

func TestAnUnchangedInstanceIsNotRetired(t *testing.T) {
	f := newFixture(t)
	for range 3 {
		f.apply(balanced(t, 9001))
	}
	require.Empty(t, f.retired)
	first := f.apply(balanced(t, 9002))
	require.Len(t, f.retired, 1)
	f.apply(balanced(t, 9001))
	require.Contains(t, f.retired, first)
	require.Len(t, f.retired, 1, "the one that came back is in force")
}

func TestRetiredInstancesAreBounded(t *testing.T) {
	const more = 20
	now := time.Now()
	// keep retires many instances; the oldest, "0", expires first.
	keep := func(n int, port func(i int) uint16, targets int) retiredInstances {
		r := make(retiredInstances)
		for i := range n {
			own := make(map[string]*server.Target, targets)
			for at := range targets {
				own[strconv.Itoa(at)] = new(server.Target)
			}
			r[strconv.Itoa(i)] = retiredInstance{
				instance: &server.Instance{Targets: own},
				handles:  handlesOf([]parts.Upstream{{Host: "127.0.0.1", Port: 9000}, {Host: "127.0.0.1", Port: port(i)}}),
				until:    now.Add(time.Duration(i) * time.Second),
			}
		}
		return r
	}
	same := func(int) uint16 { return 9001 }
	for _, tt := range []struct {
		name          string
		port          func(i int) uint16
		targets       int // of each
		left, trimmed int
	}{
		{"instances", same, 1, maxRetired, more},
		{"clusters", func(i int) uint16 { return uint16(10000 + i) }, 1, maxRetiredClusters - 1, more + 1},
		{"targets", same, 32, maxRetiredTargets / 32, maxRetired + more - maxRetiredTargets/32},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := keep(maxRetired+more, tt.port, tt.targets)
			require.Equal(t, tt.trimmed, r.trim())
			require.Len(t, r, tt.left)
			require.True(t, r.within())
			require.NotContains(t, r, strconv.Itoa(more-1))
			require.Contains(t, r, strconv.Itoa(maxRetired+more-1))
			require.Zero(t, r.trim())
		})
	}
}

func TestReplacedDeploymentsAreBounded(t *testing.T) {
	f := newFixture(t)
	for i := range maxReplaced + 10 { // other retries, the same endpoints
		f.apply(balanced(t, 9001, fmt.Sprintf(", retries: %d", i)))
	}
	require.Len(t, f.replaced, maxReplaced)
	require.Len(t, f.retired, maxReplaced+9, "their plans are still in use")
	clusters, targets := f.retired.distinct()
	require.Equal(t, 1, clusters)
	require.Equal(t, 2, targets, "they are the same in all")
}

// targetsOf puts a configuration in force and returns the targets of its instance.
func (f *fixture) targetsOf(c *config.Config) map[string]*server.Target {
	f.t.Helper()
	id := f.apply(c)
	return f.instances()[id].Targets
}

func TestTargetsThatAReloadLeavesAsTheyAreAreShared(t *testing.T) {
	f := newFixture(t)
	before, after := f.targetsOf(balanced(t, 9001, ", retries: 1")), f.targetsOf(balanced(t, 9001, ", retries: 2"))
	require.Len(t, before, 2)
	for id, target := range before {
		require.Same(t, target, after[id])
	}
	c := balanced(t, 9001, ", retries: 2")
	c.Plugins[0].Settings.Balancer.ConnectTimeout += time.Second
	for id, target := range f.targetsOf(c) {
		require.NotSame(t, target, after[id], "it has another cluster")
		require.Same(t, target.Target, after[id].Target)
	}
}

func TestAKeyOfAnotherReloadIsAnotherTarget(t *testing.T) {
	withKey := func(key string) *config.Config {
		c := balanced(t, 9001)
		c.Plugins[0].Settings.Targets[0].Auth = config.Auth{HeaderName: "Authorization", HeaderValue: wire.NewSecret(key)}
		return c
	}
	f := newFixture(t)
	first, same, other := f.targetsOf(withKey("Bearer 1")), f.targetsOf(withKey("Bearer 1")), f.targetsOf(withKey("Bearer 2"))
	changed := 0
	for id, target := range first {
		require.Same(t, target, same[id])
		if target != other[id] {
			changed++
		}
	}
	require.Equal(t, 1, changed)
}

func TestDecisionsInFlightFinishWithAReplacedConfiguration(t *testing.T) {
	f := newFixture(t)
	f.apply(balanced(t, 9001))
	old := f.options.Snapshot.Load().Find(server.Match{})
	f.apply(balanced(t, 9002))
	plan := old.Router.Route(context.Background(), router.Request{Prompt: "hello", Needs: router.Needs{RouteType: "llm/v1/chat"}})
	require.Len(t, plan.Targets, 2)
	retired := f.instances()[old.ID]
	require.ElementsMatch(t, plan.Targets, slices.Collect(maps.Keys(retired.Targets)), "the next attempts find the retired instance")
	require.NoError(t, f.expire(t.Context(), time.Now()))
	require.Len(t, f.replaced, 1, "a decision may be in flight")
}

func TestARefusedConfigurationRegistersNoTarget(t *testing.T) {
	f := newFixture(t)
	f.apply(balanced(t, 9001))
	before := f.options.Circuits.Targets()
	require.Len(t, before, 2)

	refused := balanced(t, 9002)
	refused.Plugins = append(refused.Plugins, refused.Plugins[0])
	refused.Plugins[1].Settings.Balancer.Retries = -1
	require.ErrorContains(t, f.Apply(t.Context(), refused), "make router")
	require.ElementsMatch(t, before, f.options.Circuits.Targets())

	f.control.refuses = errors.New("refused")
	require.ErrorIs(t, f.Apply(t.Context(), balanced(t, 9003)), f.control.refuses)
	require.ElementsMatch(t, before, f.options.Circuits.Targets())
}

func TestTargetsWithoutACredentialAreNamedInTheLog(t *testing.T) {
	f := newFixture(t)
	f.apply(balanced(t, 9001))
	require.Contains(t, f.logged.String(), "this target and 1 more have no credential")
}

// An Envoy that is configured from a file has the clusters of that file only.
func TestNewClustersThatNoEnvoyReceivesAreAWarning(t *testing.T) {
	const warning = "no Envoy receives"
	f := newFixture(t)
	f.apply(balanced(t, 9001))
	require.NotContains(t, f.logged.String(), warning, "the file may be printed after semlb has started")
	f.apply(balanced(t, 9001, ", retries: 1"))
	require.NotContains(t, f.logged.String(), warning, "the clusters are the same")
	f.apply(balanced(t, 9002))
	require.Contains(t, f.logged.String(), warning)
	require.Contains(t, f.logged.String(), "9002")
	require.NotContains(t, f.logged.String(), "9001")
}
