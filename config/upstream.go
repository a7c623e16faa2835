package config

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// upstreamURL: an address is absolute, of HTTP, holds no credential, and is not one
// where a cloud hands out its machines' credentials. Templates are filled in later
// and not looked into.
func upstreamURL(c *checker, p place) {
	text := p.n.str()
	if text == "" || p.n.broken {
		return
	}
	u, err := url.Parse(text)
	if err != nil && strings.Contains(text, "$(") {
		return
	}
	got := shown(&spec{hidden: strings.Contains(text, "@")}, p.n)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil:
		c.want(p.pos, p.path, got, "an http or https URL with a host and without a user")
	case u.Fragment != "":
		c.want(p.pos, p.path, got, "a URL without a fragment")
	case !validPort(u.Port()):
		c.want(p.pos, p.path, got, "a port from 1 to 65535")
	case metadataHost(u.Hostname()) && !slices.Contains(c.allowedHosts, u.Hostname()):
		c.want(p.pos, p.path, got, "a host that is no metadata service, or one of the allowed hosts")
	}
}

// validPort: none is the scheme's.
func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// metadataHost reports whether a host is, or may be read as, the address of a
// metadata service: link-local addresses, the well-known names, and addresses in
// notations that only some resolvers understand.
func metadataHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap().WithZone("")
		return addr.IsLinkLocalUnicast() ||
			addr == netip.MustParseAddr("fd00:ec2::254") || addr == netip.MustParseAddr("100.100.100.200")
	}
	return host == "metadata" || host == "metadata.google.internal" || host == "instance-data" ||
		regexp.MustCompile(`^(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}$`).MatchString(host)
}
