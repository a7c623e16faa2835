package parts

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/envoy/envoytest"
)

func testUpstreams() []Upstream {
	return []Upstream{
		{Scheme: "https", Host: "api.openai.com", Port: 443, ConnectTimeout: time.Minute, WriteTimeout: time.Minute},
		{Scheme: "http", Host: "127.0.0.1", Port: 9000, ConnectTimeout: time.Second, WriteTimeout: time.Second},
		{Scheme: "https", Host: "10.0.0.7", Port: 8443, ConnectTimeout: time.Second, WriteTimeout: time.Second},
		{Scheme: "https", Host: "api.openai.com", Port: 443, ConnectTimeout: time.Minute, WriteTimeout: time.Minute},
	}
}

func TestClustersAreGolden(t *testing.T) {
	clusters := New(Config{BodyLimit: 1 << 20, TrustedCA: "/etc/ssl/certs/ca-certificates.crt", Upstreams: testUpstreams()}).Clusters
	require.Len(t, clusters.Upstreams, 3, "one for each distinct upstream")
	for _, c := range append(clusters.Upstreams, clusters.Hop) {
		envoytest.Golden(t, "cluster-"+strings.ReplaceAll(c.Name, ":", "_"), c)
	}
}
