package parts

import (
	_ "embed"
	"strconv"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	commonstatev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/common/set_filter_state/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	statev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_filter_state/v3"
	codecv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/upstream_codec/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"semlb/envoy"
)

// A provider may close an idle connection at the moment when the next request is sent on
// it. That is no failure of the provider: if the policy permits to send a request again
// that may have arrived, the attempt is made again at the same target. Envoy's own
// retry conditions do not distinguish a connection that was used before from a new one,
// so the inner hop labels the failure (HeaderRepeat), and a script between the outer
// router and the hop gives the next attempt the number of this one, and a connection of its
// own: the next idle one may have ended too.
//
// While Envoy replaces the clusters of one replica of semlb by those of another, an attempt
// may find that its cluster is gone. It is made again too, and the inner role rewrites it for
// a cluster that Envoy has then.

// repeatable labels a failure that may have been the connection's. The label's value is
// the age of the connection when the attempt began, and Envoy adds no header if the
// connection was made later, for this attempt. UC is the only flag of a connection that
// ended; f is the failure that has it.
func repeatable(f envoy.Failure) *hcmv3.ResponseMapper {
	m := mapper(f, both(flagged("UC"), permits(f.Class)), envoy.HeaderRetry)
	m.HeadersToAdd = append(m.HeadersToAdd, setHeader(envoy.HeaderRepeat, "%COMMON_DURATION(US_CX_BEG:DS_RX_BEG:us)%"))
	return m
}

// absent labels a failure of an attempt whose cluster Envoy does not have.
func absent(f envoy.Failure) *hcmv3.ResponseMapper {
	m := mapper(f, both(flagged(envoy.FlagNoCluster), permits(envoy.ClassAbsent)), envoy.HeaderRetry)
	m.HeadersToAdd = append(m.HeadersToAdd, setHeader(envoy.HeaderRepeat, string(envoy.ClassAbsent)))
	return m
}

//go:embed repeat.lua
var repeatTemplate string

var repeatScript = strings.ReplaceAll(repeatTemplate, "MOST_REPEATS", strconv.Itoa(envoy.MostRepeats))

// repeats are the filters of the hop's cluster, through which every attempt passes on its
// way from the outer router. Requests of which no attempt is made again skip the script.
func repeats() []*hcmv3.HttpFilter {
	script := &luav3.Lua{DefaultSourceCode: &corev3.DataSource{
		Specifier: &corev3.DataSource_InlineString{InlineString: repeatScript},
	}}
	return []*hcmv3.HttpFilter{
		onlyIf("envoy.filters.http.lua", script, matchesHeader(envoy.HeaderRetry, `.*\|(`+string(envoy.ClassReset)+"|"+string(envoy.ClassAbsent)+`)\|.*`)),
		httpFilter("envoy.filters.http.upstream_codec", &codecv3.UpstreamCodec{}),
	}
}

// ownConnection gives an attempt with HeaderConnection a new connection. Envoy shares
// connections only among requests for which the objects in their filter state that are
// shared with the connection have the same hash. In Envoy 1.36 no text can be such an
// object, but an address can; it is used for nothing else. The connection is never shared,
// and its pool ends with it: after providerIdle without a request.
func ownConnection() *hcmv3.HttpFilter {
	return httpFilter("envoy.filters.http.set_filter_state", &statev3.Config{
		OnRequestHeaders: []*commonstatev3.FilterStateValue{{
			Key:        &commonstatev3.FilterStateValue_ObjectKey{ObjectKey: "semlb.connection"},
			FactoryKey: "envoy.filters.listener.original_dst.remote_ip",
			Value: &commonstatev3.FilterStateValue_FormatString{FormatString: &corev3.SubstitutionFormatString{
				Format: &corev3.SubstitutionFormatString_TextFormatSource{TextFormatSource: &corev3.DataSource{
					Specifier: &corev3.DataSource_InlineString{InlineString: "%REQ(" + envoy.HeaderConnection + ")%"},
				}},
				OmitEmptyValues: true, // else it is "-", which is not empty
			}},
			SharedWithUpstream: commonstatev3.FilterStateValue_ONCE,
			SkipIfEmpty:        true,
		}},
	})
}
