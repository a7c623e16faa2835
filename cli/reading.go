package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"semlb/config"
)

// bindReading adds the flags that say how configuration files are read, whichever
// command reads them.
func bindReading(c *cobra.Command, env Environment, o *config.Options) {
	o.Env = env.LookupEnv
	f := c.Flags()
	bindKongVersion(c, &o.KongVersion)
	f.StringVar(&o.IngressClass, "ingress-class", config.DefaultIngressClass,
		"`CLASS` of the Kubernetes resources to read; those of another class are left out, with a warning")
	f.StringVar(&o.SecretsDir, "secrets", "",
		"`DIR` of mounted Kubernetes Secrets, DIR/NAME/KEY or DIR/NAMESPACE/NAME/KEY, that resources refer to")
}

// bindKongVersion adds the flag that several commands have.
func bindKongVersion(c *cobra.Command, version *string) {
	c.Flags().StringVar(version, "kong-version", config.DefaultKongVersion,
		"`VERSION` of Kong that the files are written for: what is newer is a fault, and defaults are that version's")
}

// checkReading finds the flags that make no sense.
func checkReading(o *config.Options) error {
	if err := checkKongVersion(o.KongVersion); err != nil {
		return err
	}
	if o.IngressClass == "" {
		return errors.New("--ingress-class: got nothing, want a name such as kong")
	}
	if o.SecretsDir == "" {
		return nil
	}
	info, err := os.Stat(o.SecretsDir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no directory", o.SecretsDir)
	}
	if err != nil {
		return fmt.Errorf("--secrets: %w", err)
	}
	return nil
}

func checkKongVersion(version string) error {
	if version == "" {
		return errors.New("--kong-version: got nothing, want a form like " + config.DefaultKongVersion)
	}
	if err := config.CheckKongVersion(version); err != nil {
		return fmt.Errorf("--kong-version: %w", err)
	}
	return nil
}
