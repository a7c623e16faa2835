package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// OnPanic selects what happens to a request whose decision panicked.
type OnPanic string

// The values of OnPanic; anything else is OnPanicReject.
const (
	// OnPanicReject answers 500.
	OnPanicReject OnPanic = "reject"
	// OnPanicDefault serves the request by the default group.
	OnPanicDefault OnPanic = "default"
)

// PanicError is an error that stands for a panic of another goroutine, on which a
// decision waited. The embedding cache returns one to each caller that waits for a
// load that panicked.
type PanicError interface {
	error
	// Panic returns the type of the panic's value and the stack it came from.
	Panic() (cause, stack string)
}

// recovered is a panic as it may be logged: the type of its value, which itself may
// quote the request, and the stack it came from.
type recovered struct{ cause, stack string }

// contain calls f and returns its panic, or nil. Every panic of a handler of
// this package is recovered here.
func contain(f func()) (p *recovered) {
	defer func() {
		if value := recover(); value != nil {
			p = &recovered{cause: fmt.Sprintf("%T", value), stack: string(debug.Stack())}
		}
	}()
	f()
	return nil
}

// panicOf is the panic of another goroutine that an error stands for; nil for none.
func panicOf(err error) *recovered {
	var elsewhere PanicError
	if !errors.As(err, &elsewhere) {
		return nil
	}
	cause, stack := elsewhere.Panic()
	return &recovered{cause: cause, stack: stack}
}

// panics counts and logs panics. It logs at once and not through the recorder, because
// a panic may be the last thing that a process logs.
type panics struct {
	log     *slog.Logger
	metrics *Metrics
}

func (p panics) record(ctx context.Context, requestID string, r *recovered) {
	p.metrics.panics.Inc()
	p.log.ErrorContext(ctx, "panic", "request_id", requestID, "cause", r.cause, "stack", r.stack)
}

// intercept ends the stream of a panic that its handler did not contain.
func (p panics) intercept(service any, s grpc.ServerStream, _ *grpc.StreamServerInfo, serve grpc.StreamHandler) (err error) {
	if r := contain(func() { err = serve(service, s) }); r != nil {
		p.record(s.Context(), "", r)
		return status.Error(codes.Internal, "panic")
	}
	return err
}
