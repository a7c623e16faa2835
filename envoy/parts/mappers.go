package parts

import (
	"fmt"
	"slices"
	"strconv"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"semlb/envoy"
)

// status500 is the condition of an [envoy.MutationRefused].
const status500 = "response.code == 500"

// outerReplies give Envoy's own answers to clients the shape of the OpenAI API. Envoy
// takes the first mapper that matches.
func outerReplies() *hcmv3.LocalReplyConfig {
	c := new(hcmv3.LocalReplyConfig)
	for f := range envoy.RequestFailures() {
		c.Mappers = append(c.Mappers, mapper(f, matching(f), ""))
	}
	c.Mappers = append(c.Mappers, mapper(envoy.MutationRefused(), envoysOwn(status500), ""))
	for f := range envoy.StatusFailures() {
		m := mapper(f.Failure, envoysOwn(within(f)), "")
		m.HeadersToAdd = idHeaders() // these may come before there is a route, which would add them
		c.Mappers = append(c.Mappers, m)
	}
	return c
}

// matching is [envoy.Failure.Matches] as a filter of Envoy's.
func matching(f envoy.Failure) *accesslogv3.AccessLogFilter {
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
func within(f envoy.StatusFailure) string {
	if f.From == f.To {
		return fmt.Sprintf("response.code == %d", f.From)
	}
	return fmt.Sprintf("response.code >= %d && response.code <= %d", f.From, f.To)
}

// envoysOwn matches replies for which a CEL expression is true and that are neither
// the external processor's nor a direct response.
func envoysOwn(condition string) *accesslogv3.AccessLogFilter {
	return expression(fmt.Sprintf("%s && !response.code_details.startsWith(%q) && response.code_details != %q",
		condition, envoy.OwnDetails, envoy.DirectResponse))
}

// innerReplies decide whether the outer route may try the next target after an answer of
// Envoy's own: with HeaderRetry it does, with FinalHeader it does not even where the
// status is a retriable one. That distinguishes a provider's 503 from Envoy's.
func innerReplies() *hcmv3.LocalReplyConfig {
	c := &hcmv3.LocalReplyConfig{Mappers: oddReplies()}
	for f := range envoy.AttemptFailures() {
		if f.Class == envoy.ClassReset {
			c.Mappers = append(c.Mappers, repeatable(f))
		}
		if slices.Contains(f.Flags, envoy.FlagNoCluster) {
			// Envoy has the configuration of another replica. Nothing was sent, and the provider
			// has not failed, so that the next target is tried whatever the criteria are.
			c.Mappers = append(c.Mappers, absent(f), mapper(f, flagged(envoy.FlagNoCluster), envoy.HeaderRetry))
		}
		c.Mappers = append(c.Mappers,
			mapper(f, both(matching(f), permits(f.Class)), envoy.HeaderRetry),
			mapper(f, matching(f), envoy.FinalHeader))
	}
	// The external processor's own answers have no flag and FinalHeader already. Its
	// faults have no flag either and move on to the next target: nothing has been sent yet.
	c.Mappers = append(c.Mappers,
		&hcmv3.ResponseMapper{Filter: flagged(), HeadersToAdd: responseHeader(envoy.FinalHeader, "true")},
		mapper(envoy.RouterUnavailable(), matching(envoy.RouterUnavailable()), envoy.HeaderRetry),
		mapper(envoy.MutationRefused(), envoysOwn(status500), envoy.HeaderRetry),
		&hcmv3.ResponseMapper{Filter: anything(), HeadersToAdd: responseHeader(envoy.HeaderRetry, "1")},
	)
	return c
}

// mapper answers a failure. header, if any, is added to the answer.
func mapper(f envoy.Failure, filter *accesslogv3.AccessLogFilter, header string) *hcmv3.ResponseMapper {
	m := &hcmv3.ResponseMapper{Filter: filter, BodyFormatOverride: errorFormat(f)}
	if f.Status != 0 {
		m.StatusCode = wrapperspb.UInt32(f.Status)
	}
	if header != "" {
		m.HeadersToAdd = responseHeader(header, "true")
	}
	if f.RetryAfter > 0 {
		m.HeadersToAdd = append(m.HeadersToAdd, setHeader("retry-after", strconv.Itoa(f.RetryAfter)))
	}
	return m
}

func responseHeader(name, value string) []*corev3.HeaderValueOption {
	return []*corev3.HeaderValueOption{setHeader(name, value)}
}

// errorFormat is an error in the shape of the OpenAI API; see wire.ErrorBody.
func errorFormat(f envoy.Failure) *corev3.SubstitutionFormatString {
	text := func(s string) *structpb.Value { return structpb.NewStringValue(s) }
	return &corev3.SubstitutionFormatString{Format: &corev3.SubstitutionFormatString_JsonFormat{
		JsonFormat: &structpb.Struct{Fields: map[string]*structpb.Value{
			"error": structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
				"message": text(f.Message), "type": text(f.Type), "param": structpb.NewNullValue(), "code": text(f.Code),
			}}),
		}},
	}}
}
