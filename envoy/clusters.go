package envoy

import (
	"fmt"
	"strings"
	"time"
)

// ClusterName is the name of the cluster of an endpoint, which is a scheme and a host with
// its port. It is readable, and a function of everything that the cluster is made of for
// this endpoint: one name never means two things, whichever replica uses it.
func ClusterName(scheme, hostPort string, connect, write time.Duration) string {
	return fmt.Sprintf("%s_%s%s%d_w%d", scheme, hostPort, timeoutMark, connect.Milliseconds(), write.Milliseconds())
}

// timeoutMark separates the endpoint in the name of a cluster from its timeouts.
const timeoutMark = "_c"

// Clusters are the clusters of providers that an Envoy has, as its routes list them: each
// between commas. "" is an Envoy that lists none, which is taken to have all.
type Clusters string

// maxClusters is the longest list, in bytes: it is sent with every call.
const maxClusters = 16 << 10

// ListClusters lists clusters by their names; "" if the list would be too long.
func ListClusters(names []string) Clusters {
	list := "," + strings.Join(names, ",")
	if len(names) > 0 {
		list += ","
	}
	if len(list) > maxClusters {
		return ""
	}
	return Clusters(list)
}

// For returns the cluster for what needs the one called name: that one, or else one of the
// same endpoint with other timeouts, as an Envoy has that another replica configures. It
// returns false where Envoy has neither.
func (c Clusters) For(name string) (string, bool) {
	if c == "" || strings.Contains(string(c), ","+name+",") {
		return name, true
	}
	mark := strings.LastIndex(name, timeoutMark)
	if mark < 0 {
		return "", false
	}
	_, rest, found := strings.Cut(string(c), ","+name[:mark+len(timeoutMark)])
	if !found {
		return "", false
	}
	timeouts, _, _ := strings.Cut(rest, ",")
	return name[:mark+len(timeoutMark)] + timeouts, true
}
