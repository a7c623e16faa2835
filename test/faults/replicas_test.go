package faults_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"semlb/test/harness"
	"semlb/test/process"
)

// replicas are two processes of semlb behind one Envoy, one with an old configuration, and
// one with a new one, which differ in another way for each of their routes. The first
// targets of every route fail.
type replicas struct {
	t       *testing.T
	client  *http.Client
	gateway *harness.Gateway
	admin   string // the URL of Envoy's admin interface
	changes []change
	old     *replica
	new     *replica

	// failing and alsoFailing fail, well, other and idle do not.
	failing, alsoFailing, well, other, idle *harness.Stub
}

// replica is one process of semlb.
type replica struct {
	*process.Process
	args         []string
	grpc, status string
}

// change is what the old and the new configuration have for a route; nil for no route.
type change struct {
	name     string
	old, new *harness.Plugin

	// prompt is what requests ask, key a credential of their own, and by the only target
	// that may serve them: each is the usual one if empty.
	prompt, key, by string
}

func newReplicas(t *testing.T) *replicas {
	t.Helper()
	w := &replicas{
		t: t, client: harness.NewClient(t, harness.HTTP1), admin: "http://" + harness.FreeAddress(t),
		failing: harness.NewStub(t, "failing"), alsoFailing: harness.NewStub(t, "also-failing"),
		well: harness.NewStub(t, "well"), other: harness.NewStub(t, "other"), idle: harness.NewStub(t, "idle"),
	}
	w.reset()
	w.changes = w.allChanges()
	w.configure()
	return w
}

// configure prepares both replicas.
func (w *replicas) configure() {
	w.t.Helper()
	listen := harness.FreeAddress(w.t)
	w.gateway = harness.NewGateway(w.t, listen, "")
	hop := []string{"--listen", listen, "--hop", harness.Hop(), "--hop-socket", harness.SocketDir(w.t) + "/hop"}
	w.old = w.replica(hop, func(c change) *harness.Plugin { return c.old })
	w.new = w.replica(hop, func(c change) *harness.Plugin { return c.new })
}

// reset makes the stubs behave as their names say, and forgets their requests.
func (w *replicas) reset() {
	for _, s := range []*harness.Stub{w.failing, w.alsoFailing, w.well, w.other, w.idle} {
		s.Reset()
	}
	w.failing.Do(harness.Status(429))
	w.alsoFailing.Do(harness.Status(503))
}

// target is a target at a stub, with that stub's key.
func target(s *harness.Stub, model string, weight int) harness.Target {
	return harness.Target{URL: s.URL, Model: model, Weight: weight, Authorization: keyOf(s.Name)}
}

// oddHeader is where only a target of the old configuration has its credential.
const oddHeader = "X-Odd"

func (w *replicas) allChanges() []change {
	plugin := func(change func(*harness.Plugin)) *harness.Plugin {
		p := &harness.Plugin{Algorithm: "priority", Failover: harness.SeedCriteria(), Targets: []harness.Target{
			target(w.failing, "first", 75), target(w.well, "second", 25),
		}}
		change(p)
		return p
	}
	base := func() *harness.Plugin { return plugin(func(*harness.Plugin) {}) }
	third := target(w.alsoFailing, "third", 50)
	return []change{
		{name: "temperature", old: base(), new: plugin(func(p *harness.Plugin) { p.Targets[1].Options = map[string]any{"temperature": 0.5} })},
		{name: "weight", old: base(), new: plugin(func(p *harness.Plugin) { p.Targets[1].Weight = 24 })},
		{name: "connect-timeout", old: base(), new: plugin(func(p *harness.Plugin) { p.ConnectTimeout = 50_000 })},
		{name: "read-timeout", old: base(), new: plugin(func(p *harness.Plugin) { p.ReadTimeout = 50_000 })},
		{name: "model", old: base(), new: plugin(func(p *harness.Plugin) { p.Targets[1].Model = "second-new" })},
		{name: "endpoint", old: base(), new: plugin(func(p *harness.Plugin) { p.Targets[1] = target(w.other, "second", 25) })},
		{name: "endpoints", old: base(), new: plugin(func(p *harness.Plugin) {
			p.Targets = []harness.Target{target(w.alsoFailing, "first", 75), target(w.other, "second", 25)}
		})},
		{name: "key", old: base(), new: plugin(func(p *harness.Plugin) { p.Targets[1].Authorization += "-new" })},
		{name: "key-header", old: plugin(func(p *harness.Plugin) {
			p.Targets[0].Authorization, p.Targets[0].Auth = "", map[string]any{"header_name": oddHeader, "header_value": "odd"}
		}), new: base()},
		{name: "target-added", old: base(), new: plugin(func(p *harness.Plugin) { p.Targets = append(p.Targets, third) })},
		{name: "target-removed", old: plugin(func(p *harness.Plugin) { p.Targets = append(p.Targets, third) }), new: base()},
		{name: "target-replaced", old: base(), new: plugin(func(p *harness.Plugin) { p.Targets[1] = target(w.other, "fourth", 30) })},
		{name: "groups", old: w.groups(cooking), new: w.groups(cooking + " And rice?"), prompt: cooking, by: w.well.Name},
		{
			name: "allow-override", key: clientsKey,
			old: plugin(allowOverride),
			new: plugin(func(p *harness.Plugin) {
				allowOverride(p)
				p.Targets[1].Options = map[string]any{"temperature": 0.5}
			}),
		},
		{name: "allow-override-ended", key: clientsKey, old: plugin(allowOverride), new: base()},
		{name: "route-added", old: nil, new: base()},
		{name: "route-removed", old: base(), new: nil},
	}
}

