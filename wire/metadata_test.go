package wire_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/wire"
)

func TestMetadataHost(t *testing.T) {
	for _, host := range []string{
		"169.254.169.254", "169.254.169.254.", "169.254.170.2", "169.254.1.1",
		"::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "64:ff9b::169.254.169.254",
		"fe80::1", "fe80::1%eth0", "FE80::a9fe:a9fe",
		"fd00:ec2::254", "FD00:EC2:0:0:0:0:0:254", "fd00:ec2::254%eth0", "fd00:ec2::23", "fd20:ce::254",
		"100.100.100.200", "::ffff:100.100.100.200", "64:ff9b::100.100.100.200", "168.63.129.16",
		"metadata", "METADATA", "metadata.", "metadata..", "metadata.google.internal", "Metadata.Google.Internal.",
		"metadata.goog", "instance-data", "instance-data.ec2.internal",
		"２852039166", "169。254。169。254", "ｍetadata", "metadata．google．internal",
		"2852039166", "2852039166.", "0xa9fea9fe", "0XA9FEA9FE", "0251.0376.0251.0376", "0251.254.169.254",
		"0xa9.254.169.254", "169.254.43518", "169.0376.169.254", "169.254.169.0xfe", "999.999.999.999", "0x", "llm.0x7f",
	} {
		require.True(t, wire.MetadataHost(host), host)
	}
	for _, host := range []string{
		"", ".", "localhost", "127.0.0.1", "10.0.0.1", "0.0.0.0", "::1", "::ffff:10.0.0.1", "64:ff9b::8.8.8.8", "fd00:ec2::1",
		"api.openai.com", "my_svc.ns", "1and1.com", "0x.org", "metadata.example.com", "my-metadata", "169.254.169.254.nip.io",
		"bücher.example", "xn--bcher-kva.example",
	} {
		require.False(t, wire.MetadataHost(host), host)
	}
}

func TestAmbiguousAddr(t *testing.T) {
	for _, host := range []string{"2852039166", "0xa9fea9fe", "0251.0.0.1", "127.1", "10.0.0.0x1.", "256.1.1.1"} {
		require.True(t, wire.AmbiguousAddr(host), host)
	}
	for _, host := range []string{"", "127.0.0.1", "127.0.0.1.", "::1", "fe80::1%1", "llm", "v1.llm2"} {
		require.False(t, wire.AmbiguousAddr(host), host)
	}
}

func TestMetadataAddr(t *testing.T) {
	require.False(t, wire.MetadataAddr(netip.Addr{}))
	require.True(t, wire.MetadataAddr(netip.MustParseAddr("fd00:ec2::254%1")))
	require.False(t, wire.MetadataAddr(netip.MustParseAddr("224.0.0.251")))
}

// A name is allowed or refused by the addresses it resolves to.
func TestRefuseMetadata(t *testing.T) {
	dialer := net.Dialer{Control: wire.RefuseMetadata, Timeout: 5 * time.Second}
	for _, address := range []string{
		"169.254.169.254:80", "[::ffff:169.254.169.254]:80", "[64:ff9b::a9fe:a9fe]:80", "[fd00:ec2::254]:80", "100.100.100.200:80",
	} {
		_, err := dialer.DialContext(t.Context(), "tcp", address)
		require.ErrorIs(t, err, wire.ErrMetadata, address)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	conn, err := dialer.DialContext(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.Error(t, wire.RefuseMetadata("unix", "/run/socket", nil))
}
