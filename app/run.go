package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/oklog/run"
)

// Run serves until ctx ends or a part fails, stops everything in order, and calls
// [App.Close]. It returns nil if ctx ended.
func (a *App) Run(ctx context.Context) error {
	defer a.Close()
	g := newGroup(ctx)
	// The first to stop first: Envoy drains while everything it needs still serves.
	g.add(a.keepReady, a.ready.withdraw)
	g.add(a.announceStop(ctx))
	if a.child != nil {
		g.add(a.child.Run)
	}
	if a.reloader != nil {
		g.add(a.reloader.run)
	}
	if a.options.Admin.State != "" {
		g.add(a.ignoreHangups)
	}
	if a.admin != nil {
		g.add(a.admin.serve)
	}
	g.add(a.core.manager.Expire)
	g.add(a.serveGRPC)
	g.add(a.status.serve)
	if a.child == nil {
		a.started()
	}
	return g.run()
}

func (a *App) started() {
	if a.options.Started != nil {
		a.options.Started()
	}
}

// part is a part of the program. It runs until ctx ends, and returns nil then.
type part func(ctx context.Context) error

// group runs parts. When its context ends, or a part returns, it stops them one after
// the other in the order in which they were added.
type group struct {
	ctx    context.Context
	actors run.Group
}

func newGroup(ctx context.Context) *group {
	g := &group{ctx: ctx}
	g.actors.Add(run.ContextHandler(ctx))
	return g
}

// add adds a part, and what to do when it has stopped.
func (g *group) add(p part, stopped ...func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(g.ctx))
	done := make(chan struct{})
	g.actors.Add(func() error {
		defer close(done)
		return p(ctx)
	}, func(error) {
		cancel()
		<-done
		for _, f := range stopped {
			f()
		}
	})
}

// run returns the error of the part that returned first; nil if the context ended.
func (g *group) run() error {
	err := g.actors.Run()
	if g.ctx.Err() != nil {
		return nil
	}
	return err
}

// serveGRPC serves Envoys.
func (a *App) serveGRPC(ctx context.Context) error {
	served := make(chan struct{})
	defer close(served)
	defer context.AfterFunc(ctx, func() {
		// Streams of the control plane have no end of their own, and would hold up the
		// server's graceful stop.
		a.core.endStreams()
		select {
		case <-served:
		case <-time.After(grace / 2):
			// A decision that still waits for an embedding model is made without it, in time
			// for its response to leave.
			a.core.endEmbedding()
		}
	})()
	return a.grpc.Serve(ctx, grace, a.grpcListeners...)
}

// announceStop is the part that stops once the program is no longer ready, and before
// anything that serves. Without a child Envoy, it waits for Envoys and Kubernetes to
// notice. parent is the context of the program.
func (a *App) announceStop(parent context.Context) part {
	return func(ctx context.Context) error {
		<-ctx.Done()
		defer a.ready.set(false)
		if parent.Err() == nil {
			return nil // a part has failed
		}
		if a.child == nil {
			a.options.Log.Info("no longer ready", "stopping_in", a.options.Drain)
			a.leave()
		}
		a.options.Log.Info("stopping")
		return nil
	}
}

// leaveTime is how long Envoys, which reconnect within half a second, have to get their
// configuration from another replica.
const leaveTime = time.Second

// leave waits for the time of the drain. Envoys are to have the configuration of another
// replica before they call this one no more: the other one may need clusters that they do
// not have yet.
func (a *App) leave() {
	a.core.endStreams()
	first := min(leaveTime, a.options.Drain/2)
	time.Sleep(first)
	a.ready.set(false)
	time.Sleep(a.options.Drain - first)
}

// keepReady keeps the readiness up to date.
func (a *App) keepReady(ctx context.Context) error {
	if a.child != nil {
		if err := a.awaitChild(ctx); err != nil || ctx.Err() != nil {
			return err
		}
		for a.ready.awaitsNames() {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(listenPoll):
			}
		}
		a.ready.set(true)
		a.started()
	}
	return a.ready.watch(ctx, a.core.manager.DescriptionsTried())
}

const (
	// startTimeout bounds the time from the start of a child Envoy until it serves.
	startTimeout = 30 * time.Second
	// listenPoll is the interval at which its listener is tried.
	listenPoll = 10 * time.Millisecond
)

// awaitChild returns when the child Envoy has acknowledged its configuration and
// listens, and the descriptions were embedded or tried. It returns nil if ctx ends.
func (a *App) awaitChild(parent context.Context) error {
	ctx, cancel := context.WithTimeout(parent, startTimeout)
	defer cancel()
	err := a.core.control.Wait(ctx)
	if err == nil {
		err = awaitListening(ctx, a.options.Listen)
	}
	if err == nil {
		select {
		case <-a.core.manager.DescriptionsTried():
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	switch {
	case parent.Err() != nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no Envoy was ready within %s; see --log-level debug", startTimeout)
	default:
		return err
	}
}

func awaitListening(ctx context.Context, address string) error {
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(listenPoll):
		}
	}
}
