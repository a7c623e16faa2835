package envoy

import (
	"cmp"
	"slices"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// Config is what Envoy's resources are made from. The same Config gives the same
// resources, byte for byte.
type Config struct {
	// ListenHost is an IP address; ListenPort may be 0 in tests only.
	ListenHost string
	ListenPort uint16
	// Service is where semlb's gRPC server listens, and Replicas where others do that
	// have the same configuration.
	Service  Endpoint
	Replicas []Endpoint
	// HopSocket is the Unix socket of the inner listener, on Envoy's machine; with ""
	// it is an internal listener, which only this Envoy can reach.
	HopSocket string
	// BodyLimit is the largest request body any instance accepts, in bytes.
	BodyLimit int64
	// Routes are Kong's routes. What none of them takes is answered 404.
	Routes []Route
	// Credentials identify consumers.
	Credentials Credentials
	// Upstreams are the endpoints of all targets; duplicates are merged.
	Upstreams []Upstream
	// IdleTimeouts are the read timeouts in use; duplicates are merged.
	IdleTimeouts []time.Duration
	// TrustedCA is the file of certificate authorities, on Envoy's machine.
	TrustedCA string
	// DecisionBudget bounds semlb's own decision; Envoy waits a little longer.
	DecisionBudget time.Duration
	// Static puts the routes into the listeners instead of serving them over xDS.
	Static bool
}

// Endpoint is where a server listens: a Unix socket if Path is set, else TCP on a
// host that is an IP address or a DNS name.
type Endpoint struct {
	Path string
	Host string
	Port uint16
}

func (e Endpoint) address() *corev3.Address {
	if e.Path != "" {
		return pipeAddress(e.Path)
	}
	return socketAddress(e.Host, e.Port)
}

// messageTimeout is how long Envoy waits for an answer of the external processor:
// always longer than a decision may take.
func (c Config) messageTimeout() time.Duration { return c.DecisionBudget + 4*time.Second }

// Resources is a complete configuration of the data plane.
type Resources struct {
	Listeners []*listenerv3.Listener
	Routes    []*routev3.RouteConfiguration
	Clusters  []*clusterv3.Cluster
}

// NewResources makes the two listeners, their routes and one cluster for each
// distinct upstream, sorted by name. semlb's own cluster is part of it only if
// the configuration is static: over xDS it is in the bootstrap.
func NewResources(c Config) Resources {
	c.IdleTimeouts = slices.Compact(slices.Sorted(slices.Values(c.IdleTimeouts)))
	upstreams := slices.Clone(c.Upstreams)
	slices.SortFunc(upstreams, func(a, b Upstream) int { return cmp.Compare(a.Name(), b.Name()) })
	upstreams = slices.Compact(upstreams)

	l := limitsFor(c.BodyLimit)
	r := Resources{
		Listeners: []*listenerv3.Listener{outer(c), inner(c)},
		Clusters:  []*clusterv3.Cluster{hop(l.innerConnection, c.HopSocket)},
	}
	if c.Static {
		r.Clusters = append(r.Clusters, service(c.Service, c.Replicas...))
	} else {
		r.Routes = []*routev3.RouteConfiguration{outerRouteConfig(l, c.Routes), innerRouteConfig(l, c.IdleTimeouts)}
	}
	for _, u := range upstreams {
		r.Clusters = append(r.Clusters, upstreamCluster(u, l.innerConnection, c.TrustedCA))
	}
	return r
}
