package envoy

import (
	"fmt"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	celv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/filters/cel/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// outerReplies give Envoy's own answers to clients the shape of the OpenAI API. Envoy
// takes the first mapper that matches.
func outerReplies() *hcmv3.LocalReplyConfig {
	c := new(hcmv3.LocalReplyConfig)
	for f := range RequestFailures() {
		c.Mappers = append(c.Mappers, mapper(f, matching(f), ""))
	}
	c.Mappers = append(c.Mappers, mapper(mutationRefused, envoysOwn("response.code == 500"), ""))
	for f := range StatusFailures() {
		c.Mappers = append(c.Mappers, mapper(f.Failure, envoysOwn(within(f)), ""))
	}
	return c
}

// matching is [Failure.Matches] as a filter of Envoy's.
func matching(f Failure) *accesslogv3.AccessLogFilter {
	switch {
	case f.Details == "":
		return flagged(f.Flags...)
	case f.Flags == nil:
		return details(f.Details)
	default:
		return both(flagged(f.Flags...), details(f.Details))
	}
}

// within is a CEL expression for the statuses of a failure.
func within(f StatusFailure) string {
	if f.From == f.To {
		return fmt.Sprintf("response.code == %d", f.From)
	}
	return fmt.Sprintf("response.code >= %d && response.code <= %d", f.From, f.To)
}

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
	for f := range AttemptFailures() {
		permitted := mapper(f, both(matching(f), permits(f.Class)), HeaderRetry)
		refused := mapper(f, matching(f), headerRateLimited)
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
	c.Mappers = append(c.Mappers, mapper(routerUnavailable, matching(routerUnavailable), HeaderRetry),
		mapper(mutationRefused, envoysOwn("response.code == 500"), HeaderRetry))
	c.Mappers = append(c.Mappers, &hcmv3.ResponseMapper{
		Filter:       anything(),
		HeadersToAdd: responseHeader(HeaderRetry, "1"),
	})
	return c
}

func mapper(f Failure, filter *accesslogv3.AccessLogFilter, header string) *hcmv3.ResponseMapper {
	m := &hcmv3.ResponseMapper{Filter: filter, BodyFormatOverride: errorFormat(f)}
	if f.Status != 0 {
		m.StatusCode = wrapperspb.UInt32(f.Status)
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
func errorFormat(f Failure) *corev3.SubstitutionFormatString {
	text := func(s string) *structpb.Value { return structpb.NewStringValue(s) }
	return &corev3.SubstitutionFormatString{Format: &corev3.SubstitutionFormatString_JsonFormat{
		JsonFormat: &structpb.Struct{Fields: map[string]*structpb.Value{
			"error": structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
				"message": text(f.Message), "type": text(f.Type), "param": structpb.NewNullValue(), "code": text(f.Code),
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
