package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"

	"golang.org/x/net/idna"
)

// ErrMetadata is the error of [RefuseMetadata].
var ErrMetadata = errors.New("address belongs to a metadata service")

// metadataNames are the host names under which clouds serve metadata: Google Cloud
// (https://cloud.google.com/compute/docs/metadata), and "instance-data" of Amazon EC2
// and of OpenStack.
var metadataNames = map[string]bool{
	"metadata":                   true,
	"metadata.google.internal":   true,
	"metadata.goog":              true,
	"instance-data":              true,
	"instance-data.ec2.internal": true,
}

// metadataAddrs are addresses of metadata services outside the link-local ranges.
var metadataAddrs = map[netip.Addr]bool{
	netip.MustParseAddr("100.100.100.200"): true, // Alibaba Cloud
	netip.MustParseAddr("168.63.129.16"):   true, // Azure WireServer
	netip.MustParseAddr("fd00:ec2::254"):   true, // Amazon EC2
	netip.MustParseAddr("fd00:ec2::23"):    true, // Amazon EKS Pod Identity
	netip.MustParseAddr("fd20:ce::254"):    true, // Google Cloud
}

// nat64 is the well-known prefix of RFC 6052: its last four bytes are an IPv4 address.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// MetadataHost reports whether host, a name or an address without port and brackets,
// is or may be read as the metadata service of a cloud, which hands out the
// credentials of the machine. Letter case, trailing dots and the Unicode forms that
// IDNA maps to ASCII make no difference. Every [AmbiguousAddr] counts, whatever address
// it stands for.
func MetadataHost(host string) bool {
	host = canonicalHost(host)
	if addr, err := netip.ParseAddr(host); err == nil {
		return MetadataAddr(addr)
	}
	return metadataNames[host] || ambiguous(host)
}

// MetadataAddr reports whether addr is link-local, where clouds serve metadata, or one
// of the other addresses of metadata services. Zones are ignored; an IPv4 address may
// be mapped to IPv6 or behind the NAT64 prefix.
func MetadataAddr(addr netip.Addr) bool {
	addr = addr.WithZone("").Unmap()
	if nat64.Contains(addr) {
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	return addr.IsLinkLocalUnicast() || metadataAddrs[addr]
}

// AmbiguousAddr reports whether some resolvers read host as an IPv4 address although
// it is not in dotted decimal form: 2852039166, 0xa9fea9fe, 0251.254.169.254 and
// 169.254.43518 are all 169.254.169.254 to them. As in the URL standard
// (https://url.spec.whatwg.org/#ends-in-a-number-checker), the last label decides.
func AmbiguousAddr(host string) bool {
	host = canonicalHost(host)
	_, err := netip.ParseAddr(host)
	return err != nil && ambiguous(host)
}

func ambiguous(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last != "" && (strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x"))
}

// canonicalHost returns host in the form in which it is looked up.
func canonicalHost(host string) string {
	// Errors are about names that IDNA does not allow; what could be mapped is mapped.
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	return strings.TrimRight(strings.ToLower(host), ".")
}

// RefuseMetadata is a Control function of [net.Dialer]. It returns [ErrMetadata] for
// addresses of metadata services. It sees the address that is dialled, so a name that
// resolves to one is refused as well.
func RefuseMetadata(_, address string, _ syscall.RawConn) error {
	where, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("parse address: %w", err)
	}
	if MetadataAddr(where.Addr()) {
		return ErrMetadata
	}
	return nil
}
