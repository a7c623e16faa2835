package faults_test

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"golang.org/x/net/dns/dnsmessage"

	"semlb/test/harness"
)

// names is a world with a route for each of some names, /NAME: its first target is at
// NAME.test, and its second one at an address.
type names struct {
	*world
	resolver *harness.Resolver
	second   *harness.Stub
}

const secondModel = "second"

// startNames starts such a world. Each route has the model of its name's first target.
func startNames(t *testing.T, r *harness.Resolver, second *harness.Stub, routes map[string]harness.Plugin, flags ...string) *names {
	t.Helper()
	w := start(t, options{config: routed(t, routes), flags: append(flags, "--dns-resolver", r.Address)})
	return &names{world: w, resolver: r, second: second}
}

// byName is the plugin of a name's route. first has the scheme and the port of the name's
// URL.
func byName(t *testing.T, name string, first, second *harness.Stub) harness.Plugin {
	return harness.Plugin{
		Algorithm: "priority", Failover: harness.SeedCriteria(),
		Targets: []harness.Target{
			{URL: urlOf(t, first, name+".test"), Model: name, Weight: 200},
			{URL: second.URL, Model: secondModel, Weight: 100},
		},
	}
}

// urlOf is the URL of a stub by a name.
func urlOf(t *testing.T, s *harness.Stub, name string) string {
	t.Helper()
	u, err := url.Parse(s.URL)
	require.NoError(t, err)
	u.Host = net.JoinHostPort(name, u.Port())
	return u.String()
}

// portOf is an address with the port of a stub.
func portOf(t *testing.T, s *harness.Stub, address string) netip.AddrPort {
	t.Helper()
	own, err := netip.ParseAddrPort(s.Authority)
	require.NoError(t, err)
	return netip.AddrPortFrom(netip.MustParseAddr(address), own.Port())
}

// routed is a configuration with a plugin on the route of each name.
func routed(t *testing.T, plugins map[string]harness.Plugin) string {
	t.Helper()
	var routes, all []any
	for name, p := range plugins {
		routes = append(routes, map[string]any{"name": name, "paths": []string{"/" + name}})
		var file struct{ Plugins []map[string]any }
		require.NoError(t, yaml.Unmarshal([]byte(harness.Config(p)), &file))
		file.Plugins[0]["route"] = name
		all = append(all, file.Plugins[0])
	}
	text, err := yaml.Marshal(map[string]any{"_format_version": "3.0", "routes": routes, "plugins": all})
	require.NoError(t, err)
	return string(text)
}

// ask sends a request to the route of a name.
func (n *names) ask(name string) harness.Answer {
	n.t.Helper()
	return n.Do(n.client, n.Request(n.t.Context(), "/"+name, strings.NewReader(chat(cooking))))
}

// requireServed checks that a request to the route of a name is served by that model.
func (n *names) requireServed(name, model string) harness.Answer {
	n.t.Helper()
	answer := n.ask(name)
	require.Equal(n.t, http.StatusOK, answer.Status, "%s: %s", name, answer.Body)
	require.Equal(n.t, "openai/"+model, answer.Header.Get("X-Kong-Llm-Model"), name)
	return answer
}

// awaitFirst waits until requests to the route of a name are served by its first target.
// Until then its second one serves them.
func (n *names) awaitFirst(name string) {
	n.t.Helper()
	require.Eventually(n.t, func() bool {
		answer := n.ask(name)
		require.Equal(n.t, http.StatusOK, answer.Status, "%s: %s", name, answer.Body)
		return answer.Header.Get("X-Kong-Llm-Model") == "openai/"+name
	}, waitLimit, 10*waitStep, name)
}

// awaitQueries waits until something has been answered anew about names: until each was
// queried for more than once again.
func (n *names) awaitQueries(all ...string) {
	n.t.Helper()
	before := make(map[string]int)
	for _, name := range all {
		before[name] = n.resolver.Asked(name + ".test")
	}
	require.Eventually(n.t, func() bool {
		for _, name := range all {
			if n.resolver.Asked(name+".test") < before[name]+4 {
				return false
			}
		}
		return true
	}, waitLimit, 10*waitStep)
}

