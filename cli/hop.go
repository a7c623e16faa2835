package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"semlb/app"
)

// The ways in which Envoy reaches its inner listener.
const (
	hopInternal = "internal"
	hopUDS      = "uds"
)

// bindHop adds the flag that the commands have which do not choose the path
// themselves.
func (o *serveFlags) bindHop(c *cobra.Command) {
	c.Flags().StringVar(&o.hopSocket, "hop-socket", "/tmp/semlb-hop.sock",
		"Unix socket `PATH` of the inner listener on Envoy's machine, with --hop uds; the same for serve and envoy")
}

// checkHop finds a flag of the hop that makes no sense, and sets the option.
func (o *serveFlags) checkHop() error {
	switch {
	case o.hop != hopInternal && o.hop != hopUDS:
		return fmt.Errorf("--hop: got %q, want internal or uds", o.hop)
	case o.hop == hopUDS:
		o.HopSocket = o.hopSocket
		return app.CheckHopSocket(o.hopSocket)
	default:
		return nil
	}
}
