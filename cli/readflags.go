package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"semlb/config"
	"semlb/config/load"
)

// readFlags name configuration files and define how they are read. Every command that
// reads files has them, and takes files as arguments too.
type readFlags struct {
	files   []string
	reading load.Options
}

func (f *readFlags) bindRead(c *cobra.Command, env Environment) {
	f.reading.Env = env.LookupEnv
	flags := c.Flags()
	flags.StringArrayVarP(&f.files, "config", "c", nil, "configuration `FILE` or directory (repeatable); arguments are files too")
	bindKongVersion(c, &f.reading.KongVersion)
	flags.StringVar(&f.reading.IngressClass, "ingress-class", load.DefaultIngressClass,
		"`CLASS` of the Kubernetes resources to read; those of other classes are skipped, with a warning")
	flags.StringArrayVar(&f.reading.IgnoredPlugins, "ignore-plugin", nil,
		"serve without the plugin `NAME`, although it guards requests (repeatable)")
	flags.StringVar(&f.reading.SecretsDir, "secrets", "",
		"`DIR` of mounted Kubernetes Secrets, DIR/NAME/KEY or DIR/NAMESPACE/NAME/KEY, that resources refer to")
}

// bindKongVersion adds a flag that the command schema has too.
func bindKongVersion(c *cobra.Command, version *string) {
	c.Flags().StringVar(version, "kong-version", load.DefaultKongVersion,
		"`VERSION` of Kong, or 2.0 of its AI gateway, that the files are written for: newer fields are faults, and defaults are those of that version")
}

// errNoConfiguration is the error of a command without a file to read.
var errNoConfiguration = errors.New("no configuration: give -c FILE")

// checkRead checks the flags, and adds arguments to the files.
func (f *readFlags) checkRead(arguments []string) error {
	f.files = append(f.files, arguments...)
	if err := checkKongVersion(f.reading.KongVersion); err != nil {
		return err
	}
	if err := load.CheckIgnoredPlugins(f.reading.IgnoredPlugins); err != nil {
		return fmt.Errorf("--ignore-plugin: %w", err)
	}
	if f.reading.IngressClass == "" {
		return errors.New("--ingress-class: got nothing, want a name such as kong")
	}
	if f.reading.SecretsDir == "" {
		return nil
	}
	info, err := os.Stat(f.reading.SecretsDir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a directory", f.reading.SecretsDir)
	}
	if err != nil {
		return fmt.Errorf("--secrets: %w", err)
	}
	return nil
}

// requireFiles is checkRead for a command that needs a file.
func (f *readFlags) requireFiles(arguments []string) error {
	if len(f.files)+len(arguments) == 0 {
		return errNoConfiguration
	}
	return f.checkRead(arguments)
}

func checkKongVersion(version string) error {
	if version == "" {
		return errors.New("--kong-version: got nothing, want a form like " + load.DefaultKongVersion)
	}
	if err := load.CheckKongVersion(version); err != nil {
		return fmt.Errorf("--kong-version: %w", err)
	}
	return nil
}

// printWarnings prints the warnings about a configuration, and what else is to be known.
func printWarnings(w io.Writer, warnings []config.Warning) {
	for _, warning := range warnings {
		kind := "warning:"
		if warning.Info {
			kind = "info:"
		}
		fmt.Fprintln(w, kind, warning)
	}
}
