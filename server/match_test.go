package server

import (
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"

	"semlb/envoy"
)

// structOf is a struct of a test's own values.
func structOf(t *testing.T, fields map[string]any) *structpb.Struct {
	t.Helper()
	s, err := structpb.NewStruct(fields)
	require.NoError(t, err)
	return s
}

// exchangeOf is a request as Envoy sends it, with attributes in pairs.
func exchangeOf(t *testing.T, headers []*corev3.HeaderValue, attributes ...string) *exchange {
	t.Helper()
	said := map[string]any{}
	for i := 0; i < len(attributes); i += 2 {
		said[attributes[i]] = attributes[i+1]
	}
	return newExchange(&extprocv3.HttpHeaders{Headers: &corev3.HeaderMap{Headers: headers}},
		map[string]*structpb.Struct{"envoy.filters.http.ext_proc": structOf(t, said)})
}

func TestMatchTakesThePlaceFromWhatEnvoySays(t *testing.T) {
	spoofed := []*corev3.HeaderValue{
		{Key: envoy.MetadataRoute, RawValue: []byte("spoofed")},
		{Key: envoy.MetadataService, RawValue: []byte("spoofed")},
	}
	for _, tt := range []struct {
		name       string
		said       []string
		attributes []string
		want       Match
	}{
		{"nothing", nil, nil, Match{}},
		{"names", nil, []string{envoy.AttributeRoute, "r", envoy.AttributeHost, "h"}, Match{Names: []string{"r", "h"}}},
		{"a route without a name", nil, []string{envoy.AttributeRoute, "", envoy.AttributeHost, "h"}, Match{Names: []string{"h"}}},
		{
			"gRPC metadata",
			[]string{envoy.MetadataRoute, "chat", envoy.MetadataService, "llm"},
			[]string{envoy.AttributeRoute, "r"},
			Match{Route: "chat", Service: "llm", Names: []string{"r"}},
		},
		{
			"metadata of the route", nil,
			[]string{envoy.AttributeRouteMetadata, "chat", envoy.AttributeServiceMetadata, "llm"},
			Match{Route: "chat", Service: "llm"},
		},
		{
			"both: the route's is the narrower one",
			[]string{envoy.MetadataRoute, "wide", envoy.MetadataService, "llm"},
			[]string{envoy.AttributeRouteMetadata, "chat"},
			Match{Route: "chat", Service: "llm"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(tt.said...))
			match, err := matchOf(ctx, exchangeOf(t, spoofed, tt.attributes...))
			require.NoError(t, err)
			require.Equal(t, tt.want, match)
		})
	}
}

func TestMatchBelievesTheListenerOnly(t *testing.T) {
	sent := []*corev3.HeaderValue{
		{Key: envoy.HeaderConsumerName, RawValue: []byte("ann")},
		{Key: envoy.HeaderConsumerGroups, RawValue: []byte("Gold Users , blue,")},
		{Key: envoy.HeaderConsumerGroups, RawValue: []byte("green")},
		{Key: envoy.MetadataConsumer, RawValue: []byte("headers")},
	}
	dynamic := map[string]*structpb.Struct{
		"auth":   structOf(t, map[string]any{"consumer": "dora", "groups": "Gold Users,silver"}),
		"listed": structOf(t, map[string]any{"consumer": "dora", "groups": []any{"Gold Users", "a, b", "", 7}}),
		"groups": structOf(t, map[string]any{"groups": "silver"}),
	}
	for _, tt := range []struct {
		name string
		from []string
		want Match
	}{
		{"no metadata: headers of clients are ignored", nil, Match{}},
		{"other metadata", []string{"anything"}, Match{}},
		{"headers", []string{"headers"}, Match{Consumer: "ann", Groups: []string{"Gold Users", "blue", "green"}}},
		{"metadata", []string{"metadata:auth"}, Match{Consumer: "dora", Groups: []string{"Gold Users", "silver"}}},
		{"metadata with a list", []string{"metadata:listed"}, Match{Consumer: "dora", Groups: []string{"Gold Users", "a, b"}}},
		{"another namespace", []string{"metadata:other"}, Match{}},
		{"groups alone", []string{"metadata:groups"}, Match{Groups: []string{"silver"}}},
		{"two sources: the first that names somebody", []string{"metadata:other", "metadata:auth", "headers"}, Match{Consumer: "dora", Groups: []string{"Gold Users", "silver"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			md := metadata.MD{}
			md.Append(envoy.MetadataConsumer, tt.from...)
			x := exchangeOf(t, sent)
			x.metadata = dynamic
			match, err := matchOf(metadata.NewIncomingContext(t.Context(), md), x)
			require.NoError(t, err)
			require.Equal(t, tt.want, match)
		})
	}
}

// TestThePlanKeepsNoHeaderOfAClients: a listener of someone else's may not drop
// clients' copies of what the hops tell each other.
func TestThePlanKeepsNoHeaderOfAClients(t *testing.T) {
	w := newTestServer(t, fixedPlan{})
	answers, err := w.talk([]string{envoy.RoleOuter}, headersMessage(false, ":path", "/"), bodyMessage(goodBody))
	require.NoError(t, err)
	mutation := answers[1].GetRequestBody().GetResponse().GetHeaderMutation()
	decided := mutation.GetRemoveHeaders()
	for _, h := range mutation.GetSetHeaders() {
		require.NotContains(t, decided, h.GetHeader().GetKey(), "set and removed")
		decided = append(decided, h.GetHeader().GetKey())
	}
	require.Subset(t, decided, envoy.InternalHeaders())
}
