package deploy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"

	"semlb/embeddings"
	"semlb/vectordb"
)

// Descriptions keeps the descriptions of instances embedded, and the vectors of stores
// that share them with other replicas.
type Descriptions struct {
	log *slog.Logger
	// failures counts failed calls of a vector store by operation.
	failures *prometheus.CounterVec
	// countPanic counts recovered panics.
	countPanic func()
	// syncEvery is the interval at which a store is compared with its server.
	syncEvery time.Duration
}

// described is an instance whose descriptions are embedded; a *build.Instance.
type described interface {
	ID() string
	HasDescriptions() bool
	Load(context.Context) error
	Syncer() vectordb.Syncer
	SearchesServer() bool
}

// opSync is the operation of keepSynced; the others are those of
// [vectordb.BackingError].
const opSync = "sync"

// NewDescriptions registers its metrics with r. A store is compared with its server
// every syncEvery. countPanic counts recovered panics of embedders and stores.
func NewDescriptions(syncEvery time.Duration, log *slog.Logger, r prometheus.Registerer, countPanic func()) *Descriptions {
	d := &Descriptions{log: log, countPanic: countPanic, syncEvery: syncEvery, failures: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "semlb_store_errors_total", Help: "Failed calls of a vector store while vectors were kept in it, by operation.",
	}, []string{"op"})}
	for _, op := range []string{"get", "upsert", opSync} {
		d.failures.WithLabelValues(op)
	}
	r.MustRegister(d.failures)
	return d
}

// Retries begin soon, and then give a broken embedder time.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
	jitter     = 0.2
)

// keep embeds the descriptions of an instance, retries until that succeeds, and then
// keeps the store's server in sync, until ctx ends. It calls tried after the first try,
// whatever the result.
func (d *Descriptions) keep(ctx context.Context, i described, tried func()) {
	defer tried()
	if !i.HasDescriptions() {
		return
	}
	pauses := backoff.ExponentialBackOff{InitialInterval: firstRetry, MaxInterval: lastRetry, Multiplier: 2, RandomizationFactor: jitter}
	pauses.Reset()
	for {
		err := recovered(func() error { return i.Load(ctx) })
		var unsynced *vectordb.BackingError
		switch {
		case err == nil:
			tried()
			d.keepSynced(ctx, i, false)
			return
		case errors.As(err, &unsynced):
			d.storeFailed(i, unsynced.Op, err)
			tried()
			d.keepSynced(ctx, i, true)
			return
		}
		pause := pauses.NextBackOff().Round(time.Millisecond)
		d.log.Error("descriptions cannot be embedded; requests go to the default group",
			append([]any{"instance", i.ID(), "error", err, "again_in", pause}, d.recordPanic(err)...)...)
		tried()
		if !sleep(ctx, pause) {
			return
		}
	}
}

// keepSynced writes to the store's server the vectors it lacks: other replicas and
// later starts find them there, or searches do. Every failure is counted; the log
// has a line when the server becomes unavailable, and one when it is back.
func (d *Descriptions) keepSynced(ctx context.Context, i described, unavailable bool) {
	store := i.Syncer()
	if store == nil {
		return
	}
	for sleep(ctx, d.syncEvery) {
		n, err := syncOnce(ctx, store)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && unavailable:
			d.failures.WithLabelValues(opSync).Inc()
			d.recordPanic(err)
		case err != nil:
			d.storeFailed(i, opSync, err)
		case n > 0 || unavailable:
			d.log.Info("the vector store has all vectors", "instance", i.ID(), "written", n)
		}
		unavailable = err != nil
	}
}

// syncTimeout bounds one comparison of a store with its server.
const syncTimeout = 10 * time.Second

func syncOnce(ctx context.Context, store vectordb.Syncer) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	err = recovered(func() (err error) {
		n, err = store.Sync(ctx)
		return err
	})
	return n, err
}

// storeFailed counts and logs a failed call of a store's server.
func (d *Descriptions) storeFailed(i described, op string, err error) {
	d.failures.WithLabelValues(op).Inc()
	requests := "compared in memory"
	if i.SearchesServer() {
		requests = "sent to the default group"
	}
	d.log.Warn("the vector store cannot be reached",
		append([]any{"instance", i.ID(), "requests", requests, "error", err}, d.recordPanic(err)...)...)
}

// recordPanic counts the recovered panic that an error stands for, and returns its stack
// as an attribute of a log line; nil if the error is another one.
func (d *Descriptions) recordPanic(err error) []any {
	var p *embeddings.PanicError
	if !errors.As(err, &p) {
		return nil
	}
	d.countPanic()
	_, stack := p.Panic()
	return []any{"stack", stack}
}

// recovered turns a panic of f, which would end the process from here, into an error.
func recovered(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %w", embeddings.Recovered(value))
		}
	}()
	return f()
}

// sleep reports false if ctx ends before d has passed.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
