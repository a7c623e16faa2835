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

// core is what has no listener: the control plane and the configuration in force.
type core struct {
	registry *prometheus.Registry
	metrics  *server.Metrics
	recorder *record.Recorder
	redactor *deploy.LogRedactor
	control  *server.ControlPlane
	// endStreams ends the streams of the control plane, which never end by themselves.
	endStreams    context.CancelFunc
	snapshot      *deploy.Snapshot
	manager       *deploy.Manager
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
	circuits := newCircuits(snapshot, registry, o.Log)

	instances := o.build()
	instances.BaseURL, instances.Circuits, instances.Replica = baseURL, circuits, rand.Text()
	instances.CountEmbeddings = embeddingsCounter(registry)
	instances.CountDroppedEvent = droppedEventsCounter(registry).Inc
	builder := build.New(instances)
	registerEmbedders(registry, builder)

	manager := deploy.NewManager(deploy.Options{
		Builder: builder, Envoy: envoyOptions, Control: control, Snapshot: snapshot,
		Circuits: circuits, Counters: counters, Redactor: redactor, DecisionBudget: o.DecisionBudget, Log: o.Log,
		Descriptions: deploy.NewDescriptions(o.StoreSync, o.Log, registry, metrics.CountPanic),
	})
	return &core{
		registry: registry, metrics: metrics, recorder: recorder, closeRecorder: closeRecorder, redactor: redactor, control: control, endStreams: endStreams,
		snapshot: snapshot, manager: manager,
	}, nil
}

func (c *core) close() {
	c.manager.Close()
	c.endStreams()
	c.closeRecorder()
}
