package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"semlb/config"
)

func newValidate(env Environment) *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE...",
		Short: "Say everything that is wrong with a configuration",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error {
			cfg, warnings, err := config.LoadFiles(config.Options{Env: env.LookupEnv}, files...)
			for _, w := range warnings {
				fmt.Fprintln(env.Stderr, "warning:", w)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(env.Stdout, "valid, with %s of ai-proxy-advanced\n", count(len(cfg.Plugins), "instance"))
			return err
		},
	}
}

// count is a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
