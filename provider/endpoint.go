package provider

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// Endpoint is where a target's requests are sent.
type Endpoint struct {
	Scheme string // "http" or "https"
	Host   string // lower-case name, or address without brackets
	Port   int
}

// Authority is the value of the Host header: the port is left out where it is
// the scheme's own.
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

// checkHost refuses what is no host, and the hosts where clouds keep the
// credentials of the machine (faults, row 24).
func checkHost(host string) error {
	name := strings.TrimSuffix(host, ".")
	if addr, err := netip.ParseAddr(name); err == nil {
		return checkAddr(addr)
	}
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return errors.New("no valid host")
	}
	switch name {
	case "metadata", "metadata.google.internal", "metadata.goog", "instance-data":
		return errors.New("host is a cloud's metadata service")
	}
	// Resolvers read 2852039166, 0xa9fea9fe and 0251.254.169.254 as addresses.
	last := name[strings.LastIndexByte(name, '.')+1:]
	if strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return errors.New("address is not in its usual form")
	}
	return nil
}

func checkAddr(addr netip.Addr) error {
	addr = addr.Unmap()
	if nat64 := netip.MustParsePrefix("64:ff9b::/96"); nat64.Contains(addr) {
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	switch {
	case addr.Zone() != "":
		return errors.New("address has a zone")
	case addr.IsLinkLocalUnicast(),
		addr == netip.MustParseAddr("fd00:ec2::254"),
		addr == netip.MustParseAddr("100.100.100.200"):
		return errors.New("address is link-local or a cloud's metadata service")
	case addr.IsUnspecified(), addr.IsMulticast():
		return errors.New("address is of no single host")
	}
	return nil
}
