package provider

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"semlb/wire"
)

// Endpoint is where a target's requests are sent.
type Endpoint struct {
	Scheme string // "http" or "https"
	Host   string // lower-case name, or address without brackets
	Port   int
}

// Authority returns the value of the Host header, without the port if it is the
// scheme's default.
func (e Endpoint) Authority() string {
	host := e.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if e.Port == defaultPort(e.Scheme) {
		return host
	}
	return host + ":" + strconv.Itoa(e.Port)
}

func defaultPort(scheme string) int {
	if scheme == "http" {
		return 80
	}
	return 443
}

// checkHost refuses text that is not a host, and the hosts where clouds keep the
// credentials of the machine.
func checkHost(host string) error {
	name := strings.TrimSuffix(host, ".")
	addr, err := netip.ParseAddr(name)
	switch isName := err != nil; {
	case name == "", isName && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "":
		return errors.New("no valid host")
	case wire.AmbiguousAddr(name):
		return errors.New("address is not in its usual form")
	case wire.MetadataHost(name):
		return errors.New("host is link-local or a cloud's metadata service")
	case isName:
		return nil
	case addr.Zone() != "":
		return errors.New("address has a zone")
	case addr.IsUnspecified(), addr.IsMulticast():
		return errors.New("address does not belong to a single host")
	}
	return nil
}
