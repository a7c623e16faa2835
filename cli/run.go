package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"semlb/app"
)

// runDrain is the default of --drain for run.
const runDrain = 10 * time.Second

// runFlags are the flags of run.
type runFlags struct {
	serveFlags
	envoy app.EnvoyOptions
}

func newRun(env Environment) *cobra.Command {
	f := &runFlags{}
	c := &cobra.Command{
		Use:   "run FILE... | --demo",
		Short: "Run semlb and, as its child process, an Envoy that it configures over xDS",
		Args:  cobra.ArbitraryArgs,
		RunE:  func(c *cobra.Command, args []string) error { return f.run(c.Context(), env, args) },
	}
	f.bindServe(c, env)
	f.bindDemo(c, "no key and no server: demo LLMs, the built-in embedding model, vectors in memory")
	flags := c.Flags()
	flags.StringVar(&f.envoy.Binary, "envoy", "", "`PATH` of Envoy 1.36 or newer (default: envoy on the PATH)")
	flags.DurationVar(&f.options.Drain, "drain", runDrain, "longest time for requests in flight to finish when semlb is stopped")
	flags.Var((*resolvers)(&f.envoy.Resolvers), "dns-resolver", resolversHelp)
	flags.IntVar(&f.envoy.Concurrency, "envoy-concurrency", 0, "Envoy's worker threads (default: one per core)")
	return c
}

func (f *runFlags) run(ctx context.Context, env Environment, files []string) error {
	if err := f.checkServe(env, files); err != nil {
		return err
	}
	var err error
	if f.envoy.UnixHop, err = f.checkHop(); err != nil {
		return err
	}
	f.options.Envoy = &f.envoy
	f.options.Started = func() { f.greet(env) }
	a, err := app.New(ctx, f.options)
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// greet prints where the program serves, and for a demonstration what to try.
func (f *runFlags) greet(env Environment) {
	o := &f.options
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
