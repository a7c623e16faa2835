package harness

import (
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Ports are chosen below the ephemeral range (net.ipv4.ip_local_port_range). Otherwise an
// outgoing connection could take a port between its choice and its use.
const (
	firstPort = 15_000
	lastPort  = 32_000
	portsEach = 1_000
)

// ports are the ports that this process chooses from, in their order, so that none is
// chosen twice within a short time.
type ports struct {
	first int
	// claim listens on the first port for the life of the process, so that test processes
	// that run at the same time choose from other ports.
	claim net.Listener
	given atomic.Uint32
}

var own = sync.OnceValue(func() *ports {
	p := &ports{first: firstPort}
	for first := firstPort; first+portsEach <= lastPort; first += portsEach {
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(first))); err == nil {
			p.first, p.claim = first, l
			break
		}
	}
	return p
})

func (p *ports) next() int { return p.first + 1 + int(p.given.Add(1)%(portsEach-1)) }

// FreeAddress returns an address of the loopback that nothing listens on.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(own().next()))
		if l, err := net.Listen("tcp", address); err == nil {
			require.NoError(t, l.Close())
			return address
		}
	}
	t.Fatal("no free port")
	return ""
}

// RefusedURL returns the URL of an address that refuses connections until the test ends:
// its port is bound and does not listen.
func RefusedURL(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
}

// SilentURL returns the URL of an address where connections are never established: its
// backlog is full, so Linux drops the SYN of another one.
func SilentURL(t testing.TB) string {
	t.Helper()
	return "http://" + SilentAt(t, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)).String()
}

// SilentAt makes an address of IPv4 one where connections are never established, and
// returns it: a port of 0 is replaced by a free one.
func SilentAt(t testing.TB, at netip.AddrPort) netip.AddrPort {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}))
	require.NoError(t, syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	at = netip.AddrPortFrom(at.Addr(), uint16(name.(*syscall.SockaddrInet4).Port))
	for range 100 {
		conn, err := net.DialTimeout("tcp", at.String(), 2*time.Second) // a busy machine is no full backlog
		if err != nil {
			return at
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	t.Fatal("the backlog does not fill")
	return at
}
