package server

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"semlb/access"
	"semlb/envoy"
	"semlb/provider"
	"semlb/record"
	"semlb/router"
)

// Router plans requests, and processes the outcomes of its plans. Route always returns a
// plan.
type Router interface {
	Route(context.Context, router.Request) router.Plan
	// Degrade plans a request for which Route has panicked; cause is no secret.
	Degrade(q router.Request, cause error) router.Plan
	// Report takes in the outcome of an attempt.
	Report(router.Outcome)
	// ReleaseProbe gives back a probe that its request did not reach.
	ReleaseProbe(router.Probe)
}

// Snapshot is one whole configuration in force. It is immutable; every request
// sees one from its beginning to its end.
type Snapshot struct {
	// Find returns the instance that serves a request, or nil where none does.
	Find func(Match) *Instance
	// Captures returns the named groups of the path of the Kong route that a request
	// matched; the path is in normal form, without a query.
	Captures func(m Match, path string) map[string]string
	// Paths are those of the Kong route that a request matched; none where it is not known or
	// has none.
	Paths func(Match) []string
	// Instances holds every instance by ID: those that Find returns, and those of
	// earlier configurations whose requests may still be in flight.
	Instances map[string]*Instance
	// Gate finds out who sent a request, and whether it may be served; nil lets everything
	// pass.
	Gate *access.Gate
	// ConsumersOnly reports that some instance is bound to a consumer or a group, so that an
	// anonymous request may have lacked a credential.
	ConsumersOnly bool
}

// target finds an instance and one of its targets, by ID.
func (s *Snapshot) target(instance, target string) (*Instance, *Target, bool) {
	i := s.Instances[instance]
	if i == nil || i.Targets[target] == nil {
		return nil, nil, false
	}
	return i, i.Targets[target], true
}

// owner is the instance that has a target: the one with an ID if it does, or else another one,
// since a plan that took the place of another one begins with the targets of that one.
func (s *Snapshot) owner(instance, target string) *Instance {
	if i, _, found := s.target(instance, target); found {
		return i
	}
	for _, i := range s.Instances {
		if i.Targets[target] != nil {
			return i
		}
	}
	return nil
}

// Targets are the targets of all instances, by ID.
func (s *Snapshot) Targets() map[string]*Target {
	all := make(map[string]*Target)
	for _, i := range s.Instances {
		maps.Copy(all, i.Targets)
	}
	return all
}

// Match is what an instance is chosen by. What is not known is empty.
type Match struct {
	// Route and Service are the names of the Kong route and service, where Envoy has them.
	Route, Service string
	// Names are Envoy's own names of the route that it matched and of its virtual host;
	// they may be those of a Kong route or service.
	Names []string
	// Consumer is the name, or the ID, of the consumer that sent the request.
	Consumer string
	// Groups are the consumer's groups, beside those of the configuration.
	Groups []string
}

// Instance is one configured plugin.
type Instance struct {
	// ID names the instance between the hops; the same in every replica.
	ID     string
	Router Router
	// HashHeader is the header, in lower case, whose value consistent hashing hashes; ""
	// for none.
	HashHeader string
	// Targets by ID.
	Targets map[string]*Target
	// Attempts is the most attempts of a request (retries + 1).
	Attempts int
	// Policy is which failures move on to the next target.
	Policy envoy.Policy
	// BodyLimit is the largest request body in bytes.
	BodyLimit int64
	// OnPanic selects what happens to a request whose decision panicked.
	OnPanic OnPanic
	// Idle is the longest silence of an attempt.
	Idle time.Duration
	// RouteTypes are the shapes of requests that targets take; each target takes one.
	RouteTypes []string
	// Streaming is the plugin's response_streaming.
	Streaming provider.Streaming
	// ModelHeader tells clients the model that answered (x-kong-llm-model).
	ModelHeader bool
	// Models are the only ones that a request of each route type may name
	// (model_policy: strict); nil lets it name any, which is then replaced.
	Models map[string][]string
	// Captures reports whether a rewrite takes named groups of the request's path.
	Captures bool
	// Touched is what the targets' rewrites may change.
	Touched provider.Touched
	// Reach belongs to Targets; nil keeps nothing.
	Reach *Reach
}

// Target is where an attempt can go.
type Target struct {
	*provider.Target
	// Identity names what the target is: it stays the same if only options, weight or
	// credentials change. It is unique within the instance.
	Identity string
	// Place is its index in the configuration of the instance.
	Place int
	// Cluster is Envoy's name for the target's endpoint.
	Cluster string
	// Provider and Model are the configured ones, such as openai; Model is "" if the
	// request chooses it.
	Provider, Model string
	// RouteType is the shape of the requests that the target takes.
	RouteType string
	// Description and Weight are the configured ones, by which people recognise the
	// target.
	Description string
	Weight      int
	// Statistics reports whether requests to the target are logged with meta and usage
	// (log_statistics).
	Statistics bool
	// Payloads reports whether requests and answers of the target are logged completely.
	Payloads bool
	// InputCost and OutputCost are prices per million tokens.
	InputCost, OutputCost float64
}

// LogValue keeps credentials out of logs.
func (t *Target) LogValue() slog.Value { return slog.StringValue(t.Name()) }

// Recorded is the target as events name it.
func (t *Target) Recorded() record.Target {
	return record.Target{ID: t.ID(), Provider: t.Provider, Model: t.Model, Name: t.Name(), Metered: t.Statistics}
}
