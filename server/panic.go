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

	"semlb/router"
)

// OnPanic says what becomes of a request whose decision panicked.
type OnPanic string

// The values of OnPanic; anything else is OnPanicReject.
const (
	// OnPanicReject answers 500.
	OnPanicReject OnPanic = "reject"
	// OnPanicDefault serves the request by the default group.
	OnPanicDefault OnPanic = "default"
)

// panicked is a panic as it may be logged: the type of its value, which itself may
// quote the request, and the stack it came from.
type panicked struct{ cause, stack string }

// caught is the panic whose value was recovered just now.
func caught(value any) *panicked {
	return &panicked{cause: fmt.Sprintf("%T", value), stack: string(debug.Stack())}
}

// reported is the panic of another goroutine that an error stands for; nil for none.
func reported(err error) *panicked {
	var elsewhere interface {
		error
		Panic() (cause, stack string)
	}
	if !errors.As(err, &elsewhere) {
		return nil
	}
	cause, stack := elsewhere.Panic()
	return &panicked{cause: cause, stack: stack}
}

// panics counts and logs them.
type panics struct {
	log     *slog.Logger
	metrics *Metrics
}

func (p panics) note(ctx context.Context, requestID string, f *panicked) {
	p.metrics.panics.Inc()
	p.log.ErrorContext(ctx, "panic", "request_id", requestID, "cause", f.cause, "stack", f.stack)
}

// stream keeps a panic that nothing else has caught from ending the process: it ends
// its stream.
func (p panics) stream(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, serve grpc.StreamHandler) (err error) {
	defer func() {
		if value := recover(); value != nil {
			p.note(stream.Context(), "", caught(value))
			err = status.Error(codes.Internal, "panic")
		}
	}()
	return serve(service, stream)
}

// errPanic is the cause of a plan that was made after a panic.
var errPanic = errors.New("panic")

// route has a request planned. If that panics, here or in a goroutine that it waits
// for, the plan is the default group's, and the panic is returned with it.
func route(ctx context.Context, r Router, prompt string) (plan router.Plan, f *panicked) {
	defer func() {
		if value := recover(); value != nil {
			f, plan = caught(value), r.Degrade(errPanic)
		}
	}()
	plan = r.Route(ctx, prompt)
	return plan, reported(plan.Err)
}
