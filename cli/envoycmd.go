package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"semlb/app"
	"semlb/envoy/parts"
	"semlb/envoy/render"
)

// envoyFlags are the flags of envoy.
type envoyFlags struct {
	serveFlags
	addresses []string
	place     string
	static    bool
	admin     string
	resolvers []netip.AddrPort
}

func newEnvoy(env Environment) *cobra.Command {
	f := &envoyFlags{}
	c := &cobra.Command{
		Use:   "envoy [--for NAME] [FILE...]",
		Short: "Print the configuration of an Envoy that runs elsewhere",
		Long: `Print the bootstrap of an Envoy that gets the rest from semlb over xDS, or with
--for the configuration for another kind of deployment. Envoy reads JSON:
envoy -c FILE.json. The output contains no keys of providers and no credentials of
consumers, so that no variable of one has to be set. --for static needs the
configuration files; without it they and the flags about them have no effect.

Flags have the values that semlb serve has. Those of serve that say nothing about
Envoy are accepted and have no effect, so that both can have the same.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return f.run(c.Context(), env, args) },
	}
	f.bindServe(c, env)
	f.bindSockets(c, "Unix socket `PATH` where semlb serves gRPC; --grpc-listen overrides it")
	f.bindProcess(c)
	flags := c.Flags()
	flags.StringArrayVar(&f.addresses, "grpc-address", nil, "`HOST:PORT` or Unix socket where semlb serves gRPC, once for each replica; overrides --grpc-socket and --grpc-listen")
	flags.StringVar(&f.admin, "envoy-admin", "", "`ADDRESS` of Envoy's own admin interface (default: off)")
	flags.Var((*resolvers)(&f.resolvers), "dns-resolver", resolversHelp)
	flags.StringVar(&f.place, "for", render.ForXDS, "`NAME` of the kind of deployment: "+places())
	flags.BoolVar(&f.static, "static", false, "the same as --for "+render.ForStatic)
	c.MarkFlagsMutuallyExclusive("for", "static")
	hide(c, "admin", "admin-host", "admin-token", "state", "status", "max-body-memory", "max-retry-after", "store-sync", "embeddings", "vectordb", "drain", "grpc-socket-mode", "grpc-socket-group")
	return c
}

// places lists the renderers for the help of --for.
func places() string {
	var all []string
	for _, r := range render.Renderers() {
		all = append(all, r.Name+" ("+r.Short+")")
	}
	return strings.Join(all, ", ")
}

func (f *envoyFlags) run(ctx context.Context, env Environment, files []string) error {
	if f.static {
		f.place = render.ForStatic
	}
	renderer, err := render.For(f.place)
	if err != nil {
		return fmt.Errorf("--for: %w", err)
	}
	if err := errors.Join(f.checkHopSocket(), f.checkEnvoyMemory()); err != nil {
		return err
	}
	services, err := f.services()
	if err != nil {
		return err
	}
	options := render.Options{NodeID: "semlb"}
	if f.admin != "" {
		if options.Admin, err = endpoint("envoy-admin", f.admin); err != nil {
			return err
		}
	}
	p := parts.New(parts.Config{
		Service: services[0], Replicas: services[1:], HopSocket: f.options.HopSocket, Resolvers: f.resolvers,
		Memory: f.options.EnvoyMemory << 20,
	})
	if renderer.Whole {
		if state := f.options.Admin.State; state != "" {
			return fmt.Errorf("--state: got %q, want the configuration as -c FILE, which may be a state file", state)
		}
		if err := f.checkServe(env, files); err != nil {
			return err
		}
		if p, err = app.EnvoyParts(ctx, f.options, app.Elsewhere{Services: services, Resolvers: f.resolvers}); err != nil {
			return err
		}
	}
	text, err := renderer.Render(p, options)
	if err != nil {
		return err
	}
	_, err = env.Stdout.Write(text)
	return err
}

// services are where semlb's replicas serve gRPC.
func (f *envoyFlags) services() ([]parts.Endpoint, error) {
	if len(f.addresses) == 0 {
		if f.options.GRPCListen == "" {
			return []parts.Endpoint{{Path: f.options.GRPCSocket}}, nil
		}
		e, err := endpoint("grpc-listen", f.options.GRPCListen)
		return []parts.Endpoint{e}, err
	}
	var all []parts.Endpoint
	sockets, names := false, false
	for _, address := range f.addresses {
		e := parts.Endpoint{Path: address}
		if !strings.HasPrefix(address, "/") {
			var err error
			if e, err = endpoint("grpc-address", address); err != nil {
				return nil, err
			}
		}
		_, err := netip.ParseAddr(e.Host)
		sockets = sockets || e.Path != ""
		names = names || e.Path == "" && err != nil
		all = append(all, e)
	}
	if sockets && names {
		return nil, fmt.Errorf("--grpc-address: got %q, want no DNS name together with a Unix socket: one Envoy cluster cannot have both", f.addresses)
	}
	return all, nil
}

func endpoint(flag, address string) (parts.Endpoint, error) {
	host, text, err := net.SplitHostPort(address)
	if err == nil && host != "" {
		var port uint64
		if port, err = strconv.ParseUint(text, 10, 16); err == nil {
			return parts.Endpoint{Host: host, Port: uint16(port)}, nil
		}
	}
	return parts.Endpoint{}, fmt.Errorf("--%s: got %q, want a host and a port, such as semlb:8081", flag, address)
}
