package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"semlb/envoy"
)

// Processor is the external processor: Envoy asks it what becomes of a request.
// It has two roles, told apart by gRPC metadata: the outer one plans a request,
// the inner one rewrites a later attempt of it.
type Processor struct {
	extprocv3.UnimplementedExternalProcessorServer

	snapshot func() *Snapshot
	log      *slog.Logger
	metrics  *Metrics
	panics   panics
	bodies   bodies
}

// NewProcessor makes a processor that serves whatever snapshot returns, and holds about
// maxBodies bytes of request bodies at once.
func NewProcessor(snapshot func() *Snapshot, maxBodies int64, log *slog.Logger, metrics *Metrics) *Processor {
	return &Processor{snapshot: snapshot, log: log, metrics: metrics, panics: panics{log: log, metrics: metrics}, bodies: bodies{limit: maxBodies}}
}

// Process answers one request of one hop: its headers, then its body. It returns
// right after the body's answer, so that no stream is held while the model
// answers.
func (p *Processor) Process(stream extprocv3.ExternalProcessor_ProcessServer) error {
	ctx := stream.Context()
	if roleOf(ctx) == envoy.RoleObserve {
		return p.observe(stream)
	}
	decide, err := p.role(ctx)
	if err != nil {
		return err
	}
	x, err := receiveHeaders(stream)
	if err != nil {
		return ended(err)
	}
	if !x.bodiless {
		if p.bodies.full() {
			return stream.Send(p.shed(ctx, x))
		}
		if err := stream.Send(envoy.Continue()); err != nil {
			return err
		}
		if x.body, err = receiveBody(stream); err != nil {
			return ended(err)
		}
		if !p.bodies.take(len(x.body)) {
			return stream.Send(p.shed(ctx, x))
		}
		defer p.bodies.give(len(x.body))
	}
	return p.send(stream, x, p.guarded(ctx, decide, x))
}

// send answers a request. Unless it goes on, with its plan, the plan's probes are not
// made: they are given back.
func (p *Processor) send(stream extprocv3.ExternalProcessor_ProcessServer, x *exchange, r *extprocv3.ProcessingResponse) error {
	err := stream.Send(r)
	if err != nil || r.GetImmediateResponse() != nil {
		x.giveBack()
	}
	return err
}

// decision is what a role does with a request.
type decision func(context.Context, *exchange) *extprocv3.ProcessingResponse

func (p *Processor) role(ctx context.Context) (decision, error) {
	switch role := roleOf(ctx); role {
	case envoy.RoleOuter:
		return p.plan, nil
	case envoy.RoleInner:
		return p.attempt, nil
	default:
		return nil, status.Errorf(codes.InvalidArgument, "metadata %s: got %q, want %q, %q or %q",
			envoy.RoleKey, role, envoy.RoleOuter, envoy.RoleInner, envoy.RoleObserve)
	}
}

// roleOf is the role that Envoy asks for; "" unless it names one and only one.
func roleOf(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	if role := md.Get(envoy.RoleKey); len(role) == 1 {
		return role[0]
	}
	return ""
}

// guarded keeps a panic from ending the process: the request is answered 500, the
// stack is logged, and every other stream goes on.
func (p *Processor) guarded(ctx context.Context, decide decision, x *exchange) (r *extprocv3.ProcessingResponse) {
	start := time.Now()
	defer func() {
		if value := recover(); value != nil {
			p.panics.note(ctx, x.requestID(), caught(value))
			r = p.fault(codeInternalError)
		}
		p.metrics.decisionSeconds.Observe(time.Since(start).Seconds())
	}()
	return decide(ctx, x)
}

// answer ends a request with a JSON error of ours; code is its reason.
func (p *Processor) answer(status int, body []byte, code string) *extprocv3.ProcessingResponse {
	p.metrics.answers.WithLabelValues(code).Inc()
	return envoy.Answer(status, body, code)
}

// fault answers a request that cannot be served for a reason of ours.
func (p *Processor) fault(code string) *extprocv3.ProcessingResponse {
	return p.answer(500, envoy.ErrorBody("The router could not handle this request.", "server_error", code), code)
}

func receiveHeaders(stream extprocv3.ExternalProcessor_ProcessServer) (*exchange, error) {
	m, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	if h := m.GetRequestHeaders(); h != nil {
		x := newExchange(h, m.GetAttributes())
		x.metadata = m.GetMetadataContext().GetFilterMetadata()
		return x, nil
	}
	return nil, unexpected(m, "request_headers")
}

func receiveBody(stream extprocv3.ExternalProcessor_ProcessServer) ([]byte, error) {
	m, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	if b := m.GetRequestBody(); b != nil {
		return b.GetBody(), nil
	}
	return nil, unexpected(m, "request_body")
}

func unexpected(m *extprocv3.ProcessingRequest, want string) error {
	return status.Errorf(codes.InvalidArgument, "message %T: want %s; check the filter's processing_mode", m.GetRequest(), want)
}

// ended turns a client that went away into a clean end of the stream.
func ended(err error) error {
	if errors.Is(err, io.EOF) || status.Code(err) == codes.Canceled {
		return nil
	}
	return err
}