func TestFault30ResolverMalformed(t *testing.T) {
	const each = 8
	r := begin(t, "DNS server whose answers about half of the names are no DNS messages, while it takes a moment for the others")
	first, second, resolver := harness.NewStub(t, "first"), harness.NewStub(t, secondModel), harness.NewResolver(t)
	routes := make(map[string]harness.Plugin)
	for i := range each {
		good, bad := fmt.Sprint("good", i), fmt.Sprint("bad", i)
		routes[good], routes[bad] = byName(t, good, first, second), byName(t, bad, first, second)
		at := harness.At("127.0.0.1")
		at.After = 200 * time.Millisecond
		resolver.Set(good+".test", at)
		resolver.Set(bad+".test", harness.Name{Malformed: true})
	}
	n := startNames(t, resolver, second, routes)
	for i := range each {
		n.requireServed(fmt.Sprint("good", i), fmt.Sprint("good", i))
		n.requireServed(fmt.Sprint("bad", i), secondModel)
	}
	r.saw("%d names: the first target serves, at once; %d others: the next one", each, each)
}

func TestFault30ResolverAnswers(t *testing.T) {
	r := begin(t, "DNS server that is slow, or answers with nothing, SERVFAIL, NXDOMAIN, IPv6 only, 200 addresses of which one is up, other addresses than before; or so after it had answered")
	first, second, third := harness.NewStub(t, "first"), harness.NewStub(t, secondModel), harness.NewStubAt(t, "third", "[::1]:0")
	moved := harness.NewStubAt(t, "moved", portOf(t, first, "127.0.0.2").String())
	first.OncePerConnection() // so that its connections do not hide a new address
	resolver := harness.NewResolver(t)
	var many []string
	for i := range 200 {
		many = append(many, fmt.Sprintf("127.1.0.%d", i))
	}
	loopback := harness.At("127.0.0.1")
	later := map[string]harness.Name{
		"nothing": {}, "servfail": {Code: dnsmessage.RCodeServerFailure}, "nxdomain": {Code: dnsmessage.RCodeNameError},
	}
	kept := map[string]harness.Name{
		"keptnothing": {}, "keptservfail": {Code: dnsmessage.RCodeServerFailure},
		"keptnxdomain": {Code: dnsmessage.RCodeNameError}, "keptsilent": {Silent: true},
	}
	routes := map[string]harness.Plugin{"six": byName(t, "six", third, second)}
	add := func(name string, answer harness.Name) {
		routes[name] = byName(t, name, first, second)
		resolver.Set(name+".test", answer)
	}
	slow := loopback
	slow.After = 3500 * time.Millisecond
	add("slow", slow)
	add("moving", loopback)
	add("many", harness.At(append(many, "127.0.0.1")...))
	resolver.Set("six.test", harness.At("::1"))
	for name, answer := range later {
		add(name, answer)
	}
	for name := range kept {
		add(name, loopback)
	}
	soon := loopback
	soon.After = 200 * time.Millisecond
	add("soon", soon)
	n := startNames(t, resolver, second, routes)
	n.requireServed("soon", "soon") // ready means that names are resolved where that takes no longer
	for name := range later {
		n.requireServed(name, secondModel)
	}
	for _, name := range []string{"slow", "six", "many", "moving"} {
		n.awaitFirst(name)
	}
	for name, answer := range kept {
		n.awaitFirst(name)
		resolver.Set(name+".test", answer)
	}
	for name := range later {
		resolver.Set(name+".test", loopback)
	}
	resolver.Set("moving.test", harness.At("127.0.0.2"))
	for name := range later {
		n.awaitFirst(name)
	}
	require.Eventually(t, func() bool { n.requireServed("moving", "moving"); return len(moved.Requests()) > 0 }, waitLimit, 10*waitStep)
	r.saw("the next target serves until there is an address, then the first one")
	n.awaitQueries("keptnothing", "keptservfail", "keptnxdomain")
	for name := range kept {
		n.requireServed(name, name)
	}
	r.saw("the last addresses serve while there are no others")
}
