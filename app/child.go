package app

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"semlb/envoy"
)

// child keeps an Envoy running.
type child struct {
	process *envoy.Process
	admin   *envoy.Admin
	service *service
	log     *slog.Logger
	// drain is how long requests under way may take to end when Envoy is stopped.
	drain time.Duration
	// restarted counts.
	restarted func()
}

// Envoy is restarted at once the first time, and then ever later, up to lastWait;
// one that ran for longer than that begins anew.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 10 * time.Second
)

func newChild(o *RunOptions, s *service, binary, dir string) *child {
	socket := filepath.Join(dir, "admin.sock")
	return &child{
		service: s, log: s.log, drain: o.Drain,
		admin: envoy.NewAdmin(socket),
		process: &envoy.Process{
			Binary: binary, Dir: dir, Concurrency: o.EnvoyConcurrency, Grace: grace, Log: s.log, Redact: s.discretion.redact,
			Bootstrap: envoy.Bootstrap(envoy.BootstrapOptions{
				NodeID:    "semlb-run",
				Service:   envoy.Endpoint{Path: o.GRPCSocket},
				Admin:     envoy.Endpoint{Path: socket},
				HopSocket: o.HopSocket,
			}),
		},
		restarted: s.envoyRestarts.Inc,
	}
}

// run keeps Envoy running until ctx ends, and then lets it finish what is under
// way. An Envoy that ends before the process was ever ready is an error: it would
// end again.
func (c *child) run(ctx context.Context) error {
	// Envoy outlives ctx by the time it takes to drain.
	alive, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ended := make(chan struct{})
	var stopping sync.WaitGroup
	stopping.Go(func() {
		select {
		case <-ended: // of itself: nothing is left to finish
		case <-ctx.Done():
			c.finish()
			stop()
		}
	})
	err := c.keep(ctx, alive)
	close(ended)
	stopping.Wait()
	return err
}

func (c *child) keep(ctx, alive context.Context) error {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		start := time.Now()
		err := c.process.Run(alive)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if !c.service.wasReady() {
			return err
		}
		if time.Since(start) > lastWait {
			wait = firstWait
		}
		c.service.setEnvoyDown(true)
		c.restarted()
		c.log.Error("starting Envoy again", "error", err, "in", wait)
		if !sleep(ctx, wait) {
			return nil
		}
		c.service.setEnvoyDown(false)
	}
}

// finish lets requests under way end, up to the time there is for it.
func (c *child) finish() {
	ctx, cancel := context.WithTimeout(context.Background(), c.drain)
	defer cancel()
	err := c.admin.Drain(ctx)
	if errors.Is(err, envoy.ErrNotListening) {
		return // it has not come so far, or ended already
	}
	if err != nil {
		c.log.Warn("not all requests could be finished", "error", err)
	}
	time.Sleep(lastWords)
}

// lastWords is time for Envoy to send the access log of the last requests.
const lastWords = 50 * time.Millisecond
