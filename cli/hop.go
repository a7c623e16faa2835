package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// The ways in which Envoy reaches its inner listener.
const (
	hopInternal = "internal"
	hopUDS      = "uds"
)

// longestSocket is how long the path of a Unix socket may be (unix(7), without the
// byte that ends it).
const longestSocket = 107

// bindHop adds the flag that the commands have which do not choose the path
// themselves.
func (o *serveOptions) bindHop(c *cobra.Command) {
	c.Flags().StringVar(&o.hopSocket, "hop-socket", "/tmp/semlb-hop.sock",
		"Unix socket `PATH` of the inner listener on Envoy's machine, with --hop uds; the same for serve and envoy")
}

// checkHop finds a flag of the hop that makes no sense.
func (o *serveOptions) checkHop() error {
	switch {
	case o.hop != hopInternal && o.hop != hopUDS:
		return fmt.Errorf("--hop: got %q, want internal or uds", o.hop)
	case o.hop == hopUDS && (o.hopSocket == "" || len(o.hopSocket) > longestSocket):
		return fmt.Errorf("--hop uds: got the socket path %q, want 1 to %d bytes", o.hopSocket, longestSocket)
	default:
		return nil
	}
}

// hopPath is the inner listener's socket; "" if it is an internal one.
func (o *serveOptions) hopPath() string {
	if o.hop == hopUDS {
		return o.hopSocket
	}
	return ""
}
