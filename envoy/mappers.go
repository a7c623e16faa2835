package envoy

import (
	"cmp"
	"fmt"
	"strings"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	celv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/filters/cel/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// failure is how a kind of failure that Envoy itself reports is answered.
type failure struct {
	class Class
	// flags are Envoy's response flags (access log, %RESPONSE_FLAGS%).
	flags []string
	// details is a part of the response code details; with flags, both are asked for.
	details       string
	status        uint32 // 0 keeps Envoy's own
	message, code string
	kind          string // the error's type; "" for upstream_error
}

// failures are all of them. The flags' classes were established on real Envoys;
// the statuses are those of the plugin: connections 502, timeouts 504, nothing to
// select 503.
func failures() []failure {
	return []failure{
		{
			class: ClassConnectTimeout, flags: []string{"UF"}, details: "connection_timeout", status: 504,
			message: "The connection to the model's provider took too long.", code: "upstream_connect_timeout",
		},
		{
			class: ClassConnect, flags: []string{"UF"}, status: 502,
			message: "The connection to the model's provider failed.", code: "upstream_connection_failed",
		},
		{
			class: ClassConnect, flags: []string{"UH", "NC", "NR", "UO", "DF"}, status: 503,
			message: "The model's provider cannot be reached at the moment.", code: "upstream_unavailable",
		},
		{
			class: ClassTimeout, flags: []string{"UT", "SI", "DT"}, status: 504,
			message: "The model's provider did not answer in time.", code: "upstream_timeout",
		},
		{
			class: ClassProtocol, flags: []string{"UPE"}, status: 502,
			message: "The model's provider sent an invalid response.", code: "upstream_invalid_response",
		},
		{
			class: ClassReset, flags: []string{"UC", "UR", "LR", "URX"}, status: 502,
			message: "The model's provider closed the connection.", code: "upstream_reset",
		},
	}
}

// filter matches the failure. Envoy takes the first mapper that matches, so the
// narrower of two failures stands first.
func (f failure) filter() *accesslogv3.AccessLogFilter {
	switch {
	case f.details == "":
		return flagged(f.flags...)
	case f.flags == nil:
		return details(f.details)
	default:
		return both(flagged(f.flags...), details(f.details))
	}
}

// matches is the same as [failure.filter].
func (f failure) matches(flags []string, details string) bool {
	return (f.flags == nil || hasFlag(flags, f.flags...)) && strings.Contains(details, f.details)
}

// routerUnavailable is a fault of the external processor: it is down, slow, or
// answered nonsense.
func routerUnavailable() failure {
	return failure{
		details: "ext_proc_error", status: 503, code: "router_unavailable", kind: "server_error",
		message: "The semantic router is not available at the moment. Try again.",
	}
}

// mutationRefused is an answer of the external processor that Envoy did not take, by
// [mutationRules] or because it is no header at all. Envoy answers 500 without a body
// and with details that are a text of its own.
func mutationRefused(header string) *hcmv3.ResponseMapper {
	return mapper(mutationFailure(), envoysOwn("response.code == 500"), header)
}

func mutationFailure() failure {
	return failure{status: 500, code: "internal_error", kind: "server_error", message: "The router could not handle this request."}
}

const (
	// ownDetails begins the response code details of the external processor's answers.
	ownDetails = "semlb_"
	// directResponse are those of a route that is [answered].
	directResponse = "direct_response"
)

// Codes of answers that are made in more than one place.
const (
	codeNoRoute       = "no_route"
	codeHTTPSRequired = "https_required"
	// codeClientGone is of a client that did not wait for an answer.
	codeClientGone = "client_gone"
)

// envoysOwn matches replies for which a CEL expression is true and that are neither
// the external processor's nor a route's.
func envoysOwn(condition string) *accesslogv3.AccessLogFilter {
	return expression(fmt.Sprintf("%s && !response.code_details.startsWith(%q) && response.code_details != %q", condition, ownDetails, directResponse))
}

// innerReplies decides, for what Envoy itself answers inside the inner hop,
// whether the outer route may try the next target: HeaderRetry says yes, the
// rate-limited header says no even where the status is a listed one. A provider's
// 503 and Envoy's own are told apart by this.
func innerReplies() *hcmv3.LocalReplyConfig {
	c := new(hcmv3.LocalReplyConfig)
	for _, f := range failures() {
		permitted := mapper(f, both(f.filter(), permits(f.class)), HeaderRetry)
		refused := mapper(f, f.filter(), headerRateLimited)
		c.Mappers = append(c.Mappers, permitted, refused)
	}
	// Any other flag ends the request.
	c.Mappers = append(c.Mappers, &hcmv3.ResponseMapper{
		Filter:       flagged(),
		HeadersToAdd: responseHeader(headerRateLimited, "true"),
	})
	// What has no flag is the inner external processor: its own answers carry the
	// rate-limited header, its faults do not and go on to the next target, for which
	// nothing has been sent yet.
	c.Mappers = append(c.Mappers, mapper(routerUnavailable(), routerUnavailable().filter(), HeaderRetry), mutationRefused(HeaderRetry))
	c.Mappers = append(c.Mappers, &hcmv3.ResponseMapper{
		Filter:       anything(),
		HeadersToAdd: responseHeader(HeaderRetry, "1"),
	})
	return c
}

func mapper(f failure, filter *accesslogv3.AccessLogFilter, header string) *hcmv3.ResponseMapper {
	m := &hcmv3.ResponseMapper{Filter: filter, BodyFormatOverride: errorFormat(f)}
	if f.status != 0 {
		m.StatusCode = wrapperspb.UInt32(f.status)
	}
	if header != "" {
		m.HeadersToAdd = responseHeader(header, "true")
	}
	return m
}

func responseHeader(name, value string) []*corev3.HeaderValueOption {
	return []*corev3.HeaderValueOption{setHeader(name, value)}
}

// errorFormat is an error in the shape of the OpenAI API; see [ErrorBody].
func errorFormat(f failure) *corev3.SubstitutionFormatString {
	kind := cmp.Or(f.kind, "upstream_error")
	text := func(s string) *structpb.Value { return structpb.NewStringValue(s) }
	return &corev3.SubstitutionFormatString{Format: &corev3.SubstitutionFormatString_JsonFormat{
		JsonFormat: &structpb.Struct{Fields: map[string]*structpb.Value{
			"error": structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
				"message": text(f.message), "type": text(kind), "param": structpb.NewNullValue(), "code": text(f.code),
			}}),
		}},
	}}
}

