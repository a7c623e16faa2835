package cli

import (
	"context"
	"fmt"
	"time"

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
	fmt.Fprintf(env.Stdout, "serving gRPC on %s; waiting for Envoy\n", o.grpcSocket)
	s.untilDone()
	log.Info("stopping")
	return s.supervisor.failure()
}

// untilDone keeps the service's readiness true to the facts until it is to end.
func (s *service) untilDone() {
	stop := s.supervisor.start(s.stayReady)
	<-s.supervisor.ctx.Done()
	stop()
	s.setReady(false)
}

// stayReady is ready whenever an Envoy has the configuration and its descriptions
// were tried, until ctx ends.
func (s *service) stayReady(ctx context.Context) error {
	for {
		// A refusal has been logged by the control plane; a later configuration may be
		// taken.
		ready := s.control.Wait(ctx) == nil
		if ready {
			select {
			case <-s.live.loading():
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		if ready && !s.isReady() {
			s.setReady(true)
			s.log.Info("ready")
		}
		if !sleep(ctx, readyEvery) {
			return nil
		}
	}
}

// readyEvery is how often readiness is looked at.
const readyEvery = 100 * time.Millisecond
