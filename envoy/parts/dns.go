package parts

import (
	"net/netip"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	caresv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/network/dns_resolver/cares/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// A name must not delay what does not need it. A cluster of a name is initialized when its
// first query has ended, which takes two minutes by default if the DNS server does not
// answer. Until then an Envoy that starts has no listener, and one that runs acknowledges
// no clusters, so no change of the configuration comes into force.

// discover makes Envoy resolve a host, unless it is an address. All addresses of a name
// are one endpoint: Envoy connects to the first one, to the next one if that fails, or if
// it takes longer than 300 ms, and gives up when all have failed, or connect_timeout has
// elapsed (RFC 8305). An error, or an answer without addresses, leaves the last ones in
// force. Requests before the first answer fail at once.
func discover(c *clusterv3.Cluster, host string) {
	if isIP(host) {
		c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}
		return
	}
	c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_LOGICAL_DNS}
	resolve(c)
}

// discoverReplicas makes Envoy resolve names of which every address is a server of its
// own.
func discoverReplicas(c *clusterv3.Cluster) {
	c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STRICT_DNS}
	resolve(c)
}

func resolve(c *clusterv3.Cluster) {
	c.DnsLookupFamily = clusterv3.Cluster_V4_PREFERRED
	c.WaitForWarmOnInit = wrapperspb.Bool(false)
}

// queryTries is how often a query is sent to a DNS server, 5 s apart, as resolv.conf(5) has
// it. Envoy's default of 4, with growing pauses, finds out half a minute late that the
// server is back.
const queryTries = 2

// resolver is how Envoy resolves names; servers are those that it queries, none means
// those of /etc/resolv.conf.
func resolver(servers []netip.AddrPort) *corev3.TypedExtensionConfig {
	c := &caresv3.CaresDnsResolverConfig{QueryTries: wrapperspb.UInt32(queryTries)}
	for _, s := range servers {
		c.Resolvers = append(c.Resolvers, socketAddress(s.Addr().String(), s.Port()))
	}
	return extension("envoy.network.dns_resolver.cares", c)
}
