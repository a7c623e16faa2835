package envoy

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClustersOfAnotherReplica(t *testing.T) {
	name := func(host string, connect time.Duration) string {
		return ClusterName("https", host, connect, time.Minute)
	}
	require.Equal(t, "https_a:443_c1000_w60000", name("a:443", time.Second))
	has := ListClusters([]string{name("a:443", time.Second), name("b_c:443", time.Minute)})
	for wanted, used := range map[string]string{
		name("a:443", time.Second):     name("a:443", time.Second),
		name("a:443", 2*time.Second):   name("a:443", time.Second),
		name("b_c:443", 2*time.Second): name("b_c:443", time.Minute),
		name("b:443", time.Second):     "",
		name("a:4430", time.Second):    "",
		name("a:44", time.Second):      "",
		"a:443":                        "",
	} {
		got, ok := has.For(wanted)
		require.Equal(t, used, got, wanted)
		require.Equal(t, used != "", ok, wanted)
	}
	_, ok := ListClusters(nil).For(name("a:443", time.Second))
	require.False(t, ok, "an Envoy without providers lists none")
}

func TestAnEnvoyThatListsNoClustersHasAll(t *testing.T) {
	for _, has := range []Clusters{"", ListClusters([]string{strings.Repeat("x", maxClusters)})} {
		used, ok := has.For("https_a:443_c1_w1")
		require.True(t, ok)
		require.Equal(t, "https_a:443_c1_w1", used)
	}
}
