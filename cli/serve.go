package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"semlb/app"
)

func newServe(env Environment) *cobra.Command {
	f := &serveFlags{}
	c := &cobra.Command{
		Use:   "serve FILE...",
		Short: "Serve Envoys that run elsewhere",
		Args:  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			f.letGroupConnect(c)
			return f.serve(c.Context(), env, args)
		},
	}
	f.bindServe(c, env)
	f.bindSockets(c, "Unix socket `PATH` for Envoy's gRPC; empty for none")
	f.bindProcess(c)
	return c
}

func (f *serveFlags) serve(ctx context.Context, env Environment, files []string) error {
	if err := errors.Join(f.checkServe(env, files), f.checkHopSocket()); err != nil {
		return err
	}
	a, err := app.New(ctx, f.options)
	if err != nil {
		return err
	}
	fmt.Fprintln(env.Stdout, "serving gRPC on", strings.Join(a.GRPCAddresses(), " and "))
	return a.Run(ctx)
}
