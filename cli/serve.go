package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	o.bindHop(c)
	f := c.Flags()
	f.DurationVar(&o.drain, "drain", 3*time.Second, "how long to go on serving when asked to stop, for Envoys and Kubernetes to notice that it is not ready any more")
	f.StringVar(&o.secretsDir, "secrets-dir", "", "`DIR` for the key sets of consumers' tokens, which Envoy reads")
	f.StringVar(&o.grpcSocket, "grpc-socket", "/tmp/semlb.sock", "Unix socket `PATH` for Envoy's gRPC; empty for none")
	f.Var((*fileMode)(&o.socketMode), "grpc-socket-mode", "permissions of the socket: whoever can connect can read the targets' keys")
	return c
}

func (o *serveOptions) serve(ctx context.Context, env Environment) error {
	if err := errors.Join(o.check(), o.checkHop()); err != nil {
		return err
	}
	log, err := o.logger(env.Stderr)
	if err != nil {
		return err
	}
	cfg, err := o.begin(env, log)
	if err != nil {
		return err
	}
	defer o.closeAdmin(log)
	s, err := startService(ctx, o, &builder{options: o.loadOptions, log: log, baseURL: o.providerURL}, cfg, env)
	defer s.stop()
	if err != nil {
		return err
	}
	fmt.Fprintln(env.Stdout, "serving gRPC on", strings.Join(o.grpcAddresses(), " and "))
	s.untilDone()
	if failure := s.supervisor.failure(); failure != nil {
		return failure
	}
	log.Info("not ready any more", "stopping_in", o.drain)
	time.Sleep(o.drain)
	log.Info("stopping")
	return nil
}

// grpcAddresses are where Envoys connect.
func (o *serveOptions) grpcAddresses() []string {
	return slices.DeleteFunc([]string{o.grpcSocket, o.grpcListen}, func(a string) bool { return a == "" })
}

// untilDone keeps the service's readiness true to the facts until it is to end.
func (s *service) untilDone() {
	stop := s.supervisor.start(s.stayReady)
	<-s.supervisor.ctx.Done()
	stop()
	s.setReady(false)
}

// stayReady watches until ctx ends. The service is ready when its descriptions were
// tried, as long as requests can be served.
func (s *service) stayReady(ctx context.Context) error {
	select {
	case <-s.live.loading():
	case <-ctx.Done():
		return nil
	}
	for {
		if able := s.able(); able != s.isReady() {
			switch told := s.setReady(able); {
			case told:
				s.log.Info("ready")
			case !able: // else the child is down, which was said
				s.log.Error("not ready: Envoy refused the configuration and has none before it")
			}
		}
		if !sleep(ctx, readyEvery) {
			return nil
		}
	}
}

// able says whether requests can be served. It does not wait for a first Envoy,
// which may look at the readiness before it connects, or have its whole
// configuration from a file.
func (s *service) able() bool {
	switch was := s.isReady(); {
	case !s.control.Connected():
		return was || !s.needsEnvoy
	case s.control.InForce():
		return true
	case s.control.Refusal() == nil: // an answer is outstanding
		return was
	default:
		// An Envoy that has an earlier configuration goes on by it, with this process
		// behind it. One that starts with a refused configuration is not to replace it.
		return was && s.control.Serving()
	}
}

// readyEvery is how often readiness is looked at.
const readyEvery = 100 * time.Millisecond
