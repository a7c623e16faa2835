package foreign_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"

	"semlb/envoy/parts"
	"semlb/envoy/render"
	"semlb/test/harness"
)

// defaults is the configuration of kong("route: chat") with the defaults of semlb envoy.
func defaults() parts.Config {
	c := parts.Config{
		ListenHost: "127.0.0.1", ListenPort: 8000,
		Service:        parts.Endpoint{Path: "/tmp/semlb.sock"},
		BodyLimit:      1 << 20,
		Routes:         []parts.Route{{}},
		IdleTimeouts:   []time.Duration{time.Minute},
		DecisionBudget: time.Second,
	}
	for _, host := range []string{"failing", "well"} {
		c.Upstreams = append(c.Upstreams, parts.Upstream{
			Scheme: "http", Host: host, Port: 80, ConnectTimeout: time.Minute, WriteTimeout: time.Minute,
		})
	}
	if harness.Hop() == "uds" {
		c.HopSocket = "/tmp/semlb-hop.sock"
	}
	return c
}

func TestSemlbPrintsTheParts(t *testing.T) {
	printed := bootstrap(t, read(t, printStatic(t, "-c", harness.WriteConfig(t, kong("route: chat")))))
	want := render.Static(parts.New(defaults()), render.Options{NodeID: "semlb"})
	require.Empty(t, cmp.Diff(want, printed, protocmp.Transform()))
}

// TestTheDocumentedListenerHasThePartsAndNoMore takes every required part out of the
// page's listener. What is left in each place is the host's own.
func TestTheDocumentedListenerHasThePartsAndNoMore(t *testing.T) {
	outer := parts.New(defaults()).Outer
	shown := bootstrap(t, read(t, documented(t, "listener.yaml"))).GetStaticResources().GetListeners()
	require.Len(t, shown, 1)
	manager := managerOf(t, shown[0])
	routes := manager.GetRouteConfig()

	take(t, shown[0], outer.ForeignListener)
	require.Equal(t, []string{"address", "filter_chains", "name"}, left(shown[0]))

	take(t, manager, outer.ForeignManager)
	take(t, manager, &hcmv3.HttpConnectionManager{HttpFilters: []*hcmv3.HttpFilter{outer.ForeignProcessor, outer.Router}})
	require.Equal(t, []string{"merge_slashes", "normalize_path", "route_config", "stat_prefix"}, left(manager))

	take(t, routes, outer.Routes)
	require.Equal(t, []string{"name", "virtual_hosts"}, left(routes))
	for _, host := range routes.GetVirtualHosts() {
		take(t, host, outer.VirtualHost)
		require.Equal(t, []string{"domains", "name", "routes"}, left(host))
		for _, route := range host.GetRoutes() {
			take(t, route, outer.ForeignRoute)
			require.Subset(t, []string{"match", "metadata", "name", "typed_per_filter_config"}, left(route))
		}
	}
}

// take checks that a message has the fields of a part, and clears them.
func take(t *testing.T, from, part proto.Message) {
	t.Helper()
	m := from.ProtoReflect()
	part.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, want protoreflect.Value) bool {
		require.True(t, want.Equal(m.Get(f)), "%s: the page has %v, the part %v", f.FullName(), m.Get(f), want)
		m.Clear(f)
		return true
	})
}

// left are the names of a message's fields, sorted.
func left(m proto.Message) []string {
	var names []string
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		names = append(names, string(f.Name()))
		return true
	})
	slices.Sort(names)
	return names
}

// bootstrap is a configuration as a message; unknown fields are errors.
func bootstrap(t *testing.T, configuration object) *bootstrapv3.Bootstrap {
	t.Helper()
	text, err := json.Marshal(configuration)
	require.NoError(t, err)
	b := new(bootstrapv3.Bootstrap)
	require.NoError(t, protojson.Unmarshal(text, b))
	return b
}

func managerOf(t *testing.T, l *listenerv3.Listener) *hcmv3.HttpConnectionManager {
	t.Helper()
	m := new(hcmv3.HttpConnectionManager)
	require.NoError(t, l.GetFilterChains()[0].GetFilters()[0].GetTypedConfig().UnmarshalTo(m))
	return m
}
