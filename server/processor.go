package server

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"semlb/envoy"
	"semlb/record"
)

// stream is one ext_proc stream: Envoy opens one for each request and filter.
type stream = extprocv3.ExternalProcessor_ProcessServer

// Processor is the external processor. Every filter of Envoy opens its streams for one
// role, which it names in gRPC metadata.
type Processor struct {
	extprocv3.UnimplementedExternalProcessorServer

	roles  map[string]*role
	panics panics
	// stopping is closed when the server stops.
	stopping chan struct{}
}

// role is one use of the external processor. Its handler serves one stream, within
// its own limits.
type role struct {
	handle func(stream) error
	// drain is how long open streams may go on after the server's own grace, when it
	// stops: 0 for roles that do not hold a stream while a model answers.
	drain time.Duration
	open  atomic.Int64 // streams
}

// Options is what a Processor is made of.
type Options struct {
	// Snapshot returns the configuration in force.
	Snapshot func() *Snapshot
	// MaxBodies bounds the bytes of all request bodies that wait for a response.
	MaxBodies int64
	// MaxUploads bounds the bytes of the large bodies that clients are sending, and of the small
	// ones.
	MaxUploads int64
	// Recorder receives the events of requests.
	Recorder *record.Recorder
	Metrics  *Metrics
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Log is for panics only: requests are logged by a sink of Recorder.
	Log *slog.Logger
}

// clock is the wall clock.
func (o Options) clock() func() time.Time {
	if o.Now == nil {
		return time.Now
	}
	return o.Now
}

// NewProcessor makes a processor. A new role is one line of its table.
func NewProcessor(o Options) *Processor {
	contained := panics{log: o.Log, metrics: o.Metrics}
	common := responder{recorder: o.Recorder, panics: contained, now: o.clock()}
	stopping := make(chan struct{})
	bodies := &bodyBudget{limit: o.MaxBodies}
	large, small := &uploads{limit: o.MaxUploads}, &uploads{limit: o.MaxUploads} // neither takes the room of the other
	plan := &planner{responder: common, snapshot: o.Snapshot, metrics: o.Metrics}
	rewrite := &rewriter{responder: common, snapshot: o.Snapshot, metrics: o.Metrics}
	outer, inner := admitter{common, plan.admit}, admitter{common, rewrite.admit}
	upload := &uploader{admitter: outer, uploads: large, stopping: stopping}
	observe := &observer{
		snapshot: o.Snapshot, recorder: o.Recorder, metrics: o.Metrics, panics: contained, now: o.clock(),
		payloads: &bodyBudget{limit: maxPayloads},
	}
	return &Processor{panics: contained, stopping: stopping, roles: map[string]*role{
		envoy.RoleOuter:   {handle: (&exchanger{admitter: outer, metrics: o.Metrics, bodies: bodies, uploads: small, decide: plan.decide}).handle},
		envoy.RoleUpload:  {handle: upload.handle},
		envoy.RoleInner:   {handle: (&exchanger{admitter: inner, metrics: o.Metrics, bodies: bodies, decide: rewrite.decide, final: true}).handle},
		envoy.RoleObserve: {handle: observe.handle, drain: observeDrain},
	}}
}

// Process serves one stream. A panic that its role does not contain ends the stream,
// and no other.
func (p *Processor) Process(s stream) error {
	name := roleOf(s.Context())
	r := p.roles[name]
	if r == nil {
		return status.Errorf(codes.InvalidArgument, "metadata %s: got %q, want one of %s", envoy.RoleKey, name, p.roleNames())
	}
	r.open.Add(1)
	defer r.open.Add(-1)
	return r.handle(s)
}

func (p *Processor) roleNames() string {
	var names []string
	for name := range p.roles {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// roleOf is the role that a stream is for; "" unless its metadata names exactly one.
func roleOf(ctx context.Context) string {
	if role := metadata.ValueFromIncomingContext(ctx, envoy.RoleKey); len(role) == 1 {
		return role[0]
	}
	return ""
}

// drainEvery is how often open streams are counted while a role drains.
const drainEvery = 20 * time.Millisecond

// drain waits for the streams of roles that may hold them longer than the server's
// grace, each for as long as its role allows.
func (p *Processor) drain() {
	begun := time.Now()
	for _, r := range p.roles {
		for r.open.Load() > 0 && time.Since(begun) < r.drain {
			time.Sleep(drainEvery)
		}
	}
}
