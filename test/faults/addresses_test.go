package faults_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/ca"
	"semlb/test/harness"
)

// mute accepts connections at an address and says nothing.
func mute(t *testing.T, address string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
}

func TestFault33DeadAddresses(t *testing.T) {
	const connectTimeout, requests = 4 * time.Second, 20
	r := begin(t, "name with several addresses: the first ones refuse, drop packets, accept without a TLS handshake; or all of them do. max_fails 1")
	authority, second, resolver := ca.New(t), harness.NewStub(t, secondModel), harness.NewResolver(t)
	first := harness.NewStub(t, "first").OncePerConnection()
	secure := harness.NewTLSStub(t, "secure", authority, "secure.test").OncePerConnection()
	// 127.0.0.1 is up. Nothing listens at 127.0.0.2, and these drop packets:
	holes := []string{"127.0.0.3", "127.0.0.4", "127.0.0.5"}
	for _, address := range holes {
		harness.SilentAt(t, portOf(t, first, address))
	}
	mute(t, portOf(t, secure, "127.0.0.3").String())
	routes := make(map[string]harness.Plugin)
	add := func(name string, s *harness.Stub, timeout time.Duration, addresses ...string) {
		p := byName(t, name, s, second)
		p.ConnectTimeout, p.Balancer = int(timeout.Milliseconds()), map[string]any{"max_fails": 1}
		routes[name] = p
		resolver.Set(name+".test", harness.At(addresses...))
	}
	add("refused", first, time.Minute, "127.0.0.2", "127.0.0.1")
	add("hole", first, time.Minute, "127.0.0.3", "127.0.0.1")
	add("several", first, time.Minute, "127.0.0.2", "127.0.0.3", "127.0.0.6", "127.0.0.4", "127.0.0.1")
	add("secure", secure, time.Minute, "127.0.0.3", "127.0.0.1")
	add("gone", first, time.Minute, "127.0.0.2", "127.0.0.6")
	add("holes", first, connectTimeout, holes...)

	n := startNames(t, resolver, second, routes, "--trusted-ca", authority.File)
	for name, count := range map[string]int{"refused": requests, "hole": 3, "several": 3, "secure": 3} {
		n.awaitFirst(name)
		for range count {
			answer := n.requireServed(name, name)
			n.awaitLog("msg=request", answer.Header.Get("X-Kong-Request-Id"), "attempts=1")
		}
		require.Zero(t, n.metric("semlb_attempts_total", "model", name, "result", "error"), name)
		require.Zero(t, n.metric("semlb_attempts_total", "model", name, "result", "timeout"), name)
		require.Zero(t, n.logs("target is out", name), name)
	}
	r.saw("all served by the live address: one attempt each, none that failed")

	n.requireServed("gone", secondModel)
	n.awaitLog("msg=attempt", "model=openai/gone", "attempt=1", "result=error", "transport=refused")
	n.awaitLog("target is out", "openai/gone")
	answer := n.requireServed("holes", secondModel)
	n.awaitLog("msg=attempt", "model=openai/holes", "attempt=1", "result=timeout")
	require.GreaterOrEqual(t, answer.Took, connectTimeout)
	require.Less(t, answer.Took, time.Duration(len(holes))*connectTimeout, "connect_timeout is for all addresses together")
	r.saw("all dead: one failed attempt, next target, after connect_timeout where packets are dropped (%s)", answer.Took.Round(100*time.Millisecond))
}
