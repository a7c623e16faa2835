package harness

import (
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Ports are taken from below the range that systems give to outgoing connections:
// one of those could otherwise sit on a port between its choice and its use.
const (
	firstPort = 15_000
	lastPort  = 32_000
	portsEach = 1_000
)

// ports are those that this process may choose. They come one after another, so that
// none is given twice between its choice and its use.
type ports struct {
	first int
	// claim listens on the first port as long as the process lives: processes that run
	// side by side take other ports.
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

// FreeAddress is an address of the loopback that nothing listens on.
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

// RefusedURL is the URL of an address that refuses connections until the test
// ends: its port is bound, and nobody listens.
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

// SilentURL is the URL of an address where connections are never completed: its
// queue of connections is full, so Linux drops what asks for another one.
func SilentURL(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
	for range 100 {
		conn, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return "http://" + address
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	t.Fatal("the queue of connections does not fill")
	return ""
}
