package build

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"semlb/app/gateway"
	"semlb/config"
	"semlb/embeddings"
	"semlb/envoy/parts"
	"semlb/router"
	"semlb/router/shared"
	"semlb/server"
)

// Instances are the enabled plugin instances of a configuration.
type Instances struct {
	Config *config.Config
	// List has them in the configuration's order.
	List     []*Instance
	byPlugin map[*config.Plugin]*Instance
}

// Instance is one plugin instance.
type Instance struct {
	// Server is the instance as the server uses it.
	Server *server.Instance
	Router *router.Router
	// Upstreams are the endpoints of its targets.
	Upstreams []parts.Upstream
	// Retention is how long its plans may be used after it was replaced.
	Retention time.Duration

	// model names the embedding model. It, store and embedder are set for the semantic
	// algorithm only.
	model    string
	store    *resizableStore
	embedder embeddings.Embedder
	// predecessors are stores of the same model in the configuration before this one, until
	// the instance has loaded its own: they keep all of that configuration in memory.
	predecessors atomic.Pointer[[]*resizableStore]
	// shared exchanges the state of targets with other replicas; nil if they share none.
	shared  *shared.Redis
	closers []func() error
}

// Find returns the instance that serves a request by the precedence of scopes; nil if
// there is none.
func (all *Instances) Find(m server.Match) *server.Instance {
	if _, i, ok := all.ForRequest(match(m)); ok {
		return i.Server
	}
	return nil
}

// Captures returns the named groups of the path of the Kong route that a request matched.
func (all *Instances) Captures(m server.Match, path string) map[string]string {
	return all.Config.Captures(match(m), path)
}

// Paths are those of the Kong route that a request matched.
func (all *Instances) Paths(m server.Match) []string { return all.Config.Paths(match(m)) }

// ForRequest returns the plugin and the instance that serve a request by the
// precedence of scopes.
func (all *Instances) ForRequest(r config.Request) (*config.Plugin, *Instance, bool) {
	plugin, ok := all.Config.Find(r)
	if !ok {
		return nil, nil, false
	}
	i, ok := all.byPlugin[plugin]
	return plugin, i, ok
}

// ConsumersOnly reports whether an instance serves known consumers only.
func (all *Instances) ConsumersOnly() bool {
	for plugin := range all.byPlugin {
		if plugin.Scope.Consumer != "" || plugin.Scope.ConsumerGroup != "" {
			return true
		}
	}
	return false
}

// EnvoyConfig describes the configuration and its instances to Envoy.
func (all *Instances) EnvoyConfig(o gateway.Options) (parts.Config, error) {
	c := o.Config(all.Config)
	all.AddTo(&c)
	return c, o.CheckTrust(c.Upstreams)
}

// AddTo adds what attempts of the instances need to Envoy's configuration.
func (all *Instances) AddTo(c *parts.Config) {
	for _, i := range all.List {
		AddInstance(c, i.Server, i.Upstreams)
	}
}

// Clusters are the names of the clusters that attempts of the instances need, sorted.
func (all *Instances) Clusters() []string {
	var names []string
	for _, i := range all.List {
		for _, u := range i.Upstreams {
			names = append(names, u.Name())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// AddInstance adds what attempts of one instance need to Envoy's configuration.
func AddInstance(c *parts.Config, i *server.Instance, upstreams []parts.Upstream) {
	c.Upstreams = append(c.Upstreams, upstreams...)
	c.IdleTimeouts = append(c.IdleTimeouts, i.Idle)
	c.BodyLimit = max(c.BodyLimit, i.BodyLimit)
}

// Inherit lets instances look up vectors in the stores of an earlier configuration
// with the same embedding model, and shares what is equal with it.
func (all *Instances) Inherit(from *Instances) {
	for _, i := range all.List {
		same := func(before *Instance) bool { return slices.Equal(before.Upstreams, i.Upstreams) }
		if at := slices.IndexFunc(from.List, same); at >= 0 {
			i.Upstreams = from.List[at].Upstreams
		}
	}
	stores := make(map[string][]*resizableStore)
	for _, i := range from.List {
		switch {
		case i.store == nil:
		case i.Router.Loaded():
			stores[i.model] = append(stores[i.model], i.store)
		default: // its own is still empty
			stores[i.model] = append(stores[i.model], i.before()...)
		}
	}
	for _, i := range all.List {
		before := stores[i.model]
		i.predecessors.Store(&before)
	}
}

// before are the instance's predecessors.
func (i *Instance) before() []*resizableStore {
	if p := i.predecessors.Load(); p != nil {
		return *p
	}
	return nil
}

// Follow applies events of other replicas to the routers. Targets keep their state
// across a reload, so only one configuration at a time may follow: otherwise events
// would count twice, or by rules that are not in force.
func (all *Instances) Follow() {
	for _, i := range all.List {
		if i.shared != nil {
			i.shared.Follow(i.Router.Apply)
		}
	}
}

// Unfollow ends what Follow began.
func (all *Instances) Unfollow() {
	for _, i := range all.List {
		if i.shared != nil {
			i.shared.Unfollow()
		}
	}
}

// Close releases everything that the instances hold.
func (all *Instances) Close() error {
	var errs []error
	for _, i := range all.List {
		errs = append(errs, i.close())
	}
	return errors.Join(errs...)
}

// ID names the instance; see [server.Instance].
func (i *Instance) ID() string { return i.Server.ID }

func (i *Instance) onClose(f func() error) { i.closers = append(i.closers, f) }

func (i *Instance) close() error {
	var errs []error
	for _, f := range slices.Backward(i.closers) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}
