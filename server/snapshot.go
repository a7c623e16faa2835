package server

import (
	"context"
	"log/slog"
	"time"

	"semlb/envoy"
	"semlb/provider"
	"semlb/router"
)

// Router plans a request by its prompt. It always answers.
type Router interface {
	Route(ctx context.Context, prompt string) router.Plan
}

// Snapshot is one whole configuration in force. It is immutable; every request
// sees one from its beginning to its end.
type Snapshot struct {
	// Global serves every request that no narrower instance is bound to.
	Global *Instance
	// Instances holds all of them by ID.
	Instances map[string]*Instance
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
	// Provider is the configured one, such as openai.
	Provider string
	// Description and Weight are the configured ones, for people to recognise the
	// target by.
	Description string
	Weight      int
}

// LogValue keeps credentials out of logs.
func (t *Target) LogValue() slog.Value { return slog.StringValue(t.Name()) }
