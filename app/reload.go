package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"semlb/config"
)

// reloader applies the configuration files when they change, or on SIGHUP.
type reloader struct {
	source  *source
	core    *core
	ready   *readiness
	results *prometheus.CounterVec
	log     *slog.Logger
}

func newReloader(s *source, c *core, r *readiness, log *slog.Logger) *reloader {
	return &reloader{source: s, core: c, ready: r, results: reloadCounter(c.registry), log: log}
}

// pollEvery is the interval at which files are compared with what was loaded. Polling
// names and times sees every way to change a file, which notifications do not: in
// place, by renaming, by Kubernetes' swap of a symbolic link, on a network file system.
const pollEvery = 250 * time.Millisecond

// run reloads until ctx ends.
func (r *reloader) run(ctx context.Context) error {
	hangups, stop := notifyHangups()
	defer stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangups:
			r.reload(ctx)
		case <-tick.C:
			if r.source.changed() {
				r.reload(ctx)
			}
		}
	}
}

// reload applies the files. A configuration with faults leaves the one in force.
func (r *reloader) reload(ctx context.Context) {
	cfg, err := r.source.load(ctx)
	if err == nil {
		err = r.core.manager.Apply(ctx, cfg)
	}
	r.ready.changed(err)
	if err != nil {
		r.results.WithLabelValues("refused").Inc()
		r.log.Error("reload refused, the last good configuration stays in force", append([]any{"error", err}, stackOf(err)...)...)
		return
	}
	r.source.api.Replace(cfg)
	r.results.WithLabelValues("applied").Inc()
	r.log.Info("reloaded", "plugins", len(cfg.Plugins))
}

// stackOf returns the stack of an internal error as an attribute of a log line; nil for
// another error.
func stackOf(err error) []any {
	var internal *config.InternalError
	if !errors.As(err, &internal) {
		return nil
	}
	return []any{"stack", internal.Stack}
}

// notifyHangups returns a channel of SIGHUPs, which then do not end the process.
func notifyHangups() (hangups <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// ignoreHangups keeps SIGHUP from ending a process whose configuration is a state file.
func (a *App) ignoreHangups(ctx context.Context) error {
	hangups, stop := notifyHangups()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangups:
			a.options.Log.Warn("SIGHUP ignored: the state file is only read at startup")
		}
	}
}
