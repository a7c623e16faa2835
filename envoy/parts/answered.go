package parts

import (
	"net/http"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"semlb/envoy"
	"semlb/wire"
)

// unmatched answers what no route matches.
func unmatched() *routev3.Route {
	return answered("semlb.unmatched", prefix("/"), http.StatusNotFound, noRoute)
}

// The bodies of direct responses.
var (
	noRoute       = string(wire.ErrorBody("No route matches this request.", "invalid_request_error", envoy.CodeNoRoute))
	httpsRequired = string(wire.ErrorBody("This route serves HTTPS only.", "invalid_request_error", envoy.CodeHTTPSRequired))
)

// answered is a route that Envoy answers itself, without calling the external processor.
func answered(name string, match *routev3.RouteMatch, status uint32, body string) *routev3.Route {
	return &routev3.Route{
		Name:  name,
		Match: match,
		Action: &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{
			Status: status,
			Body: &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{
				InlineString: body,
			}},
		}},
		ResponseHeadersToAdd: append(idHeaders(), setHeader("content-type", "application/json")),
		TypedPerFilterConfig: map[string]*anypb.Any{
			extProcName: Typed(&extprocv3.ExtProcPerRoute{Override: &extprocv3.ExtProcPerRoute_Disabled{Disabled: true}}),
		},
	}
}
