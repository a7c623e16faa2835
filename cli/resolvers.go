package cli

import (
	"fmt"
	"net/netip"
	"strings"
)

// resolvers is a repeatable flag with the addresses of DNS servers, as kong.conf has them
// in dns_resolver: the port is 53 where none is given.
type resolvers []netip.AddrPort

const resolversHelp = "IP `ADDRESS` of a DNS server that Envoy queries, with a port unless that is 53 (repeatable; default: those of /etc/resolv.conf on Envoy's machine)"

func (r *resolvers) String() string {
	var all []string
	for _, server := range *r {
		all = append(all, server.String())
	}
	return strings.Join(all, ",")
}

// Set adds a server.
func (r *resolvers) Set(text string) error {
	const dns = 53
	server, err := netip.ParseAddrPort(text)
	if err != nil {
		var ip netip.Addr
		if ip, err = netip.ParseAddr(text); err != nil {
			return fmt.Errorf("got %q, want an IP address, or one with a port, such as 10.0.0.2 or 127.0.0.1:5353", text)
		}
		server = netip.AddrPortFrom(ip, dns)
	}
	*r = append(*r, server)
	return nil
}

// Type names the flag's value in the help.
func (r *resolvers) Type() string { return "ADDRESS" }
