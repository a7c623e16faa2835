package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"semlb/app"
)

func newServe(env Environment) *cobra.Command {
	o := &serveFlags{}
	c := &cobra.Command{
		Use:   "serve -c FILE",
		Short: "Serve an Envoy that someone else runs",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return o.serve(c.Context(), env) },
	}
	o.bind(c, env)
	o.bindHop(c)
	f := c.Flags()
	f.DurationVar(&o.Drain, "drain", 3*time.Second, "how long to go on serving when asked to stop, for Envoys and Kubernetes to notice that it is not ready any more")
	f.StringVar(&o.SecretsDir, "secrets-dir", "", "`DIR` for the key sets of consumers' tokens, which Envoy reads")
	f.StringVar(&o.GRPCSocket, "grpc-socket", "/tmp/semlb.sock", "Unix socket `PATH` for Envoy's gRPC; empty for none")
	f.Var((*fileMode)(&o.SocketMode), "grpc-socket-mode", "permissions of the socket: whoever can connect can read the targets' keys")
	return c
}

func (o *serveFlags) serve(ctx context.Context, env Environment) error {
	if err := errors.Join(o.check(), o.checkHop()); err != nil {
		return err
	}
	if err := o.complete(env); err != nil {
		return err
	}
	return app.Serve(ctx, &o.ServeOptions, func() {
		fmt.Fprintln(env.Stdout, "serving gRPC on", strings.Join(o.GRPCAddresses(), " and "))
	})
}
