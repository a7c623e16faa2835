package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"semlb/config"
)

// readOptions say how configuration files are read, whichever command reads them.
type readOptions struct {
	kongVersion  string
	ingressClass string
	secrets      string
}

func (o *readOptions) bind(c *cobra.Command) {
	f := c.Flags()
	bindKongVersion(c, &o.kongVersion)
	f.StringVar(&o.ingressClass, "ingress-class", config.DefaultIngressClass,
		"`CLASS` of the Kubernetes resources to read; those of another class are left out, with a warning")
	f.StringVar(&o.secrets, "secrets", "",
		"`DIR` of mounted Kubernetes Secrets, DIR/NAME/KEY or DIR/NAMESPACE/NAME/KEY, that resources refer to")
}

// bindKongVersion adds the flag that several commands have.
func bindKongVersion(c *cobra.Command, version *string) {
	c.Flags().StringVar(version, "kong-version", config.DefaultKongVersion,
		"`VERSION` of Kong that the files are written for: what is newer is a fault, and defaults are that version's")
}

// check finds the flags that make no sense.
func (o *readOptions) check() error {
	if err := checkKongVersion(o.kongVersion); err != nil {
		return err
	}
	if o.ingressClass == "" {
		return errors.New("--ingress-class: got nothing, want a name such as kong")
	}
	if o.secrets == "" {
		return nil
	}
	info, err := os.Stat(o.secrets)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no directory", o.secrets)
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

// config is what the flags mean to the reader.
func (o *readOptions) config(env Environment) config.Options {
	return config.Options{Env: env.LookupEnv, KongVersion: o.kongVersion, IngressClass: o.ingressClass, SecretsDir: o.secrets}
}
