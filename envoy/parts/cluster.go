package parts

import (
	"net"
	"net/netip"
	"strconv"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"semlb/envoy"
)

// Upstream is a distinct way to reach an endpoint: it becomes one cluster.
type Upstream struct {
	// Scheme is http or https.
	Scheme string
	// Host is a DNS name or an IP address, without brackets.
	Host string
	Port uint16
	// ConnectTimeout bounds the connection and the TLS handshake.
	ConnectTimeout time.Duration
	// WriteTimeout is the longest time that sent bytes may stay unacknowledged.
	WriteTimeout time.Duration
}

// Name is the cluster's name: readable, and different for every distinct upstream.
func (u Upstream) Name() string {
	return envoy.ClusterName(u.Scheme, net.JoinHostPort(u.Host, strconv.Itoa(int(u.Port))), u.ConnectTimeout, u.WriteTimeout)
}

// unlimited is far above anything one Envoy can hold.
const unlimited = 1_000_000

// unlimitedBreakers switch Envoy's circuit breakers off: their defaults of 1,024 requests
// and 3 retries would refuse requests that are only waiting for a model.
func unlimitedBreakers() *clusterv3.CircuitBreakers {
	return &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{{
		MaxConnections:     wrapperspb.UInt32(unlimited),
		MaxPendingRequests: wrapperspb.UInt32(unlimited),
		MaxRequests:        wrapperspb.UInt32(unlimited),
		MaxRetries:         wrapperspb.UInt32(unlimited),
	}}}
}

// upstreamCluster is the cluster of one endpoint. trust is the file of the certificate
// authorities that verify providers' certificates.
func upstreamCluster(u Upstream, trust string) *clusterv3.Cluster {
	c := &clusterv3.Cluster{
		Name:                          u.Name(),
		ConnectTimeout:                durationpb.New(u.ConnectTimeout),
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(relayBuffer),
		CircuitBreakers:               unlimitedBreakers(),
		LoadAssignment:                loadAssignment(u.Name(), socketAddress(u.Host, u.Port)),
		UpstreamBindConfig:            writeTimeout(u.WriteTimeout),
		UpstreamConnectionOptions:     keepAlive(),
	}
	discover(c, u.Host)
	common := providerHead.ofResponses()
	common.IdleTimeout = durationpb.New(providerIdle)
	if !isIP(u.Host) {
		common.MaxConnectionDuration = durationpb.New(namedAge)
	}
	options := &httpv3.HttpProtocolOptions{
		CommonHttpProtocolOptions: common,
		UpstreamProtocolOptions:   onlyHTTP1(),
	}
	if u.Scheme == "https" {
		c.TransportSocket = tlsSocket(u, trust)
		options.UpstreamProtocolOptions = &httpv3.HttpProtocolOptions_AutoConfig{
			AutoConfig: &httpv3.HttpProtocolOptions_AutoHttpConfig{Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
				InitialStreamWindowSize:     wrapperspb.UInt32(answerWindow),
				InitialConnectionWindowSize: wrapperspb.UInt32(answersWindow),
			}},
		}
	}
	c.TypedExtensionProtocolOptions = httpOptions(options)
	return c
}

// known is a cluster without hosts, whose metadata lists those of providers. Envoy takes in
// all clusters of an update together, and routes a little later.
func known(c Config) *clusterv3.Cluster {
	return &clusterv3.Cluster{
		Name:                 envoy.KnownCluster,
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC},
		ConnectTimeout:       durationpb.New(time.Second),
		LoadAssignment:       loadAssignment(envoy.KnownCluster),
		Metadata:             c.clusterMetadata(),
	}
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// Linux's TCP_USER_TIMEOUT (tcp(7)): milliseconds that sent data may stay
// unacknowledged, or unsent for a closed window, before the connection is reset.
// Envoy has no write timeout of its own.
const (
	ipprotoTCP     = 6
	tcpUserTimeout = 18
)

func writeTimeout(d time.Duration) *corev3.BindConfig {
	return &corev3.BindConfig{
		SocketOptions: []*corev3.SocketOption{{
			Description: "write_timeout",
			Level:       ipprotoTCP,
			Name:        tcpUserTimeout,
			Value:       &corev3.SocketOption_IntValue{IntValue: d.Milliseconds()},
			State:       corev3.SocketOption_STATE_PREBIND,
		}},
	}
}

// providerIdle is how long a connection to a provider is kept without a request: Kong's
// upstream_keepalive_idle_timeout. Many networks drop connections that are idle for a few
// minutes without telling either end; Envoy's default of an hour is longer than that.
const providerIdle = time.Minute

// namedAge is how long requests are sent on one connection to a name. Before Envoy 1.39 a
// connection in use would stay at an address that the name has lost.
const namedAge = time.Minute

// keepAlive makes the kernel find out that the other end of a connection is gone, also
// while a model thinks and nothing is sent. write_timeout bounds how long that takes
// (TCP_USER_TIMEOUT, which then counts instead of the number of probes).
func keepAlive() *clusterv3.UpstreamConnectionOptions {
	return &clusterv3.UpstreamConnectionOptions{TcpKeepalive: &corev3.TcpKeepalive{
		KeepaliveTime:     wrapperspb.UInt32(30),
		KeepaliveInterval: wrapperspb.UInt32(10),
		KeepaliveProbes:   wrapperspb.UInt32(3),
	}}
}

// tlsSocket verifies the certificate and its name. trust is a file of certificate
// authorities.
func tlsSocket(u Upstream, trust string) *corev3.TransportSocket {
	sni, kind := u.Host, tlsv3.SubjectAltNameMatcher_DNS
	if isIP(u.Host) {
		// RFC 6066 permits no address as a server name.
		sni, kind = "", tlsv3.SubjectAltNameMatcher_IP_ADDRESS
	}
	validation := &tlsv3.CertificateValidationContext{
		TrustedCa: &corev3.DataSource{Specifier: &corev3.DataSource_Filename{Filename: trust}},
		MatchTypedSubjectAltNames: []*tlsv3.SubjectAltNameMatcher{{
			SanType: kind,
			Matcher: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: u.Host}},
		}},
	}
	return transportSocket("envoy.transport_sockets.tls", &tlsv3.UpstreamTlsContext{
		Sni: sni,
		CommonTlsContext: &tlsv3.CommonTlsContext{
			ValidationContextType: &tlsv3.CommonTlsContext_ValidationContext{ValidationContext: validation},
		},
	})
}

func loadAssignment(name string, addresses ...*corev3.Address) *endpointv3.ClusterLoadAssignment {
	endpoints := new(endpointv3.LocalityLbEndpoints)
	for _, a := range addresses {
		endpoints.LbEndpoints = append(endpoints.LbEndpoints, &endpointv3.LbEndpoint{
			HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: a}},
		})
	}
	return &endpointv3.ClusterLoadAssignment{ClusterName: name, Endpoints: []*endpointv3.LocalityLbEndpoints{endpoints}}
}

func socketAddress(host string, port uint16) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       host,
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(port)},
	}}}
}

func pipeAddress(path string) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: path}}}
}
