package parts

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	"semlb/envoy"
)

// Config is what the parts are made from. Equal configurations give equal parts, byte
// for byte.
type Config struct {
	// ListenHost is an IP address. ListenPort may be 0 in tests only.
	ListenHost string
	ListenPort uint16
	// Service is where semlb's gRPC server listens, and Replicas where those of other
	// processes with the same configuration do.
	Service  Endpoint
	Replicas []Endpoint
	// HopSocket is the Unix socket of the inner listener, on Envoy's machine; "" makes it
	// an internal listener, which no other process can reach.
	HopSocket string
	// Memory is what Envoy may take, in bytes; 0 is [DefaultMemory].
	Memory int64
	// BodyLimit is the largest request body that any instance accepts, in bytes.
	BodyLimit int64
	// Routes are Kong's routes. Requests that none of them matches are answered 404.
	Routes []Route
	// Upstreams are the endpoints of all targets; duplicates are merged.
	Upstreams []Upstream
	// IdleTimeouts are the read timeouts in use; duplicates are merged.
	IdleTimeouts []time.Duration
	// SendTimeout is how long a client may stop reading an answer before it is cut, where
	// that is longer than the attempt's idle timeout.
	SendTimeout time.Duration
	// TrustedCA is the file of certificate authorities, on Envoy's machine.
	TrustedCA string
	// DecisionBudget bounds a decision of semlb's; Envoy waits a little longer.
	DecisionBudget time.Duration
	// Resolvers are the DNS servers that Envoy queries; none means those of its machine.
	Resolvers []netip.AddrPort
	// ResolverPerName gives the cluster of each name a resolver of its own, in the place of the
	// one of Envoy's bootstrap: an answer that is no DNS message ends all queries under way of
	// a resolver.
	ResolverPerName bool
}

// DefaultMemory and MinMemory bound Config.Memory, in bytes.
const (
	DefaultMemory = 1 << 30
	MinMemory     = 128 << 20
)

// messageTimeout bounds the external processor's answer. It is always longer than a
// decision may take, so that semlb's own answer arrives first.
func (c Config) messageTimeout() *durationpb.Duration {
	return durationpb.New(c.DecisionBudget + 4*time.Second)
}

// upstreams are the endpoints of all targets, each once, sorted by name.
func (c Config) upstreams() []Upstream {
	all := slices.Clone(c.Upstreams)
	slices.SortFunc(all, func(a, b Upstream) int { return cmp.Compare(a.Name(), b.Name()) })
	return slices.Compact(all)
}

// clusterMetadata lists the clusters of the upstreams for [envoy.AttributeClusters]. It is
// part of routes, so that a change of it drains no connection.
func (c Config) clusterMetadata() *corev3.Metadata {
	var names []string
	for _, u := range c.upstreams() {
		names = append(names, u.Name())
	}
	return &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{envoy.MetadataNamespace: {
		Fields: map[string]*structpb.Value{envoy.KeyClusters: structpb.NewStringValue(string(envoy.ListClusters(names)))},
	}}}
}

// Endpoint is where a server listens: a Unix socket if Path is set, else TCP on a
// host that is an IP address or a DNS name.
type Endpoint struct {
	Path string
	Host string
	Port uint16
}

// Address is the endpoint in Envoy's configuration.
func (e Endpoint) Address() *corev3.Address {
	if e.Path != "" {
		return pipeAddress(e.Path)
	}
	return socketAddress(e.Host, e.Port)
}

// isName reports whether the endpoint has to be resolved.
func (e Endpoint) isName() bool { return e.Path == "" && !isIP(e.Host) }
