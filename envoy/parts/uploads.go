package parts

import (
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	rbacfilterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"semlb/envoy"
)

// uploads are the filters for requests whose body may be large: semlb admits them by their
// head, before Envoy has taken more than a buffer of the body, and watches it arrive; then
// the body is read whole, into a buffer of its own limit. All others skip them.
func uploads(c Config, l limits) []*hcmv3.HttpFilter {
	large := allOf(matchesHeader(":method", "POST"), not(matchesHeader("content-length", smallBody)))
	admitted := matchesHeader(envoy.HeaderAdmitted, ".+")
	return []*hcmv3.HttpFilter{
		admission(c, large),
		onlyIf("envoy.filters.http.rbac", denyAll(), allOf(large, not(admitted))),
		onlyIf(bufferName, wholeBody(l.outerRoute), admitted),
	}
}

// admission is the role upload.
func admission(c Config, large *predicate) *hcmv3.HttpFilter {
	p := processor(envoy.RoleUpload)
	p.MessageTimeout = c.messageTimeout()
	p.RequestAttributes = []string{envoy.AttributeRoute, envoy.AttributeSource}
	p.ProcessingMode.RequestBodyMode = extprocv3.ProcessingMode_STREAMED
	p.ProcessingMode.RequestTrailerMode = extprocv3.ProcessingMode_SEND // they end the body
	// Envoy keeps the stream open for as long as there may be trailers of a response, and so
	// semlb sees the end of the request. Responses do not wait for that, and hardly any has
	// trailers.
	p.ProcessingMode.ResponseTrailerMode = extprocv3.ProcessingMode_SEND
	// A response during which semlb is stopped goes on. So does a request that semlb did not
	// admit in time, to the next filter, which denies it.
	p.FailureModeAllow = true
	filter := onlyIf(extProcName, p, large)
	filter.Name = "semlb.upload"
	return filter
}

// denyAll denies requests with [envoy.NotAdmitted] as the details.
func denyAll() *rbacfilterv3.RBAC {
	return &rbacfilterv3.RBAC{Rules: &rbacv3.RBAC{
		Action: rbacv3.RBAC_DENY,
		Policies: map[string]*rbacv3.Policy{envoy.NotAdmitted: {
			Permissions: []*rbacv3.Permission{{Rule: &rbacv3.Permission_Any{Any: true}}},
			Principals:  []*rbacv3.Principal{{Identifier: &rbacv3.Principal_Any{Any: true}}},
		}},
	}}
}
