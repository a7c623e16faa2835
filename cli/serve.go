package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func newServe(env Environment) *cobra.Command {
	o := &serveOptions{}
	c := &cobra.Command{
		Use:   "serve -c FILE",
		Short: "Serve an Envoy that someone else runs",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return o.serve(c.Context(), env) },
	}
	o.bind(c)
	c.Flags().StringVar(&o.secretsDir, "secrets-dir", "", "`DIR` for the key sets of consumers' tokens, which Envoy reads")
	c.Flags().StringVar(&o.grpcSocket, "grpc-socket", "/tmp/semlb.sock", "Unix socket `PATH` for Envoy's gRPC")
	return c
}

func (o *serveOptions) serve(ctx context.Context, env Environment) error {
	if err := o.check(); err != nil {
		return err
	}
	log, err := o.logger(env.Stderr)
	if err != nil {
		return err
	}
	cfg, err := o.load(env, log)
	if err != nil {
		return err
	}
	s, err := startService(ctx, o, &builder{options: o.loadOptions, log: log, baseURL: o.providerURL}, cfg, env)
	defer s.stop()
	if err != nil {
		return err
	}
	defer s.supervisor.start(s.becomeReady)()
	fmt.Fprintf(env.Stdout, "serving gRPC on %s; waiting for Envoy\n", o.grpcSocket)
	<-s.supervisor.ctx.Done()
	s.setReady(false)
	log.Info("stopping")
	return s.supervisor.failure()
}

// becomeReady waits for an Envoy and the descriptions, however long that takes.
func (s *service) becomeReady(ctx context.Context) error {
	for s.control.Wait(ctx) != nil {
		// Refused: the control plane has logged it; a later configuration may be taken.
		if !sleep(ctx, firstReload) {
			return nil
		}
	}
	select {
	case <-s.live.loading():
		s.setReady(true)
		s.log.Info("ready")
	case <-ctx.Done():
	}
	return nil
}
