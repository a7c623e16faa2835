package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"semlb/app"
	"semlb/config"
)

// validateOptions are the flags of validate.
type validateOptions struct {
	reading config.Options
}

func newValidate(env Environment) *cobra.Command {
	o := &validateOptions{}
	c := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Say everything that is wrong with a configuration",
		Args:  cobra.MinimumNArgs(1),
		RunE:  func(_ *cobra.Command, files []string) error { return o.run(env, files) },
	}
	bindReading(c, env, &o.reading)
	c.Flags().BoolVar(&o.reading.AllowUnset, "allow-unset", false, "take variables without a value as good, where there are no keys, such as in CI")
	return c
}

func (o *validateOptions) run(env Environment, files []string) error {
	if err := checkReading(&o.reading); err != nil {
		return err
	}
	cfg, warnings, err := config.LoadFiles(o.reading, files...)
	for _, w := range warnings {
		fmt.Fprintln(env.Stderr, "warning:", w)
	}
	if err != nil {
		return err
	}
	if !o.reading.AllowUnset { // what a target is made of may be in those variables
		if err := app.TargetFaults(cfg); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(env.Stdout, verdict(cfg))
	return err
}

// verdict says what of a configuration without faults is in force.
func verdict(cfg *config.Config) string {
	enabled := 0
	for i := range cfg.Plugins {
		if cfg.Plugins[i].Enabled {
			enabled++
		}
	}
	switch {
	case len(cfg.Plugins) == 0:
		return "valid, but nothing is in force: no instance of ai-proxy-advanced applies to anything"
	case enabled == 0:
		return fmt.Sprintf("valid, but nothing is in force: %s of ai-proxy-advanced, none enabled", count(len(cfg.Plugins), "instance"))
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
