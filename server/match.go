package server

import (
	"cmp"
	"context"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"

	"semlb/envoy"
)

// matchOf is what chooses a request's instance, as far as Envoy determined it: the route,
// the consumer that a foreign listener authenticated, and what Envoy's configuration adds to
// them. A client cannot set any of it. The error is about a request that names its consumer
// twice.
func matchOf(ctx context.Context, x *exchange) (Match, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	value := func(key string) string {
		if values := md.Get(key); len(values) > 0 {
			return values[0]
		}
		return ""
	}
	// gRPC metadata may be for a whole listener; a route's is for that route.
	m := Match{
		Route:   cmp.Or(x.attributes[envoy.AttributeRouteMetadata], value(envoy.MetadataRoute)),
		Service: cmp.Or(x.attributes[envoy.AttributeServiceMetadata], value(envoy.MetadataService)),
	}
	for _, name := range []string{x.attributes[envoy.AttributeRoute], x.attributes[envoy.AttributeHost]} {
		if name != "" {
			m.Names = append(m.Names, name)
		}
	}
	for _, source := range md.Get(envoy.MetadataConsumer) {
		if source == envoy.FromHeaders {
			if err := x.checkConsumer(); err != nil {
				return m, err
			}
		}
		if m.Consumer, m.Groups = x.consumer(source); m.Consumer != "" || m.Groups != nil {
			break
		}
	}
	return m, nil
}

// checkConsumer refuses several values of a header that names one consumer: a listener that
// adds its own to the client's lets the client choose.
func (x *exchange) checkConsumer() error {
	for _, name := range []string{envoy.HeaderConsumerName, envoy.HeaderConsumerID, envoy.HeaderConsumerCustom} {
		if len(x.values(name)) > 1 {
			return duplicated(name)
		}
	}
	return nil
}

// consumer is the consumer that sent a request and its groups, from a source that the
// listener trusts.
func (x *exchange) consumer(source string) (name string, groups []string) {
	namespace, dynamic := strings.CutPrefix(source, envoy.FromMetadata)
	switch {
	case dynamic:
		fields := x.metadata[namespace].GetFields()
		return fields["consumer"].GetStringValue(), listOf(fields["groups"])
	case source == envoy.FromHeaders:
		name = cmp.Or(x.header(envoy.HeaderConsumerName), x.header(envoy.HeaderConsumerID), x.header(envoy.HeaderConsumerCustom))
		return name, x.headerList(envoy.HeaderConsumerGroups)
	default:
		return "", nil
	}
}

// listOf reads a list of names, or a comma-separated string of them.
func listOf(v *structpb.Value) []string {
	var all []string
	for _, member := range v.GetListValue().GetValues() {
		if name := strings.TrimSpace(member.GetStringValue()); name != "" {
			all = append(all, name)
		}
	}
	return append(all, list(v.GetStringValue())...)
}

// list reads a comma-separated list of names, which may contain spaces; nil if it is
// empty.
func list(text string) []string {
	var all []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			all = append(all, name)
		}
	}
	return all
}
