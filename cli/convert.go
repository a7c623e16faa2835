package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"semlb/config/load"
)

// convertFlags are the flags of convert.
type convertFlags struct {
	readFlags
	to, output string
}

func newConvert(env Environment) *cobra.Command {
	f := &convertFlags{}
	c := &cobra.Command{
		Use:   "convert --to FORMAT [-o FILE] FILE...",
		Short: "Write a configuration in another format",
		Long: `convert reads files of any format and writes them in another one.
References to the environment stay references: no variable has to be set, and none
is looked up. What a format cannot express is an error, or a warning if the meaning
is the same. admin-api and konnect are shell scripts of the requests that make everything.`,
		Example: `  semlb convert --to terraform kong.yaml -o main.tf
  semlb convert --to admin-api kong.yaml | sh`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return f.run(c.Context(), env, args) },
	}
	f.bindRead(c, env)
	flags := c.Flags()
	flags.StringVar(&f.to, "to", "", "`FORMAT` to write: "+formatNames(load.Writable()))
	flags.StringVarP(&f.output, "output", "o", "", "`FILE` to write to (default: standard output)")
	return c
}

// formatNames returns "a, b or c".
func formatNames(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func (f *convertFlags) run(ctx context.Context, env Environment, files []string) error {
	if f.to == "" {
		return fmt.Errorf("no format: give --to FORMAT, one of %s", formatNames(load.Writable()))
	}
	if err := f.requireFiles(files); err != nil {
		return err
	}
	sources, err := load.ReadFiles(ctx, f.files...)
	if err != nil {
		return err
	}
	text, warnings, err := load.Convert(sources, f.to, f.reading)
	printWarnings(env.Stderr, warnings)
	if err != nil {
		return err
	}
	if f.output == "" {
		_, err = env.Stdout.Write(text)
		return err
	}
	// A source may hold credentials in clear text.
	if err := os.WriteFile(f.output, text, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", f.output, err)
	}
	return nil
}
