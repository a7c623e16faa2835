package server

import (
	"cmp"
	"context"
	"strings"

	"google.golang.org/grpc/metadata"

	"semlb/envoy"
)

// matchOf is what is known of a request: the route and the consumer that Envoy
// found, and what the listener says in the gRPC metadata, which no client can set.
func matchOf(ctx context.Context, s *Snapshot, x *exchange) Match {
	md, _ := metadata.FromIncomingContext(ctx)
	said := func(key string) string {
		if values := md.Get(key); len(values) > 0 {
			return values[0]
		}
		return ""
	}
	m := Match{
		Route:    cmp.Or(said(envoy.MetadataRoute), x.route),
		Service:  said(envoy.MetadataService),
		Consumer: s.Consumer(x.header),
	}
	if m.Consumer != "" {
		return m
	}
	from := said(envoy.MetadataConsumer)
	if namespace, ok := strings.CutPrefix(from, envoy.FromMetadata); ok {
		fields := x.metadata[namespace].GetFields()
		m.Consumer = fields["consumer"].GetStringValue()
		m.Groups = list(fields["groups"].GetStringValue())
	} else if from == envoy.FromHeaders {
		m.Consumer = cmp.Or(x.header(envoy.HeaderConsumerName), x.header(envoy.HeaderConsumerID), x.header(envoy.HeaderConsumerCustom))
		m.Groups = list(x.header(envoy.HeaderConsumerGroups))
	}
	return m
}

// list is the names of a comma-separated list; nil for none.
func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}
