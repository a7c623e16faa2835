package server

import (
	"context"
	"errors"
	"io"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"semlb/envoy"
)

// exchanger handles the streams of a role that receives a request and responds to it
// once. It returns right after the response, so that no stream is held while the model
// answers.
type exchanger struct {
	admitter
	metrics *Metrics
	bodies  *bodyBudget
	// uploads bounds the bodies that Envoy waits for; nil where it has them already.
	uploads *uploads
	decide  func(context.Context, *exchange) *extprocv3.ProcessingResponse
	// final marks requests that are shed so that Envoy makes no further attempt.
	final bool
}

func (e *exchanger) handle(s stream) error {
	x, err := receiveHeaders(s)
	if err != nil {
		return ended(err)
	}
	refusal, err := e.admitted(s.Context(), x)
	switch {
	case err != nil:
		return err
	case refusal != nil:
		return s.Send(refusal)
	}
	if !x.bodiless {
		if e.bodies.exhausted() {
			return s.Send(e.shed(x, e.final))
		}
		if answered, err := e.awaitBody(s, x); err != nil || answered {
			return ended(err)
		}
		if !e.bodies.tryAcquire(len(x.body)) {
			return s.Send(e.shed(x, e.final))
		}
		defer e.bodies.release(len(x.body))
	}
	response := e.respond(s.Context(), x)
	err = s.Send(response)
	if err != nil || response.GetImmediateResponse() != nil {
		x.releaseProbes() // the request does not leave, with its plan
	}
	return err
}

// awaitBody lets Envoy send the body, and waits for it. The request is answered without it if
// there is no room for it, or if it does not arrive and makes room for others.
func (e *exchanger) awaitBody(s stream, x *exchange) (answered bool, err error) {
	if e.uploads == nil || x.header(envoy.HeaderAdmitted) != "" {
		if err := s.Send(continueResponse); err != nil {
			return false, err
		}
		x.body, err = receiveBody(s)
		return false, err
	}
	out := &replies{stream: s}
	one := e.uploads.begin(smallestUpload, func() { e.displace(s, x, out) })
	if one == nil {
		return true, s.Send(e.shed(x, e.final))
	}
	if err = out.send(continueResponse); err == nil {
		x.body, err = receiveBody(s)
	}
	one.finish() // nothing is sent by displace from here on
	return out.over, err
}

// admitter answers requests that are refused by their heads.
type admitter struct {
	responder
	// admit answers a request by its head, or returns nil. An error ends the call, and
	// leaves it to another replica.
	admit func(context.Context, *exchange) (*extprocv3.ProcessingResponse, error)
}

// admitted answers a request that is refused by its head. A panic refuses the request too.
func (a *admitter) admitted(ctx context.Context, x *exchange) (r *extprocv3.ProcessingResponse, err error) {
	if p := contain(func() { r, err = a.admit(ctx, x) }); p != nil {
		a.panics.record(ctx, x.id, p)
		return a.fault(x, codeInternalError), nil
	}
	return r, err
}

// respond decides about a request. A panic fails the request, and no other.
func (e *exchanger) respond(ctx context.Context, x *exchange) (r *extprocv3.ProcessingResponse) {
	start := time.Now()
	if p := contain(func() { r = e.decide(ctx, x) }); p != nil {
		e.panics.record(ctx, x.id, p)
		r = e.fault(x, codeInternalError)
	}
	e.metrics.decisionSeconds.Observe(time.Since(start).Seconds())
	return r
}

func receiveHeaders(s stream) (*exchange, error) {
	m, err := s.Recv()
	if err != nil {
		return nil, err
	}
	if h := m.GetRequestHeaders(); h != nil {
		x := newExchange(h, m.GetAttributes())
		x.call = callOf(s.Context())
		x.metadata = m.GetMetadataContext().GetFilterMetadata()
		return x, nil
	}
	return nil, unexpected(m, "request_headers")
}

func receiveBody(s stream) ([]byte, error) {
	m, err := s.Recv()
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

// ended turns a client that left into a clean end of the stream.
func ended(err error) error {
	if errors.Is(err, io.EOF) || status.Code(err) == codes.Canceled {
		return nil
	}
	return err
}