// groups is a plugin with two groups of targets, of which one has a description.
func (w *replicas) groups(cooks string) *harness.Plugin {
	of := func(description string, t harness.Target) harness.Target {
		t.Description = description
		return t
	}
	const most = 65535 // so that it is first in hardly less than all plans
	return &harness.Plugin{Failover: harness.SeedCriteria(), Targets: []harness.Target{
		of(cooks, target(w.failing, "first", most)), of(cooks, target(w.well, "second", 1)),
		of(code, target(w.alsoFailing, "third", most)), of(code, target(w.other, "fourth", 1)),
	}}
}

// clientsKey is a credential that clients send for targets with allow_override.
const clientsKey = "Bearer clients-own"

func allowOverride(p *harness.Plugin) {
	for i := range p.Targets {
		p.Targets[i].Auth = map[string]any{"allow_override": true}
		p.Targets[i].Model += "-override"
	}
}

// replica prepares a replica with one side of the changes.
func (w *replicas) replica(hop []string, side func(change) *harness.Plugin) *replica {
	plugins := make(map[string]harness.Plugin)
	for _, c := range w.changes {
		if p := side(c); p != nil {
			plugins[c.name] = *p
		}
	}
	r := &replica{grpc: harness.FreeAddress(w.t), status: harness.FreeAddress(w.t)}
	r.args = append([]string{
		"serve", "-c", harness.WriteConfig(w.t, harness.RoutesConfig(plugins)), "--embeddings", "builtin", "--vectordb", "memory",
		"--grpc-socket", "", "--grpc-listen", r.grpc, "--status", r.status, "--admin", "off", "--decision-budget", "10s",
	}, hop...)
	return r
}

func (w *replicas) run(r *replica) {
	w.t.Helper()
	r.Process = process.Start(w.t, harness.Build(w.t), r.args...)
	harness.AwaitReady(w.t, "http://"+r.status)
}

// start starts everything; Envoy has the configuration of the replica first.
func (w *replicas) start(first, second *replica) {
	w.t.Helper()
	w.run(first)
	args := append([]string{"envoy", "--envoy-admin", strings.TrimPrefix(w.admin, "http://"), "--grpc-address", w.old.grpc, "--grpc-address", w.new.grpc},
		first.args[slices.Index(first.args, "--listen"):]...)
	printed := harness.Command(w.t, nil, args...)
	require.Zero(w.t, printed.Code, printed.Stderr)
	harness.RunEnvoy(w.t, printed.Stdout, "--concurrency", "1")
	harness.AwaitListener(w.t, w.gateway.URL)
	w.run(second)
	w.awaitHealthy(2)
}

func (w *replicas) awaitHealthy(n int) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		return harness.EnvoyStat(w.t, w.admin, `^cluster\.semlb_service\.membership_healthy$`) == n
	}, waitLimit, waitStep)
}

// awaitConfigured waits until Envoy's routes list the cluster of a target in both hops.
func (w *replicas) awaitConfigured(target *harness.Stub) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		routes := harness.Get(w.t, w.admin+"/config_dump?resource=dynamic_route_configs").Body
		return strings.Count(routes, "http_"+target.Authority) >= 2
	}, waitLimit, waitStep, "Envoy gets the other replica's configuration")
}

