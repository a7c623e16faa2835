package app

import (
	"context"
	"crypto/rand"

	"github.com/prometheus/client_golang/prometheus"

	"semlb/app/build"
	"semlb/app/deploy"
	"semlb/config"
	"semlb/record"
	"semlb/server"
)

// core is everything without a listener: the control plane, the configuration in force,
// and what they report to.
type core struct {
	registry *prometheus.Registry
	metrics  *server.Metrics
	recorder *record.Recorder
	redactor *deploy.LogRedactor
	control  *server.ControlPlane
	snapshot *deploy.Snapshot
	manager  *deploy.Manager

	// endStreams ends the streams of the control plane, which never end by themselves.
	endStreams context.CancelFunc
	// endEmbedding ends the calls of embedding models.
	endEmbedding  func()
	closeRecorder func()
}

// newCore makes a core without a configuration. baseURL is that of [build.Options].
func newCore(ctx context.Context, o *Options, baseURL func(int, *config.Target) (string, error)) (*core, error) {
	envoyOptions, err := o.gateway()
	if err != nil {
		return nil, err
	}
	registry := newRegistry()
	metrics := server.NewMetrics(registry)
	recorder, counters, closeRecorder := newRecorder(o, registry)
	redactor := new(deploy.LogRedactor)
	// Envoys keep their streams while the process drains, so these outlive ctx.
	streams, endStreams := context.WithCancel(context.WithoutCancel(ctx))
	control := server.NewControlPlane(streams, o.Log, metrics, redactor.Redact)
	snapshot := deploy.NewSnapshot()
	circuits := newCircuits(o, snapshot, registry)

	instances := o.build()
	instances.BaseURL, instances.Circuits, instances.Replica = baseURL, circuits, rand.Text()
	instances.CountEmbeddings = embeddingsCounter(registry)
	instances.CountDroppedEvent = droppedEventsCounter(registry).Inc
	builder := build.New(instances)
	registerEmbedders(registry, builder)

	manager := deploy.NewManager(deploy.Options{
		Builder: builder, Envoy: envoyOptions, Control: control, Snapshot: snapshot,
		Circuits: circuits, Counters: counters, Redactor: redactor, DecisionBudget: o.DecisionBudget, Now: o.Now, Log: o.Log,
		Descriptions: deploy.NewDescriptions(o.StoreSync, o.Log, registry, metrics.CountPanic),
	})
	return &core{
		registry: registry, metrics: metrics, recorder: recorder, redactor: redactor,
		control: control, snapshot: snapshot, manager: manager,
		endStreams: endStreams, endEmbedding: builder.EndEmbedding, closeRecorder: closeRecorder,
	}, nil
}

func (c *core) close() {
	c.manager.Close()
	c.endStreams()
	c.closeRecorder()
}
