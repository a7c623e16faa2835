package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"semlb/config"
)

// convertOptions are the flags of convert.
type convertOptions struct {
	reading    config.Options
	to, output string
}

func newConvert(env Environment) *cobra.Command {
	o := &convertOptions{}
	c := &cobra.Command{
		Use:   "convert --to FORMAT [-o FILE] FILE...",
		Short: "Write a configuration in another format",
		Long: `convert reads files of any format and writes what they say in another one.
References to the environment stay references: no variable has to be set, and none
is looked up. What a format cannot say is an error, or a warning where the meaning
stays. admin-api and konnect are shell scripts of the requests that make everything.`,
		Example: `  semlb convert --to terraform kong.yaml -o main.tf
  semlb convert --to admin-api kong.yaml | sh`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error { return o.run(env, files) },
	}
	bindReading(c, env, &o.reading)
	f := c.Flags()
	f.StringVar(&o.to, "to", "", "`FORMAT` to write: "+formatNames(config.Formats()))
	f.StringVarP(&o.output, "output", "o", "", "`FILE` to write to (default: standard output)")
	return c
}

// formatNames lists formats for people.
func formatNames(formats []config.Format) string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = string(f)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func (o *convertOptions) run(env Environment, files []string) error {
	if o.to == "" {
		return fmt.Errorf("no format: give --to FORMAT, one of %s", formatNames(config.Formats()))
	}
	if err := checkReading(&o.reading); err != nil {
		return err
	}
	sources, err := config.ReadFiles(files...)
	if err != nil {
		return err
	}
	text, warnings, err := config.Convert(sources, config.Format(o.to), o.reading)
	for _, w := range warnings {
		fmt.Fprintln(env.Stderr, "warning:", w)
	}
	if err != nil {
		return err
	}
	if o.output == "" {
		_, err = env.Stdout.Write(text)
		return err
	}
	// A source may hold credentials in clear text.
	if err := os.WriteFile(o.output, text, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", o.output, err)
	}
	return nil
}
