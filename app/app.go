package app

import (
	"context"
	"net"
	"slices"
	"time"

	"semlb/app/child"
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
	o.limitHeap(o.memory())
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
	var socket *socket
	if socket, a.grpcListeners, err = o.listenGRPC(ctx); err != nil {
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
		Reach: newReach(reachOptions{
			Unreachable: socket.unreachable, EnvoySeen: a.grpc.EnvoySeen, Addresses: a.GRPCAddresses(), Log: o.Log,
		}),
		Unreached:    func() []string { return host.source.api.Config().Unreached() },
		Resolving:    func() bool { return a.child.Resolving(ctx) },
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
	m := o.memory()
	options := server.Options{
		Snapshot: c.snapshot.Load, MaxBodies: m.bodies, MaxUploads: m.envoy / uploadShare,
		Recorder: c.recorder, Metrics: c.metrics, Now: o.Now, Log: o.Log,
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

// closers are functions that release what was opened, in the order of opening. They are
// called in the reverse order.
type closers []func()

func (c *closers) add(f func()) { *c = append(*c, f) }

func (c *closers) close() {
	for _, f := range slices.Backward(*c) {
		f()
	}
	*c = nil
}
