package faults_test

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/process"
)

// silent is a name about which the DNS server of these tests never answers, and lateName
// another one.
const (
	silent   = "silent.test"
	lateName = "silent-too.test"
)

// newSilentResolver is a DNS server that says nothing about the silent names.
func newSilentResolver(t *testing.T) *harness.Resolver {
	t.Helper()
	r := harness.NewResolver(t)
	r.Set(silent, harness.Name{Silent: true})
	r.Set(lateName, harness.Name{Silent: true})
	return r
}

// named returns what gives the first targets names instead of addresses.
func (w *world) named(t *testing.T, names ...string) func(*harness.Plugin) {
	return func(p *harness.Plugin) {
		for i, name := range names {
			p.Targets[i].URL = urlOf(t, w.stubs()[i], name)
		}
	}
}

// requireOthersServed checks that a target with an address is served, and that a request
// to one whose name is not resolved moves on.
func (w *world) requireOthersServed() {
	w.t.Helper()
	w.reset()
	w.awaitGood()
	require.Equal(w.t, codeModel, w.servedBy(chat(code)))
	require.Equal(w.t, cook2Model, w.servedBy(chat(cooking)))
	require.Empty(w.t, w.cook1.Requests())
}

// requireUnresolved checks by Envoy's statistics that it still waits for an answer about
// each of the names: that none of what was served before had to wait for it.
func requireUnresolved(t *testing.T, stats string, names ...string) {
	t.Helper()
	for _, name := range names {
		attempts, failures := 0, 0
		for line := range strings.Lines(stats) {
			if !strings.Contains(line, name) {
				continue
			}
			attempts += strings.Count(line, ".update_attempt: 1\n")
			failures += strings.Count(line, ".update_failure: 0\n")
		}
		require.Equal(t, []int{1, 1}, []int{attempts, failures}, "queries for %s, begun and not ended:\n%s", name, stats)
	}
}

// queryStats are Envoy's statistics of queries.
const queryStats = "/stats?filter=" + `update_(attempt|failure)$`

func TestFault30ResolverSilentAtTheStart(t *testing.T) {
	r := begin(t, "DNS server that never answers about the first target's name: `semlb run`, and kill -9 of its Envoy")
	resolver := newSilentResolver(t)
	dir := harness.SocketDir(t)
	t.Setenv("TMPDIR", dir)
	w := newTargets(t)
	listen, status := harness.FreeAddress(t), harness.FreeAddress(t)
	w.Gateway = harness.NewGateway(t, listen, status)
	file := harness.WriteConfig(t, w.configuration(options{plugin: w.named(t, silent)}))
	p := process.Start(t, harness.Build(t), "run", "-c", file, "--listen", listen, "--status", status, "--admin", "off",
		"--envoy", harness.Envoy(t), "--hop", harness.Hop(), "--embeddings", "builtin", "--vectordb", "memory",
		"--decision-budget", "10s", "--drain", "1s", "--dns-resolver", resolver.Address)
	w.log = p.Log
	harness.AwaitReady(t, w.Status)
	w.requireOthersServed()
	requireUnresolved(t, harness.ChildAdmin(t, dir, queryStats), silent)
	r.saw("ready, others served, its requests moved on, all before the query ended")

	restarts := w.metric("semlb_envoy_restarts_total")
	children, err := p.Children()
	require.NoError(t, err)
	require.Len(t, children, 1)
	require.NoError(t, syscall.Kill(children[0], syscall.SIGKILL))
	require.Eventually(t, func() bool { return w.metric("semlb_envoy_restarts_total") > restarts }, waitLimit, waitStep)
	harness.AwaitReady(t, w.Status)
	w.requireOthersServed()
	requireUnresolved(t, harness.ChildAdmin(t, dir, queryStats), silent)
	r.saw("the same after kill -9")
}

func TestFault30ResolverSilentBesideAnotherEnvoy(t *testing.T) {
	r := begin(t, "the same beside an Envoy of one's own: at its start, after its kill -9, and after a reload that adds a target with such a name")
	resolver := newSilentResolver(t)
	d := deploy(t, options{envoy: []string{"--dns-resolver", resolver.Address}})
	d.code.Reset()
	d.envoy.Kill()
	text := d.configuration(options{plugin: d.named(t, silent)})
	d.reload(text)
	for range 2 {
		d.startEnvoy()
		d.requireOthersServed()
		requireUnresolved(t, d.queryStats(), silent)
		d.envoy.Kill()
	}
	r.saw("others served before the query ended")

	d.startEnvoy()
	d.requireOthersServed()
	d.reload(d.configuration(options{plugin: func(p *harness.Plugin) {
		d.named(t, silent)(p)
		added := p.Targets[0]
		added.Model, added.Weight, added.URL = "added", 300, urlOf(t, d.cook1, lateName)
		p.Targets = append(p.Targets, added)
	}}))
	d.requireOthersServed()
	requireUnresolved(t, d.queryStats(), lateName)
	resolver.Set(lateName, harness.At("127.0.0.1"))
	require.Eventually(t, func() bool { return d.servedBy(chat(cooking)) == cook1Model }, waitLimit, 10*waitStep)
	r.saw("reload in force at once, and its target served as soon as the name was resolved")
}

func TestFault30ResolverSilentWithoutControlPlane(t *testing.T) {
	r := begin(t, "the same for an Envoy with its configuration from a file, and for one of two replicas' --grpc-address")
	resolver := newSilentResolver(t)
	d := deploy(t, options{})
	d.envoy.Kill()
	d.reload(d.configuration(options{plugin: d.named(t, silent)}))
	names := []string{"--dns-resolver", resolver.Address, "--grpc-address", lateName + ":8081", "--grpc-address", d.grpc}
	listen := strings.TrimPrefix(d.URL, "http://")
	for _, flags := range [][]string{
		slices.Concat([]string{"--static", "-c", d.file, "--listen", listen, "--embeddings", "builtin", "--vectordb", "memory"}, names),
		names,
	} {
		d.print = flags
		d.startEnvoy()
		d.requireOthersServed()
		requireUnresolved(t, d.queryStats(), silent)
		d.envoy.Kill()
	}
	r.saw("others served before either query ended")
}

func (d *deployment) queryStats() string {
	d.t.Helper()
	answer := harness.Get(d.t, "http://"+d.admin+queryStats)
	require.Equal(d.t, http.StatusOK, answer.Status)
	return answer.Body
}

// reload changes the configuration and waits until it is in force.
func (d *deployment) reload(text string) {
	d.t.Helper()
	applied, _ := d.reloads()
	require.NoError(d.t, os.WriteFile(d.file+".new", []byte(text), 0o600))
	require.NoError(d.t, os.Rename(d.file+".new", d.file))
	require.Eventually(d.t, func() bool { n, _ := d.reloads(); return n > applied }, waitLimit, waitStep)
}
