// Package deploy puts configurations in force. A [Manager] builds a configuration,
// sends Envoy its resources, waits until they are acknowledged and the descriptions
// embedded, and then swaps the snapshot that requests see. It retires the instances
// that it replaced: requests in flight may still use them.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"semlb/access"
	"semlb/app/build"
	"semlb/app/gateway"
	"semlb/config"
	"semlb/envoy/parts"
	"semlb/envoy/render"
	"semlb/record/metrics"
	"semlb/router"
)

// ControlPlane sends Envoys their configuration.
type ControlPlane interface {
	// Set puts resources in force for Envoys that are connected or connect later.
	Set(context.Context, render.Resources) error
	// Connected reports whether an Envoy is connected.
	Connected() bool
	// Wait returns when every connected Envoy has acknowledged the resources, with an
	// error if one refused them.
	Wait(context.Context) error
}

// Options configure a [Manager].
type Options struct {
	Builder *build.Builder
	// Envoy describes the Envoys that serve the configuration.
	Envoy   gateway.Options
	Control ControlPlane
	// Snapshot is what requests see.
	Snapshot *Snapshot
	// Circuits and Counters forget the targets that no request can reach any more.
	Circuits *router.Circuits
	Counters *metrics.Counters
	// Redactor receives the credentials of configurations.
	Redactor *LogRedactor
	// Descriptions keeps the descriptions of the instances embedded.
	Descriptions *Descriptions
	// DecisionBudget bounds a routing decision, and thus how long a replaced instance
	// plans.
	DecisionBudget time.Duration
	// Now is the wall clock by which tokens of consumers expire; nil is time.Now.
	Now func() time.Time
	Log *slog.Logger
}

// Manager replaces the configuration in force in one step: a request sees the old one
// or the new one, never a mixture.
type Manager struct {
	options Options
	log     *slog.Logger

	mu      sync.Mutex // held by one apply or expiry at a time
	current *deployment
	// replaced are deployments that a decision in flight may still use, oldest first.
	replaced []*deployment
	retired  retiredInstances
}

const (
	// ackTimeout bounds how long a change waits for Envoys to acknowledge it.
	ackTimeout = 10 * time.Second
)

// NewManager makes a manager without a configuration.
func NewManager(o Options) *Manager {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Manager{options: o, log: o.Log, retired: make(retiredInstances)}
}

// Apply builds a configuration and puts it in force. On an error the one in force
// stays, Envoy's resources included.
func (m *Manager) Apply(ctx context.Context, cfg *config.Config) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	// Making a router registers its targets, even if the configuration is refused later.
	defer m.forgetTargets()
	instances, err := m.options.Builder.Build(ctx, cfg)
	if err != nil {
		return err
	}
	if m.current != nil {
		instances.Inherit(m.current.Instances)
	}
	next := start(instances, m.options.Descriptions, access.New(cfg).WithClock(m.options.Now))
	if err := config.Guard(func() error { return m.publish(ctx, next) }); err != nil {
		next.end(m.log)
		return errors.Join(err, m.sendResources(ctx, m.current))
	}
	if len(instances.List) == 0 {
		m.log.Warn("the configuration has no enabled ai-proxy-advanced plugin; every request is answered 404")
	}
	for _, w := range instances.Config.Keyless() {
		m.log.Warn("configuration", "warning", w)
	}
	m.warnWithoutXDS(next)
	m.swap(next)
	return nil
}

// warnWithoutXDS warns if attempts of a changed configuration need clusters that the one
// in force has not, and no Envoy receives them: one that is configured from a file
// answers these attempts with 503.
func (m *Manager) warnWithoutXDS(next *deployment) {
	if m.current == nil || m.options.Control.Connected() {
		return
	}
	known := m.current.Clusters()
	isKnown := func(name string) bool { return slices.Contains(known, name) }
	if added := slices.DeleteFunc(next.Clusters(), isKnown); len(added) > 0 {
		m.log.Warn("the changed configuration needs clusters that no Envoy receives: none is connected over xDS. "+
			"For an Envoy that is configured from a file, print the file again and restart it", "clusters", added)
	}
}

// publish does everything of a change that can fail, or takes time, before the change
// is in force.
func (m *Manager) publish(ctx context.Context, next *deployment) error {
	if err := m.sendResources(ctx, next); err != nil {
		return err
	}
	if m.current == nil {
		return nil // at the start there is nothing to keep in force meanwhile
	}
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	if m.options.Control.Connected() {
		if err := m.options.Control.Wait(ctx); err != nil {
			return fmt.Errorf("wait for Envoy: %w", err)
		}
	}
	select {
	case <-next.tried:
	case <-ctx.Done(): // the deployment keeps trying; until then its plans are degraded
	}
	return nil
}

// swap puts next in force and retires what it replaces.
func (m *Manager) swap(next *deployment) {
	old := m.current
	m.current = next
	if old != nil {
		m.retire(old)
	}
	m.options.Snapshot.Store(m.newSnapshot())
	next.Follow()
}

// sendResources sends Envoys the resources of a deployment, and those that requests in
// flight need.
func (m *Manager) sendResources(ctx context.Context, d *deployment) error {
	if d == nil {
		return nil
	}
	c, err := m.envoyConfig(d)
	if err != nil {
		return err
	}
	m.options.Redactor.addSecrets(d.Config.Secrets())
	return m.options.Control.Set(ctx, render.NewResources(parts.New(c)))
}

func (m *Manager) envoyConfig(d *deployment) (parts.Config, error) {
	c, err := d.EnvoyConfig(m.options.Envoy)
	if err != nil {
		return c, err
	}
	if m.current != nil && m.current != d {
		m.current.AddTo(&c)
	}
	for _, r := range m.retired {
		build.AddInstance(&c, r.instance, r.upstreams())
	}
	return c, nil
}

// DescriptionsTried returns a channel that is closed when the configuration in force
// has tried once to embed its descriptions.
func (m *Manager) DescriptionsTried() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.current.tried
}

// Close ends every deployment.
func (m *Manager) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.replaced {
		d.end(m.log)
	}
	if m.current != nil {
		m.current.end(m.log)
	}
}
