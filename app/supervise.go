package app

import (
	"context"
	"sync"
)

// supervisor runs the parts of a process. The first part that fails ends its
// context, with the failure as the cause; whoever started a part stops it.
type supervisor struct {
	parent context.Context
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func supervise(parent context.Context) *supervisor {
	ctx, cancel := context.WithCancelCause(parent)
	return &supervisor{parent: parent, ctx: ctx, cancel: cancel}
}

// start runs a part until stop is called, which ends the part's context and waits
// for it. A part outlives the supervisor's context, so that parts end in the order
// in which they are stopped.
func (s *supervisor) start(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.ctx))
	var done sync.WaitGroup
	done.Go(func() {
		if err := run(ctx); err != nil {
			s.cancel(err)
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

// failure is the part's failure that ended the supervisor's context, or nil if it
// was asked to end.
func (s *supervisor) failure() error {
	if s.parent.Err() != nil {
		return nil
	}
	return context.Cause(s.ctx)
}
