package envoy

import (
	"slices"
	"strings"

	dataaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
)

// responseFlags are those of Envoy's response flags that are read here, by their short
// names.
var responseFlags = []struct {
	name string
	set  func(*dataaccesslogv3.ResponseFlags) bool
}{
	{"UF", (*dataaccesslogv3.ResponseFlags).GetUpstreamConnectionFailure},
	{"UH", (*dataaccesslogv3.ResponseFlags).GetNoHealthyUpstream},
	{"NC", (*dataaccesslogv3.ResponseFlags).GetNoClusterFound},
	{"NR", (*dataaccesslogv3.ResponseFlags).GetNoRouteFound},
	{"UO", (*dataaccesslogv3.ResponseFlags).GetUpstreamOverflow},
	{"DF", (*dataaccesslogv3.ResponseFlags).GetDnsResolutionFailure},
	{"UT", (*dataaccesslogv3.ResponseFlags).GetUpstreamRequestTimeout},
	{"SI", (*dataaccesslogv3.ResponseFlags).GetStreamIdleTimeout},
	{"DT", (*dataaccesslogv3.ResponseFlags).GetDurationTimeout},
	{"UPE", (*dataaccesslogv3.ResponseFlags).GetUpstreamProtocolError},
	{"UC", (*dataaccesslogv3.ResponseFlags).GetUpstreamConnectionTermination},
	{"UR", (*dataaccesslogv3.ResponseFlags).GetUpstreamRemoteReset},
	{"LR", (*dataaccesslogv3.ResponseFlags).GetLocalReset},
	{"URX", (*dataaccesslogv3.ResponseFlags).GetUpstreamRetryLimitExceeded},
	{"DC", (*dataaccesslogv3.ResponseFlags).GetDownstreamConnectionTermination},
	{"DR", (*dataaccesslogv3.ResponseFlags).GetDownstreamRemoteReset},
}

// flagsOf are the short names of the flags that are set, in the table's order; nil
// for an entry without flags.
func flagsOf(f *dataaccesslogv3.ResponseFlags) []string {
	if f == nil {
		return nil
	}
	var names []string
	for _, flag := range responseFlags {
		if flag.set(f) {
			names = append(names, flag.name)
		}
	}
	return names
}

func hasFlag(flags []string, wanted ...string) bool {
	return slices.ContainsFunc(flags, func(f string) bool { return slices.Contains(wanted, f) })
}

// transportFailures classify Envoy's texts for a connection that failed. The first
// whose text is a part of it counts.
var transportFailures = []struct{ text, kind string }{
	{"tls", "tls"},
	{"ssl", "tls"},
	{"refused", "refused"},
	{"timeout", "timeout"},
	{"timed_out", "timeout"},
}

// transportOf maps an upstream transport failure reason to a closed set: tls, refused,
// timeout, other, and "" for none.
func transportOf(reason string) string {
	if reason == "" {
		return ""
	}
	lower := strings.ToLower(reason)
	for _, f := range transportFailures {
		if strings.Contains(lower, f.text) {
			return f.kind
		}
	}
	return "other"
}
