package cli

import (
	"context"
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

type envoyOptions struct {
	serveFlags
	addresses []string
	place     string
	static    bool
	admin     string
}

func newEnvoy(env Environment) *cobra.Command {
	o := &envoyOptions{}
	c := &cobra.Command{
		Use:   "envoy [--for NAME] [-c FILE]",
		Short: "Print the configuration of an Envoy that runs elsewhere",
		Long: `Print the bootstrap of an Envoy that gets the rest from semlb over xDS, or with
--for what another kind of place needs. Envoy reads JSON: envoy -c FILE.json. The
text holds no key of a provider; that of --for static holds the API keys and the
hashes of the passwords of the consumers in the files.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context(), env) },
	}
	o.bind(c, env)
	o.bindHop(c)
	f := c.Flags()
	f.StringArrayVar(&o.addresses, "grpc-address", nil, "`HOST:PORT` or Unix socket where semlb serves gRPC, once for each replica; takes the place of the other two")
	f.StringVar(&o.SecretsDir, "secrets-dir", "", "`DIR` for the key sets of consumers' tokens, which Envoy reads")
	f.StringVar(&o.GRPCSocket, "grpc-socket", "/tmp/semlb.sock", "Unix socket `PATH` where semlb serves gRPC; --grpc-listen takes its place")
	f.StringVar(&o.admin, "envoy-admin", "", "`ADDRESS` of Envoy's own admin interface (default: off)")
	f.StringVar(&o.place, "for", render.ForXDS, "`NAME` of the place to print a configuration for: "+places())
	f.BoolVar(&o.static, "static", false, "the same as --for "+render.ForStatic)
	c.MarkFlagsMutuallyExclusive("for", "static")
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

func (o *envoyOptions) run(ctx context.Context, env Environment) error {
	if o.static {
		o.place = render.ForStatic
	}
	renderer, err := render.For(o.place)
	if err != nil {
		return fmt.Errorf("--for: %w", err)
	}
	if err := o.checkHop(); err != nil {
		return err
	}
	services, err := o.services()
	if err != nil {
		return err
	}
	options := render.Options{NodeID: "semlb"}
	if o.admin != "" {
		if options.Admin, err = endpoint("envoy-admin", o.admin); err != nil {
			return err
		}
	}
	p, err := o.parts(ctx, env, renderer, services)
	if err != nil {
		return err
	}
	text, err := renderer.Render(p, options)
	if err != nil {
		return err
	}
	_, err = env.Stdout.Write(text)
	return err
}

// parts are those that the renderer needs: of the configuration files, or of the flags
// alone.
func (o *envoyOptions) parts(ctx context.Context, env Environment, r render.Renderer, services []parts.Endpoint) (parts.Parts, error) {
	if !r.Whole {
		return parts.New(parts.Config{Service: services[0], Replicas: services[1:], HopSocket: o.HopSocket}), nil
	}
	if err := o.check(); err != nil {
		return parts.Parts{}, err
	}
	if err := o.complete(env); err != nil {
		return parts.Parts{}, err
	}
	return app.EnvoyParts(ctx, &o.ServeOptions, services)
}

// services are where semlb's replicas serve gRPC.
func (o *envoyOptions) services() ([]parts.Endpoint, error) {
	if len(o.addresses) == 0 {
		if o.GRPCListen == "" {
			return []parts.Endpoint{{Path: o.GRPCSocket}}, nil
		}
		e, err := endpoint("grpc-listen", o.GRPCListen)
		return []parts.Endpoint{e}, err
	}
	var all []parts.Endpoint
	sockets, names := false, false
	for _, address := range o.addresses {
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
		return nil, fmt.Errorf("--grpc-address: got %q, want no DNS name beside a Unix socket, which Envoy cannot have in one cluster", o.addresses)
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
