package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"semlb/app"
	"semlb/envoy"
)

type envoyOptions struct {
	serveFlags
	addresses []string
	static    bool
	admin     string
}

func newEnvoy(env Environment) *cobra.Command {
	o := &envoyOptions{}
	c := &cobra.Command{
		Use:   "envoy [--static -c FILE]",
		Short: "Print the configuration of an Envoy that runs elsewhere",
		Long: `Print the bootstrap of an Envoy that gets the rest from semlb over xDS, or with
--static the whole configuration, for people who do not want xDS. Envoy reads
JSON: envoy -c FILE.json. It holds no key of a provider; with --static it holds
the API keys and the hashes of the passwords of the consumers in the files.`,
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
	f.BoolVar(&o.static, "static", false, "print the whole configuration instead of the bootstrap")
	return c
}

func (o *envoyOptions) run(ctx context.Context, env Environment) error {
	if err := o.checkHop(); err != nil {
		return err
	}
	services, err := o.services()
	if err != nil {
		return err
	}
	bootstrap := envoy.BootstrapOptions{NodeID: "semlb", Service: services[0], Replicas: services[1:], HopSocket: o.HopSocket}
	if o.admin != "" {
		if bootstrap.Admin, err = endpoint("envoy-admin", o.admin); err != nil {
			return err
		}
	}
	if !o.static {
		return printConfig(env.Stdout, envoy.Bootstrap(bootstrap))
	}
	resources, err := o.resources(ctx, env, services)
	if err != nil {
		return err
	}
	return printConfig(env.Stdout, envoy.StaticBootstrap(bootstrap, resources))
}

// resources are those of the configuration, with routes in place.
func (o *envoyOptions) resources(ctx context.Context, env Environment, services []envoy.Endpoint) (envoy.Resources, error) {
	if err := o.check(); err != nil {
		return envoy.Resources{}, err
	}
	if err := o.complete(env); err != nil {
		return envoy.Resources{}, err
	}
	return app.StaticResources(ctx, &o.ServeOptions, services)
}

// services are where semlb's replicas serve gRPC.
func (o *envoyOptions) services() ([]envoy.Endpoint, error) {
	if len(o.addresses) == 0 {
		if o.GRPCListen == "" {
			return []envoy.Endpoint{{Path: o.GRPCSocket}}, nil
		}
		e, err := endpoint("grpc-listen", o.GRPCListen)
		return []envoy.Endpoint{e}, err
	}
	var all []envoy.Endpoint
	sockets, names := false, false
	for _, address := range o.addresses {
		e := envoy.Endpoint{Path: address}
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

func endpoint(flag, address string) (envoy.Endpoint, error) {
	host, text, err := net.SplitHostPort(address)
	if err == nil && host != "" {
		var port uint64
		if port, err = strconv.ParseUint(text, 10, 16); err == nil {
			return envoy.Endpoint{Host: host, Port: uint16(port)}, nil
		}
	}
	return envoy.Endpoint{}, fmt.Errorf("--%s: got %q, want a host and a port, such as semlb:8081", flag, address)
}

func printConfig(w io.Writer, m proto.Message) error {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	// protojson varies its spaces from build to build on purpose.
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	out.WriteByte('\n')
	_, err = out.WriteTo(w)
	return err
}