func flagged(flags ...string) *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_ResponseFlagFilter{
		ResponseFlagFilter: &accesslogv3.ResponseFlagFilter{Flags: flags},
	}}
}

// permits matches requests whose policy lists class; the policy reaches the
// dynamic metadata from HeaderRetry.
func permits(class Class) *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_MetadataFilter{
		MetadataFilter: &accesslogv3.MetadataFilter{
			Matcher: &matcherv3.MetadataMatcher{
				Filter: metadataSpace,
				Path: []*matcherv3.MetadataMatcher_PathSegment{{
					Segment: &matcherv3.MetadataMatcher_PathSegment_Key{Key: metadataRetry},
				}},
				Value: &matcherv3.ValueMatcher{MatchPattern: &matcherv3.ValueMatcher_StringMatch{
					StringMatch: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Contains{Contains: "|" + string(class) + "|"}},
				}},
			},
			MatchIfKeyNotFound: wrapperspb.Bool(false),
		},
	}}
}

func both(filters ...*accesslogv3.AccessLogFilter) *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_AndFilter{
		AndFilter: &accesslogv3.AndFilter{Filters: filters},
	}}
}

func anything() *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_NotHealthCheckFilter{
		NotHealthCheckFilter: &accesslogv3.NotHealthCheckFilter{},
	}}
}

// details matches replies whose response code details contain text.
func details(text string) *accesslogv3.AccessLogFilter {
	return expression(`response.code_details.contains("` + text + `")`)
}

// expression matches replies for which a CEL expression is true.
func expression(text string) *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_ExtensionFilter{
		ExtensionFilter: &accesslogv3.ExtensionFilter{
			Name:       "envoy.access_loggers.extension_filters.cel",
			ConfigType: &accesslogv3.ExtensionFilter_TypedConfig{TypedConfig: typed(&celv3.ExpressionFilter{Expression: text})},
		},
	}}
}