// ask sends a request to a change's route and returns an error unless a target served it.
func (w *replicas) ask(c change) error {
	r := w.gateway.Request(w.t.Context(), "/"+c.name, strings.NewReader(harness.Chat(cmp.Or(c.prompt, "hello"))))
	if c.key != "" {
		r.Header.Set("Authorization", c.key)
	}
	answer, err := harness.Send(w.client, r)
	by := answer.Header.Get("X-Stub")
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", c.name, err)
	case answer.Status != http.StatusOK || by != cmp.Or(c.by, by):
		return fmt.Errorf("%s: %d by %q: %s", c.name, answer.Status, by, answer.Body)
	default:
		return nil
	}
}

// requireKeys checks that each target got its own credential and no other.
func (w *replicas) requireKeys() int {
	w.t.Helper()
	seen := 0
	for _, s := range []*harness.Stub{w.failing, w.alsoFailing, w.well, w.other} {
		for _, got := range s.Requests() {
			seen++
			key := strings.Join(got.Header["Authorization"], ",") + got.Header.Get(oddHeader)
			may := []string{keyOf(s.Name), keyOf(s.Name) + "-new", "odd"}
			if strings.Contains(string(got.Body), "-override") {
				may = append(may, clientsKey)
			}
			require.Contains(w.t, may, key, "at %s", s.Name)
			require.True(w.t, key != "odd" || s == w.failing, "at %s", s.Name)
			for name := range got.Header {
				require.NotContains(w.t, name, "Semlb", "at %s", s.Name)
			}
		}
	}
	return seen
}

// substitutes are the calls for which a replica had not what they were about.
func (w *replicas) substitutes(r *replica, by string) int {
	metrics, err := harness.Scrape(w.t.Context(), "http://"+r.status+"/metrics")
	require.NoError(w.t, err)
	return int(metrics.Sum("semlb_substitutes_total", "by", by))
}

func TestFault31ReplicasThatDiffer(t *testing.T) {
	const each = 12
	r := begin(t, "two replicas, of an old and a new configuration, that differ in options, weight, timeouts, model, endpoints, keys, targets, groups, allow_override and routes; Envoy has either's; the first target of each request fails")
	for _, envoyHas := range []string{"old", "new"} {
		w := newReplicas(t)
		first, second := w.old, w.new
		if envoyHas == "new" {
			first, second = w.new, w.old
		}
		w.start(first, second)
		var all errgroup.Group
		all.SetLimit(8)
		asked := 0
		for _, c := range w.changes {
			if c.old == nil && envoyHas == "old" || c.new == nil && envoyHas == "new" {
				continue // Envoy has no such route
			}
			for range each {
				asked++
				all.Go(func() error { return w.ask(c) })
			}
		}
		require.NoError(t, all.Wait())
		elsewhere := w.substitutes(w.old, "replica") + w.substitutes(w.new, "replica")
		require.NotZero(t, elsewhere)
		r.saw("Envoy has the %s one: %d × 200, %d calls left to the other replica, %d attempts with the right key", envoyHas, asked, elsewhere, w.requireKeys())
	}
}

func TestFault31PlannerEnds(t *testing.T) {
	r := begin(t, "the same; the replica that planned is killed while the first target keeps the request")
	w := newReplicas(t)
	release := make(chan struct{})
	kept := func(x *harness.Exchange) {
		x.Body()
		<-release
		harness.Status(429)(x)
	}
	w.failing.Do(kept)
	w.alsoFailing.Do(kept)
	w.start(w.old, w.new)
	const each = 2
	var mu sync.Mutex
	failed := make(map[string][]string)
	var all sync.WaitGroup
	asked := 0
	for _, c := range w.changes {
		for range each {
			if c.old == nil {
				continue
			}
			asked++
			all.Go(func() {
				if err := w.ask(c); err != nil {
					mu.Lock()
					defer mu.Unlock()
					failed[c.name] = append(failed[c.name], err.Error())
				}
			})
		}
	}
	require.Eventually(t, func() bool { return len(w.failing.Requests())+len(w.alsoFailing.Requests()) == asked }, waitLimit, waitStep)
	w.old.Kill()
	w.awaitHealthy(1)
	w.awaitConfigured(w.other)
	close(release)
	all.Wait()
	for _, err := range failed["route-removed"] { // there is no target for it any more
		require.Contains(t, err, "503")
		require.Contains(t, err, "upstream_unavailable")
	}
	gone := len(failed["route-removed"])
	delete(failed, "route-removed")
	require.Empty(t, failed)
	require.NotZero(t, w.substitutes(w.new, "same_target"))
	require.NotZero(t, w.substitutes(w.new, "other_target"))
	r.saw("%d × 200 by the other replica, %d with the same target; %d × 503 upstream_unavailable for the route that it does not have; %d attempts with the right key",
		asked-gone, w.substitutes(w.new, "same_target"), gone, w.requireKeys())
}
