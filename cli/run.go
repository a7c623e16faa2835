package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"semlb/config"
	"semlb/envoy"
)

// runOptions are the flags of run.
type runOptions struct {
	serveOptions
	envoyBinary      string
	envoyConcurrency int
}

func newRun(env Environment) *cobra.Command {
	o := &runOptions{}
	c := &cobra.Command{
		Use:   "run -c FILE | --demo",
		Short: "Run everything on this machine: Envoy as a child, configured over xDS",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return o.run(c.Context(), env) },
	}
	o.bind(c)
	f := c.Flags()
	f.BoolVar(&o.demo, "demo", false, "no key and no server: demo LLMs, the built-in embedding model, vectors in memory")
	f.StringVar(&o.envoyBinary, "envoy", "", "`PATH` of Envoy 1.36 or newer (default: envoy on the PATH)")
	f.DurationVar(&o.drain, "drain", 10*time.Second, "longest time that requests under way may take to end when semlb is stopped")
	f.IntVar(&o.envoyConcurrency, "envoy-concurrency", 0, "Envoy's worker threads (default: one per core)")
	return c
}

func (o *runOptions) run(ctx context.Context, env Environment) error {
	if o.demo {
		o.embeddings, o.vectordb = "builtin", "memory"
	}
	if err := o.check(); err != nil {
		return err
	}
	log, err := o.logger(env.Stderr)
	if err != nil {
		return err
	}
	binary, err := o.findEnvoy(ctx)
	if err != nil {
		return err
	}
	cfg, err := o.begin(env, log)
	if err != nil {
		return err
	}
	defer o.closeAdmin(log)
	b := &builder{options: o.loadOptions, log: log, baseURL: o.providerURL}
	if o.demo {
		llms := newDemonstration()
		defer stopDemo(llms, log)
		b.baseURL = llms.baseURL
	}
	dir, removeDir, err := makeTempDir(ctx)
	if err != nil {
		return err
	}
	defer removeDir()
	o.grpcSocket, o.socketMode, o.secretsDir = filepath.Join(dir, "grpc.sock"), 0o600, dir
	o.hopSocket = filepath.Join(dir, "hop.sock")
	if err := o.checkHop(); err != nil {
		return err
	}
	if err := o.free(); err != nil {
		return err
	}
	s, err := startService(ctx, &o.serveOptions, b, cfg, env)
	defer s.stop()
	if err != nil {
		return err
	}
	s.needsEnvoy = true
	// Envoy ends first, while the service still answers its open requests.
	defer s.supervisor.start(newChild(o, s, binary, dir).run)()
	if err := o.awaitReady(s); err != nil {
		return err
	}
	s.setReady(true)
	o.greet(env)
	s.untilDone()
	log.Info("stopping")
	return s.supervisor.failure()
}

// providerURL is the flag's URL for targets without an upstream_url of their own.
func (o *loadOptions) providerURL(_ int, t *config.Target) (string, error) {
	if t.Model.Options.UpstreamURL != "" {
		return "", nil
	}
	return o.providerURLs[string(t.Model.Provider)], nil
}

// findEnvoy finds an Envoy that is new enough.
func (o *runOptions) findEnvoy(ctx context.Context) (string, error) {
	binary := o.envoyBinary
	if binary == "" {
		found, err := exec.LookPath("envoy")
		if err != nil {
			return "", errors.New("no Envoy found: run scripts/get-envoy.sh and give --envoy .tools/envoy-1.40.0/envoy, or put envoy on the PATH")
		}
		binary = found
	}
	version, err := envoy.VersionOf(ctx, binary)
	if err != nil {
		return "", fmt.Errorf("--envoy: %w", err)
	}
	if version.Before(envoy.OldestVersion) {
		return "", fmt.Errorf("--envoy: %s is Envoy %s, which is too old: %s or newer is needed", binary, version, envoy.OldestVersion)
	}
	return binary, nil
}

// free says whether Envoy will be able to listen. Envoy shares its port with other
// Envoys of the same user, so it would not notice one that is already there.
func (o *runOptions) free() error {
	l, err := listen("listen", o.listen)
	if err != nil {
		return err
	}
	return l.Close()
}

// startTimeout bounds the time from start to ready.
const startTimeout = 30 * time.Second

// awaitReady returns when descriptions were embedded and Envoy has taken its
// configuration and listens.
func (o *runOptions) awaitReady(s *service) error {
	ctx, cancel := context.WithTimeout(s.supervisor.ctx, startTimeout)
	defer cancel()
	err := s.control.Wait(ctx)
	if err == nil {
		err = awaitListening(ctx, o.listen)
	}
	if err == nil {
		select {
		case <-s.live.loading():
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	switch {
	case err == nil:
		return nil
	case s.supervisor.ctx.Err() != nil:
		return s.supervisor.failure()
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no Envoy was ready within %s; --log-level debug says more", startTimeout)
	default:
		return err
	}
}

func awaitListening(ctx context.Context, address string) error {
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		if !sleep(ctx, 10*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// greet tells a person what to do now.
func (o *runOptions) greet(env Environment) {
	fmt.Fprintf(env.Stdout, `ready
  proxy    http://%[1]s/v1/chat/completions
  metrics  http://%[2]s/metrics
`, o.listen, o.status)
	if o.admin.listen != adminOff {
		fmt.Fprintf(env.Stdout, "  admin    http://%s\n", o.admin.listen)
	}
	if o.demo {
		fmt.Fprintf(env.Stdout, `
Try a prompt, and then the same one while its first model fails:
  curl -i %[1]s/v1/chat/completions -H 'content-type: application/json' -d '{"messages":[{"role":"user","content":"Why does my Go program deadlock on an unbuffered channel?"}]}'
  curl -i %[1]s/v1/chat/completions -H 'content-type: application/json' -H 'x-demo-fail: gpt-4o=429' -d '{"messages":[{"role":"user","content":"Why does my Go program deadlock on an unbuffered channel?"}]}'
`, o.listen)
	}
}

func stopDemo(d *demonstration, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := d.close(ctx); err != nil {
		log.Warn("stop demo LLMs", "error", err)
	}
}
