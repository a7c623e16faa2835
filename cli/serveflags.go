package cli

import (
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"semlb/app"
	"semlb/envoy/parts"
	"semlb/wire"
)

// serveFlags are the flags of the commands that serve, and of the one that prints the
// configuration of an Envoy for them.
type serveFlags struct {
	partFlags
	hop, hopSocket string
	adminToken     string
}

// The ways in which Envoy reaches its inner listener (--hop).
const (
	hopInternal = "internal"
	hopUDS      = "uds"
)

func (f *serveFlags) bindServe(c *cobra.Command, env Environment) {
	f.bindParts(c, env)
	o, flags := &f.options, c.Flags()
	flags.StringVar(&o.Admin.Listen, "admin", o.Admin.Listen, "`ADDRESS` of the Admin API, or off; beyond the loopback it needs --admin-token")
	flags.StringArrayVar(&o.Admin.Hosts, "admin-host", nil, "another host `NAME` of the Admin API's server (repeatable)")
	flags.StringVar(&o.Admin.State, "state", "", "`FILE` that keeps changes of the Admin API; one that does not exist begins with the configuration files. Without it the API is read-only")
	flags.StringVar(&f.adminToken, "admin-token", "", "`TOKEN` that every request to the Admin API needs; prefer the variable SEMLB_ADMIN_TOKEN, which other processes cannot read")
	flags.StringVar(&o.Listen, "listen", o.Listen, "`ADDRESS` where Envoy takes clients' requests")
	flags.StringVar(&o.Status, "status", o.Status, "`ADDRESS` of metrics and health")
	flags.Int64Var(&o.MaxBodyMemory, "max-body-memory", 0, "most `MIB` of request bodies in decisions at once; requests over it are shed with 503 (default "+bodyMemory+")")
	flags.Int64Var(&o.EnvoyMemory, "envoy-memory", 0, "most `MIB` of memory that Envoy may take; the same for serve and envoy (default "+envoyMemory+")")
	flags.StringVar(&f.hop, "hop", hopInternal, "how Envoy reaches its inner listener: internal, or uds where none can be added")
	flags.StringVar(&o.GRPCListen, "grpc-listen", "", "also serve gRPC on this TCP `ADDRESS`, such as 127.0.0.1:8081")
}

// bindSockets adds the flags of paths that the command run chooses itself. socketHelp is
// that of --grpc-socket.
func (f *serveFlags) bindSockets(c *cobra.Command, socketHelp string) {
	o, flags := &f.options, c.Flags()
	flags.StringVar(&o.GRPCSocket, "grpc-socket", o.GRPCSocket, socketHelp)
	flags.StringVar(&f.hopSocket, "hop-socket", "/tmp/semlb-hop.sock",
		"Unix socket `PATH` of the inner listener on Envoy's machine, with --hop uds; the same for serve and envoy")
}

// bindProcess adds the flags of how the command serve runs.
func (f *serveFlags) bindProcess(c *cobra.Command) {
	o, flags := &f.options, c.Flags()
	flags.DurationVar(&o.Drain, "drain", o.Drain, "how long to keep serving when asked to stop, until Envoys and Kubernetes have noticed that it is not ready")
	p := &o.GRPCSocketPermissions
	flags.Var((*fileMode)(&p.Mode), "grpc-socket-mode", "permissions of the socket: anyone who can connect can read the targets' keys")
	flags.StringVar(&p.Group, "grpc-socket-group", "", "`GROUP` of the socket, by name or number, which may connect too: the mode is then 0660 by default")
}

// letGroupConnect is the default of the socket's permissions where they have a group.
func (f *serveFlags) letGroupConnect(c *cobra.Command) {
	if p := &f.options.GRPCSocketPermissions; p.Group != "" && !c.Flags().Changed("grpc-socket-mode") {
		p.Mode = 0o660
	}
}

// checkServe checks the flags and sets the options that depend on several of them.
// Arguments are configuration files.
func (f *serveFlags) checkServe(env Environment, arguments []string) error {
	o := &f.options
	if err := f.checkParts(env, arguments); err != nil {
		return err
	}
	if m := o.MaxBodyMemory; m < 0 || m > math.MaxInt64>>20 {
		return fmt.Errorf("--max-body-memory: got %d, want 1 or more MiB", m)
	}
	if err := f.checkEnvoyMemory(); err != nil {
		return err
	}
	o.SetMemoryLimit = env.SetMemoryLimit
	token := f.adminToken
	if token == "" {
		token, _ = env.LookupEnv("SEMLB_ADMIN_TOKEN")
	}
	konnect, _ := env.LookupEnv("KONNECT_TOKEN")
	o.Admin.Token, o.Admin.KonnectToken = wire.NewSecret(token), wire.NewSecret(konnect)
	if o.Admin.Listen == app.AdminOff {
		return nil
	}
	return app.CheckAddress("admin", o.Admin.Listen)
}

// The defaults of --envoy-memory and --max-body-memory in words.
const (
	envoyMemory = "1024; for run at most three quarters of what its own cgroup may take"
	bodyMemory  = "256; at most a quarter of what semlb may take in its cgroup"
)

func (f *serveFlags) checkEnvoyMemory() error {
	if m := f.options.EnvoyMemory; m != 0 && (m < parts.MinMemory>>20 || m > math.MaxInt64>>20) {
		return fmt.Errorf("--envoy-memory: got %d, want %d or more MiB", m, parts.MinMemory>>20)
	}
	return nil
}

// checkHop checks --hop, and whether it is uds.
func (f *serveFlags) checkHop() (uds bool, err error) {
	if f.hop != hopInternal && f.hop != hopUDS {
		return false, fmt.Errorf("--hop: got %q, want internal or uds", f.hop)
	}
	return f.hop == hopUDS, nil
}

// checkHopSocket checks the flags of the hop and sets its option.
func (f *serveFlags) checkHopSocket() error {
	uds, err := f.checkHop()
	if err != nil || !uds {
		return err
	}
	f.options.HopSocket = f.hopSocket
	return app.CheckSocket("hop uds", f.hopSocket)
}
