package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"semlb/app"
)

// runFlags are the flags of run.
type runFlags struct {
	serveFlags
	envoyBinary      string
	envoyConcurrency int
}

func newRun(env Environment) *cobra.Command {
	o := &runFlags{}
	c := &cobra.Command{
		Use:   "run -c FILE | --demo",
		Short: "Run everything on this machine: Envoy as a child, configured over xDS",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return o.run(c.Context(), env) },
	}
	o.bind(c, env)
	f := c.Flags()
	f.BoolVar(&o.Demo, "demo", false, "no key and no server: demo LLMs, the built-in embedding model, vectors in memory")
	f.StringVar(&o.envoyBinary, "envoy", "", "`PATH` of Envoy 1.36 or newer (default: envoy on the PATH)")
	f.DurationVar(&o.Drain, "drain", 10*time.Second, "longest time that requests under way may take to end when semlb is stopped")
	f.IntVar(&o.envoyConcurrency, "envoy-concurrency", 0, "Envoy's worker threads (default: one per core)")
	return c
}

func (o *runFlags) run(ctx context.Context, env Environment) error {
	if o.Demo {
		o.Embeddings, o.VectorDB = "builtin", "memory"
	}
	if err := o.check(); err != nil {
		return err
	}
	if o.hop != hopInternal && o.hop != hopUDS {
		return fmt.Errorf("--hop: got %q, want internal or uds", o.hop)
	}
	if err := o.complete(env); err != nil {
		return err
	}
	options := app.RunOptions{
		ServeOptions: o.ServeOptions, EnvoyBinary: o.envoyBinary, EnvoyConcurrency: o.envoyConcurrency, HopUDS: o.hop == hopUDS,
	}
	return app.Run(ctx, &options, func() { o.greet(env) })
}

// greet tells a person what to do now.
func (o *runFlags) greet(env Environment) {
	fmt.Fprintf(env.Stdout, `ready
  proxy    http://%[1]s/v1/chat/completions
  metrics  http://%[2]s/metrics
`, o.Listen, o.Status)
	if o.Admin.Listen != app.AdminOff {
		fmt.Fprintf(env.Stdout, "  admin    http://%s\n", o.Admin.Listen)
	}
	if o.Demo {
		fmt.Fprintf(env.Stdout, `
Try a prompt, and then the same one while its first model fails:
  curl -i %[1]s/v1/chat/completions -H 'content-type: application/json' -d '{"messages":[{"role":"user","content":"Why does my Go program deadlock on an unbuffered channel?"}]}'
  curl -i %[1]s/v1/chat/completions -H 'content-type: application/json' -H 'x-demo-fail: gpt-4o=429' -d '{"messages":[{"role":"user","content":"Why does my Go program deadlock on an unbuffered channel?"}]}'
`, o.Listen)
	}
}
