package server

import (
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"

	"semlb/envoy"
)

func TestMatchBelievesTheListenerOnly(t *testing.T) {
	dynamic, err := structpb.NewStruct(map[string]any{"consumer": "dora", "groups": "gold,silver"})
	require.NoError(t, err)
	clients := []*corev3.HeaderValue{
		{Key: envoy.HeaderConsumerName, RawValue: []byte("ann")},
		{Key: envoy.HeaderConsumerGroups, RawValue: []byte("red, blue")},
		{Key: envoy.MetadataRoute, RawValue: []byte("spoofed")},
		{Key: envoy.MetadataConsumer, RawValue: []byte("headers")},
	}
	for _, tt := range []struct {
		name string
		said []string
		want Match
	}{
		{"nothing said: headers of clients are worth nothing", nil, Match{Route: "matched"}},
		{"headers trusted", []string{envoy.MetadataConsumer, "headers"}, Match{Route: "matched", Consumer: "ann", Groups: []string{"red", "blue"}}},
		{"metadata trusted", []string{envoy.MetadataConsumer, "metadata:auth"}, Match{Route: "matched", Consumer: "dora", Groups: []string{"gold", "silver"}}},
		{"another namespace", []string{envoy.MetadataConsumer, "metadata:other"}, Match{Route: "matched"}},
		{"route and service", []string{envoy.MetadataRoute, "chat", envoy.MetadataService, "llm"}, Match{Route: "chat", Service: "llm"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(tt.said...))
			x := &exchange{headers: clients, route: "matched", metadata: map[string]*structpb.Struct{"auth": dynamic}}
			nobody := &Snapshot{Consumer: func(func(string) string) string { return "" }}
			require.Equal(t, tt.want, matchOf(ctx, nobody, x))
			known := &Snapshot{Consumer: func(func(string) string) string { return "eve" }}
			require.Equal(t, "eve", matchOf(ctx, known, x).Consumer, "whom Envoy authenticated comes first")
		})
	}
}
