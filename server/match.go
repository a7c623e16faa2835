package server

import (
	"cmp"
	"context"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"

	"semlb/envoy"
)

// matchOf is what is known of a request: the place and the consumer that Envoy found,
// and what its configuration says of them. Nothing of it is a client's to say.
func matchOf(ctx context.Context, s *Snapshot, x *exchange) Match {
	md, _ := metadata.FromIncomingContext(ctx)
	said := func(key string) string {
		if values := md.Get(key); len(values) > 0 {
			return values[0]
		}
		return ""
	}
	// gRPC metadata may be for a whole listener; a route's is for that route.
	m := Match{
		Route:   cmp.Or(x.attributes[envoy.AttributeRouteSaid], said(envoy.MetadataRoute)),
		Service: cmp.Or(x.attributes[envoy.AttributeServiceSaid], said(envoy.MetadataService)),
	}
	for _, name := range []string{x.attributes[envoy.AttributeRoute], x.attributes[envoy.AttributeHost]} {
		if name != "" {
			m.Names = append(m.Names, name)
		}
	}
	for _, source := range md.Get(envoy.MetadataConsumer) {
		if m.Consumer, m.Groups = x.consumer(source, s); m.Consumer != "" || m.Groups != nil {
			break
		}
	}
	return m
}

// consumer is who sent a request, and the groups that they are in, as a source says
// that the listener trusts.
func (x *exchange) consumer(source string, s *Snapshot) (name string, groups []string) {
	namespace, dynamic := strings.CutPrefix(source, envoy.FromMetadata)
	switch {
	case dynamic:
		fields := x.metadata[namespace].GetFields()
		return fields["consumer"].GetStringValue(), listOf(fields["groups"])
	case source == envoy.FromHeaders:
		name = cmp.Or(x.header(envoy.HeaderConsumerName), x.header(envoy.HeaderConsumerID), x.header(envoy.HeaderConsumerCustom))
		return name, x.headerList(envoy.HeaderConsumerGroups)
	case source == envoy.FromCredentials:
		return s.Consumer(x.header), nil
	default:
		return "", nil
	}
}

// listOf is a list of names, or one that a text holds.
func listOf(v *structpb.Value) []string {
	var all []string
	for _, member := range v.GetListValue().GetValues() {
		if name := strings.TrimSpace(member.GetStringValue()); name != "" {
			all = append(all, name)
		}
	}
	return append(all, list(v.GetStringValue())...)
}

// list is the names of a comma-separated list, in which names may have spaces; nil
// for none.
func list(text string) []string {
	var all []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			all = append(all, name)
		}
	}
	return all
}
