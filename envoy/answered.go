package envoy

import (
	"net/http"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// unmatched answers what no route takes.
func unmatched() *routev3.Route {
	return answered("semlb.unmatched", prefix("/"), http.StatusNotFound, "No route matches this request.", codeNoRoute)
}

// answered is a route that Envoy answers itself, without asking the external
// processor.
func answered(name string, match *routev3.RouteMatch, status uint32, message, code string) *routev3.Route {
	return &routev3.Route{
		Name:  name,
		Match: match,
		Action: &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{
			Status: status,
			Body: &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{
				InlineString: string(ErrorBody(message, "invalid_request_error", code)),
			}},
		}},
		ResponseHeadersToAdd: responseHeader("content-type", "application/json"),
		TypedPerFilterConfig: map[string]*anypb.Any{
			extProcName: typed(&extprocv3.ExtProcPerRoute{Override: &extprocv3.ExtProcPerRoute_Disabled{Disabled: true}}),
		},
	}
}
