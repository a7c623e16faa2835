package parts

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// A renderer may use any part without asking whether it is there.
func TestEveryPartIsMade(t *testing.T) {
	c := Config{Upstreams: testUpstreams()}
	for socket, absent := range map[string]string{"": "", "/run/semlb/hop.sock": "Process.InternalListeners"} {
		c.HopSocket = socket
		p := reflect.ValueOf(New(c))
		for i := range p.NumField() {
			for j := range p.Field(i).NumField() {
				name := p.Type().Field(i).Name + "." + p.Field(i).Type().Field(j).Name
				require.Equal(t, name == absent, p.Field(i).Field(j).IsZero(), name)
			}
		}
	}
}

func TestEqualConfigurationsGiveEqualParts(t *testing.T) {
	c := Config{Upstreams: testUpstreams(), Routes: []Route{{Name: "a", Headers: map[string][]string{"x": {"1"}, "y": {"2"}}}}}
	a, b := New(c), New(c)
	for i := range a.Outer.KongRoutes {
		require.True(t, proto.Equal(a.Outer.KongRoutes[i], b.Outer.KongRoutes[i]))
	}
	for i := range a.Clusters.Upstreams {
		require.True(t, proto.Equal(a.Clusters.Upstreams[i], b.Clusters.Upstreams[i]))
	}
}
