package config

import "strings"

// Kinds of the entities around plugins, which are also the names of the parts of a scope.
const (
	KindService       = "service"
	KindRoute         = "route"
	KindConsumer      = "consumer"
	KindConsumerGroup = "consumer_group"
)

// Spoken returns a kind of entities as people call it: "consumer group".
func Spoken(kind string) string { return strings.ReplaceAll(kind, "_", " ") }

// ScopeParts are the parts of a [Scope], in the order of [Scope.Parts].
var ScopeParts = [...]string{KindService, KindRoute, KindConsumer, KindConsumerGroup}

// Scope says what an instance applies to. Each part is a name or an id, and an
// empty part means any; parts combine. The zero Scope is global.
type Scope struct {
	Service       string
	Route         string
	Consumer      string
	ConsumerGroup string
}

// Global reports whether the scope has no part, so that it applies to every request.
func (s Scope) Global() bool { return s == Scope{} }

// Parts returns the parts in the order of [ScopeParts].
func (s Scope) Parts() []string {
	return []string{s.Service, s.Route, s.Consumer, s.ConsumerGroup}
}

// SetPart sets the part of a kind of entity.
func (s *Scope) SetPart(kind, name string) {
	switch kind {
	case KindService:
		s.Service = name
	case KindRoute:
		s.Route = name
	case KindConsumer:
		s.Consumer = name
	case KindConsumerGroup:
		s.ConsumerGroup = name
	}
}

// precedence lists the parts that an instance's scope has, the strongest first: Kong's
// order (https://developer.konghq.com/gateway/entities/plugin/#plugin-precedence).
var precedence = [...]struct{ consumer, group, route, service bool }{
	{consumer: true, route: true, service: true},
	{group: true, route: true, service: true},
	{consumer: true, route: true},
	{consumer: true, service: true},
	{group: true, route: true},
	{group: true, service: true},
	{route: true, service: true},
	{consumer: true},
	{group: true},
	{route: true},
	{service: true},
	{},
}
