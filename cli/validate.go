package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"semlb/app"
	"semlb/config"
	"semlb/config/load"
)

// validateFlags are the flags of validate.
type validateFlags struct {
	readFlags
}

func newValidate(env Environment) *cobra.Command {
	f := &validateFlags{}
	c := &cobra.Command{
		Use:   "validate FILE...",
		Short: "List every fault of a configuration",
		Args:  cobra.ArbitraryArgs,
		RunE:  func(c *cobra.Command, args []string) error { return f.run(c.Context(), env, args) },
	}
	f.bindRead(c, env)
	c.Flags().BoolVar(&f.reading.AllowUnset, "allow-unset", false, "accept variables without a value, for machines without keys, such as CI")
	return c
}

func (f *validateFlags) run(ctx context.Context, env Environment, files []string) error {
	if err := f.requireFiles(files); err != nil {
		return err
	}
	sources, err := load.ReadFiles(ctx, f.files...)
	if err != nil {
		return err
	}
	cfg, warnings, err := load.Sources(sources, f.reading)
	printWarnings(env.Stderr, warnings)
	if err != nil {
		return err
	}
	for _, w := range cfg.Keyless() {
		fmt.Fprintln(env.Stderr, "warning:", w)
	}
	if !f.reading.AllowUnset { // an unset variable may be part of a target
		if err := app.CheckTargets(cfg); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(env.Stdout, verdict(cfg))
	return err
}

// verdict describes what of a configuration without faults is in force.
func verdict(cfg *config.Config) string {
	enabled := 0
	for i := range cfg.Plugins {
		if cfg.Plugins[i].Enabled {
			enabled++
		}
	}
	switch {
	case len(cfg.Plugins) == 0:
		return "valid, but without effect: there is no instance of ai-proxy-advanced"
	case enabled == 0:
		return fmt.Sprintf("valid, but without effect: %s of ai-proxy-advanced, none enabled", count(len(cfg.Plugins), "instance"))
	case enabled < len(cfg.Plugins):
		return fmt.Sprintf("valid, with %s of ai-proxy-advanced, %d enabled", count(len(cfg.Plugins), "instance"), enabled)
	default:
		return fmt.Sprintf("valid, with %s of ai-proxy-advanced", count(enabled, "instance"))
	}
}

// count is a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
