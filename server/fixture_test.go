package server

import (
	"context"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"semlb/record"
	"semlb/record/logs"
	"semlb/record/metrics"
)

// options are those of a server whose requests are logged and counted at once.
func options(t testing.TB, snapshot func() *Snapshot, log *slog.Logger, registry *prometheus.Registry) Options {
	t.Helper()
	recorder := record.New(record.Options{Immediate: []record.Sink{metrics.New(registry, Labels()), logs.New(log)}})
	t.Cleanup(func() { require.NoError(t, recorder.Close(context.Background())) })
	return Options{Snapshot: snapshot, MaxBodies: 1 << 30, Recorder: recorder, Metrics: NewMetrics(registry), Log: log}
}
