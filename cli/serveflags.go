package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"semlb/app"
	"semlb/config"
)

// serveFlags are the flags of the commands that serve, and of the one that writes the
// configuration of an Envoy for them.
type serveFlags struct {
	app.ServeOptions
	logFlags
	hop, hopSocket string
	adminToken     string
}

func (o *serveFlags) bind(c *cobra.Command, env Environment) {
	bindLoad(c, env, &o.LoadOptions)
	o.bindLog(c)
	o.bindAdmin(c)
	f := c.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:8000", "`ADDRESS` where Envoy takes clients' requests")
	f.StringVar(&o.Status, "status", "127.0.0.1:8100", "`ADDRESS` of metrics and health")
	f.Int64Var(&o.MaxBodyMemory, "max-body-memory", 256, "most `MIB` of request bodies to decide about at once; requests beyond that are answered 503")
	f.StringVar(&o.hop, "hop", hopInternal, "how Envoy reaches its inner listener: internal, or uds where none can be added")
	f.StringVar(&o.GRPCListen, "grpc-listen", "", "also serve gRPC on this TCP `ADDRESS`, such as 127.0.0.1:8081")
}

func (o *serveFlags) bindAdmin(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.Admin.Listen, "admin", "127.0.0.1:8001", "`ADDRESS` of the Admin API, or off; beyond the loopback it needs --admin-token")
	f.StringArrayVar(&o.Admin.Hosts, "admin-host", nil, "another `NAME` that clients call the Admin API's server by (repeatable)")
	f.StringVar(&o.Admin.State, "state", "", "`FILE` that keeps what the Admin API changes, begun with -c if it does not exist; without it the API is read-only")
	f.StringVar(&o.adminToken, "admin-token", "", "`TOKEN` that every request to the Admin API needs; rather give SEMLB_ADMIN_TOKEN, which other processes cannot see")
}

// check finds the flags that make no sense.
func (o *serveFlags) check() error {
	o.MayBeEmpty = o.Admin.State != ""
	if err := checkLoad(&o.LoadOptions); err != nil {
		return err
	}
	if o.MaxBodyMemory < 1 {
		return fmt.Errorf("--max-body-memory: got %d, want 1 or more MiB", o.MaxBodyMemory)
	}
	if o.Admin.Listen == app.AdminOff {
		return nil
	}
	return app.CheckAddress("admin", o.Admin.Listen)
}

// complete sets what is neither a flag's value nor needed to check them.
func (o *serveFlags) complete(env Environment) error {
	token := o.adminToken
	if token == "" {
		token, _ = env.LookupEnv("SEMLB_ADMIN_TOKEN")
	}
	konnect, _ := env.LookupEnv("KONNECT_TOKEN")
	o.Admin.Token, o.Admin.KonnectToken = config.NewSecret(token), config.NewSecret(konnect)
	log, err := o.logger(env.Stderr)
	o.Log = log
	return err
}
