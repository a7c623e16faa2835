package app

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"semlb/app/child"
	"semlb/config"
	"semlb/envoy/parts"
	"semlb/server"
)

// App is the running program: the parts that serve a configuration, connected.
type App struct {
	options Options
	source  *source
	core    *core
	ready   *readiness

	grpc          *server.Server
	grpcListeners []net.Listener
	status, admin *httpService // admin is nil if there is no Admin API
	reloader      *reloader    // nil if no files are watched
	child         *child.Envoy // nil if Envoy runs elsewhere

	closers closers
}

// grace is how long open streams and the child Envoy may take to end when the process
// is asked to stop.
const grace = 5 * time.Second

// New builds everything from options, puts the configuration in force and opens the
// listeners. The caller calls [App.Run], or [App.Close].
func New(ctx context.Context, o Options) (_ *App, err error) {
	var c closers
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	host, err := newHost(ctx, &o, &c)
	if err != nil {
		return nil, err
	}
	core, err := newCore(ctx, &o, host.baseURL)
	if err != nil {
		return nil, err
	}
	c.add(core.close)
	if err := core.manager.Apply(ctx, host.source.api.Config()); err != nil {
		return nil, err
	}
	a := &App{options: o, source: host.source, core: core}
	if a.grpcListeners, err = o.listenGRPC(); err != nil {
		return nil, err
	}
	c.add(func() { _ = closeAll(a.grpcListeners) }) // the server has closed them if it ran
	status, err := listen("status", o.Status)
	if err != nil {
		return nil, err
	}
	c.add(func() { _ = status.Close() }) // the same
	a.grpc = newGRPC(&o, core)
	a.ready = newReadiness(readinessOptions{
		Control: core.control, Publish: a.grpc.SetReady, NeedsEnvoy: o.Envoy != nil,
		CountRestart: restartCounter(core.registry).Inc, Log: o.Log,
	})
	a.status = &httpService{status, statusHandler(core.registry, a.ready)}
	if a.admin, err = newAdminService(&o, host.source.api, core, a.ready); err != nil {
		return nil, err
	}
	if a.admin != nil {
		c.add(func() { _ = a.admin.listener.Close() }) // the same
	}
	if len(o.Files) > 0 && o.Admin.State == "" {
		a.reloader = newReloader(host.source, core, a.ready, o.Log)
	}
	if o.Envoy != nil {
		a.child = child.New(childOptions(&o, host, core, a.ready))
	}
	a.closers = c
	return a, nil
}

func newGRPC(o *Options, c *core) *server.Server {
	options := server.Options{
		Snapshot: c.snapshot.Load, MaxBodies: o.MaxBodyMemory << 20,
		Recorder: c.recorder, Metrics: c.metrics, Log: o.Log,
	}
	return server.New(server.NewProcessor(options), c.control, server.NewAccessLogService(options))
}

// GRPCAddresses returns where Envoys connect.
func (a *App) GRPCAddresses() []string {
	addresses := []string{a.options.GRPCSocket, a.options.GRPCListen}
	return slices.DeleteFunc(addresses, func(address string) bool { return address == "" })
}

// Close releases everything that New opened. [App.Run] calls it.
func (a *App) Close() { a.closers.close() }

// closers are functions that release what was opened, in that order.
type closers []func()

func (c *closers) add(f func()) { *c = append(*c, f) }

func (c *closers) close() {
	for _, f := range slices.Backward(*c) {
		f()
	}
	*c = nil
}

// host is what the program uses of the machine it runs on.
type host struct {
	source *source
	// baseURL is where the targets of a demonstration are; nil for others.
	baseURL func(target int, t *config.Target) (string, error)
	// binary and dir are those of the child Envoy, if there is one.
	binary, dir string
}

// newHost opens the configuration, starts the LLMs of a demonstration, and prepares a
// child Envoy, whose sockets it sets in the options.
func newHost(ctx context.Context, o *Options, c *closers) (*host, error) {
	h := &host{}
	var err error
	if o.Envoy != nil {
		if h.binary, err = child.FindBinary(ctx, o.Envoy.Binary); err != nil {
			return nil, err
		}
	}
	if h.source, err = openSource(o); err != nil {
		return nil, err
	}
	c.add(h.source.close)
	if o.Demo {
		llms := newDemoLLMs()
		c.add(func() { llms.stop(o.Log) })
		h.baseURL = llms.baseURL
	}
	if o.Envoy == nil {
		return h, nil
	}
	dir, remove, err := child.MakeDir(ctx)
	if err != nil {
		return nil, err
	}
	c.add(remove)
	h.dir = dir
	return h, errors.Join(o.inDir(dir), checkFree("listen", o.Listen))
}

// childOptions are those of the child Envoy.
func childOptions(o *Options, h *host, c *core, w child.Watcher) child.Options {
	return child.Options{
		Binary: h.binary, Dir: h.dir, Concurrency: o.Envoy.Concurrency,
		NodeID: "semlb-run",
		Parts:  parts.New(parts.Config{Service: parts.Endpoint{Path: o.GRPCSocket}, HopSocket: o.HopSocket}),
		Drain:  o.Drain, Grace: grace, Watcher: w, Log: o.Log, Redact: c.redactor.Redact,
	}
}
