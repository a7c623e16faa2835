package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"semlb/config"
)

// reloader applies the configuration files again when they change, or on SIGHUP.
type reloader struct {
	options *ServeOptions
	live    *live
	results *prometheus.CounterVec
	// outcome tells the status page of the last reload.
	outcome func(error)
}

// pollEvery is how often files are looked at. Looking at names and times, and not
// waiting for notifications, sees every way to change a file: in place, by
// renaming, by Kubernetes' swap of a symbolic link, on a network file system.
const pollEvery = 250 * time.Millisecond

// run reloads until ctx ends. A configuration that is wrong leaves the one in
// force as it is.
func (r *reloader) run(ctx context.Context) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	seen := r.options.seen
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
			seen = fingerprint(&r.options.LoadOptions)
			r.reload(ctx)
		case <-tick.C:
			if now := fingerprint(&r.options.LoadOptions); now != seen {
				seen = now
				r.reload(ctx)
			}
		}
	}
}

// reloadCounter registers the count of reloads by their result.
func reloadCounter(r prometheus.Registerer) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "semlb_reloads_total", Help: "Changes of the configuration files, by whether they were applied or refused.",
	}, []string{"result"})
	c.WithLabelValues("applied")
	c.WithLabelValues("refused")
	r.MustRegister(c)
	return c
}

func (r *reloader) reload(ctx context.Context) {
	cfg, err := r.options.load(r.live.log)
	if err == nil {
		err = r.live.apply(ctx, cfg)
	}
	r.outcome(err)
	if err != nil {
		r.results.WithLabelValues("refused").Inc()
		r.live.log.Error("reload refused, the last good configuration stays in force", "error", err)
		return
	}
	if r.options.api != nil {
		r.options.api.Replace(cfg)
	}
	r.results.WithLabelValues("applied").Inc()
	r.live.log.Info("reloaded", "plugins", len(cfg.Plugins))
}

// fingerprint changes whenever a file of the configuration may have changed, or a
// Secret that it refers to.
func fingerprint(o *LoadOptions) [sha256.Size]byte {
	files, err := config.Files(o.Files...)
	if o.Reading.SecretsDir != "" && err == nil {
		var secrets []string
		secrets, err = config.SecretFiles(o.Reading.SecretsDir)
		files = append(files, secrets...)
	}
	h := sha256.New()
	for _, file := range files {
		note(h, file)
	}
	fmt.Fprintln(h, err)
	return [sha256.Size]byte(h.Sum(nil))
}

// note writes what tells one state of a file from another.
func note(w io.Writer, path string) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		fmt.Fprintln(w, path, "absent")
		return
	}
	info, err := os.Stat(target)
	if err != nil {
		fmt.Fprintln(w, path, "absent")
		return
	}
	fmt.Fprintln(w, path, target, info.Size(), info.ModTime().UnixNano(), inode(info))
}

func inode(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Ino
	}
	return 0
}
