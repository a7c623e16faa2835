package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"semlb/record"
	"semlb/record/logs"
	"semlb/record/metrics"
	"semlb/server"
)

// flushTimeout bounds the time that log lines have to be written when the process ends.
const flushTimeout = 2 * time.Second

// newRecorder makes the recorder of requests, with its sinks: counters, and log lines.
// A new sink is one line here; shutdown writes what waits and closes the sinks.
func newRecorder(o *Options, r prometheus.Registerer) (recorder *record.Recorder, counters *metrics.Counters, shutdown func()) {
	dropped := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "semlb_events_dropped_total", Help: "Events of requests that were not logged because the log is too slow, by kind.",
	}, []string{"kind"})
	for _, k := range record.Kinds() {
		dropped.WithLabelValues(k.String())
	}
	r.MustRegister(dropped)
	counters = metrics.New(r, server.Labels())
	recorder = record.New(record.Options{
		Immediate: []record.Sink{counters},
		Queued:    []record.Sink{logs.New(o.Log)},
		Dropped:   func(k record.Kind) { dropped.WithLabelValues(k.String()).Inc() },
	})
	return recorder, counters, func() {
		ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
		defer cancel()
		if err := recorder.Close(ctx); err != nil {
			o.Log.Warn("log lines of requests are lost", "error", err)
		}
	}
}
