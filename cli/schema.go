package cli

import (
	"github.com/spf13/cobra"

	"semlb/config/load"
)

func newSchema(env Environment) *cobra.Command {
	var format, version string
	c := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of configuration files, for editors",
		Example: `  semlb schema >kong.schema.json
  # and in the file: # yaml-language-server: $schema=kong.schema.json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := checkKongVersion(version); err != nil {
				return err
			}
			text, err := load.JSONSchema(format, version)
			if err != nil {
				return err
			}
			_, err = env.Stdout.Write(text)
			return err
		},
	}
	c.Flags().StringVar(&format, "format", "deck", "`FORMAT` of the files: "+formatNames(load.Described()))
	bindKongVersion(c, &version)
	return c
}
