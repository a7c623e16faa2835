package server

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"semlb/envoy"
	"semlb/provider"
	"semlb/router"
)

// Router plans a request by its prompt, and learns what became of plans. It always
// answers.
type Router interface {
	Route(ctx context.Context, prompt string) router.Plan
	// Degrade plans a request for which Route has panicked; cause is no secret.
	Degrade(cause error) router.Plan
	// Report tells of an attempt that has ended, or of a probe whose answer has begun.
	Report(router.Outcome)
	// Unreached tells of a probe that its request did not come to.
	Unreached(router.Probe)
}

// Snapshot is one whole configuration in force. It is immutable; every request
// sees one from its beginning to its end.
type Snapshot struct {
	// Find returns the instance that serves a request, or nil where none does.
	Find func(Match) *Instance
	// Instances holds every instance by ID: those that Find returns, and those of
	// earlier configurations whose requests may still be under way.
	Instances map[string]*Instance
	// Consumer finds who sent a request, from the headers that Envoy set; "" for
	// nobody that is known.
	Consumer func(header func(name string) string) string
	// ConsumersOnly says that some instance is bound to a consumer or a group, so
	// that a request without one may have wanted to say who it is.
	ConsumersOnly bool
}

// Targets are the targets of all instances, by ID.
func (s *Snapshot) Targets() map[string]*Target {
	all := make(map[string]*Target)
	for _, i := range s.Instances {
		maps.Copy(all, i.Targets)
	}
	return all
}

// Match is what is known of a request when its instance is chosen. What is not
// known is empty.
type Match struct {
	// Route and Service are the names of the Kong route and service, where Envoy says
	// them.
	Route, Service string
	// Names are what Envoy itself calls the route that it matched and the route's
	// virtual host; a Kong route or service may be called so.
	Names []string
	// Consumer is the name, or the ID, of the consumer that Envoy authenticated.
	Consumer string
	// Groups are the consumer's groups, beside those the configuration has it in.
	Groups []string
}

// Instance is one configured plugin.
type Instance struct {
	// ID names the instance between the hops; the same in every replica.
	ID     string
	Router Router
	// Targets by ID.
	Targets map[string]*Target
	// Policy says which failures move on to the next target.
	Policy envoy.Policy
	// BodyLimit is the largest request body in bytes.
	BodyLimit int64
	// OnPanic says what becomes of a request whose decision panicked.
	OnPanic OnPanic
	// Idle is the longest silence of an attempt.
	Idle time.Duration
	// RouteType is the shape of requests that all targets take.
	RouteType string
	// Streaming is the plugin's response_streaming.
	Streaming provider.Streaming
	// ModelHeader tells clients the model that answered (x-kong-llm-model).
	ModelHeader bool
	// Models are the only ones a request may name (model_policy: strict); nil lets
	// it name any, which is then replaced.
	Models []string
	// Touched is what the targets' rewrites may change.
	Touched provider.Touched
}

// Target is where an attempt can go.
type Target struct {
	*provider.Target
	// Cluster is Envoy's name for the target's endpoint.
	Cluster string
	// Provider is the configured one, such as openai; Model is what the target calls
	// its model, or "" if that is up to the request.
	Provider, Model string
	// Description and Weight are the configured ones, for people to recognise the
	// target by.
	Description string
	Weight      int
	// Statistics says whether requests to the target are logged with meta and usage
	// (log_statistics).
	Statistics bool
	// Payloads says whether requests and answers of the target are logged whole.
	Payloads bool
	// InputCost and OutputCost are prices per million tokens.
	InputCost, OutputCost float64
}

// LogValue keeps credentials out of logs.
func (t *Target) LogValue() slog.Value { return slog.StringValue(t.Name()) }
