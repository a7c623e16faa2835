package harness

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

// Resolver is a DNS server on the loopback, over UDP and TCP. Names that it was not given
// do not exist (NXDOMAIN).
type Resolver struct {
	// Address is where it listens, as for --dns-resolver.
	Address string

	mu    sync.Mutex
	names map[string]Name
	asked map[string]int
}

// Name is what a [Resolver] answers to queries for one name. The zero value is a name
// without addresses.
type Name struct {
	Addresses []netip.Addr
	// Code is another result than success, such as [dnsmessage.RCodeServerFailure].
	Code dnsmessage.RCode
	// Malformed answers with a record that has the wrong length.
	Malformed bool
	// Silent never answers. After is how long it waits before it does.
	Silent bool
	After  time.Duration
}

// NewResolver starts a DNS server that ends with the test.
func NewResolver(t testing.TB) *Resolver {
	t.Helper()
	r := &Resolver{names: make(map[string]Name), asked: make(map[string]int)}
	ctx, cancel := context.WithCancel(context.Background())
	var servers sync.WaitGroup
	streams, packets := listenBoth(t)
	r.Address = streams.Addr().String()
	servers.Go(func() { r.servePackets(ctx, &servers, packets) })
	servers.Go(func() { r.serveStreams(ctx, &servers, streams) })
	t.Cleanup(func() {
		cancel()
		_ = streams.Close()
		_ = packets.Close()
		servers.Wait()
	})
	return r
}

// listenBoth listens on one port for both protocols.
func listenBoth(t testing.TB) (net.Listener, net.PacketConn) {
	t.Helper()
	for range 100 {
		address := FreeAddress(t)
		packets, err := net.ListenPacket("udp", address)
		if err != nil {
			continue
		}
		if streams, err := net.Listen("tcp", address); err == nil {
			return streams, packets
		}
		require.NoError(t, packets.Close())
	}
	t.Fatal("no port that is free for UDP and TCP")
	return nil, nil
}

// Set changes what is answered for a name from now on.
func (r *Resolver) Set(name string, n Name) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names[name] = n
}

// Asked is how many queries for a name have been received.
func (r *Resolver) Asked(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[name]
}

// At returns addresses, for [Name.Addresses].
func At(addresses ...string) Name {
	var n Name
	for _, a := range addresses {
		n.Addresses = append(n.Addresses, netip.MustParseAddr(a))
	}
	return n
}

func (r *Resolver) servePackets(ctx context.Context, servers *sync.WaitGroup, conn net.PacketConn) {
	for {
		query := make([]byte, maxUDP)
		n, from, err := conn.ReadFrom(query)
		if err != nil {
			return
		}
		servers.Go(func() {
			if answer := r.answer(ctx, query[:n]); answer != nil {
				_, _ = conn.WriteTo(truncated(answer), from)
			}
		})
	}
}

// serveStreams answers one query on each connection, after its length in two bytes.
func (r *Resolver) serveStreams(ctx context.Context, servers *sync.WaitGroup, l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		servers.Go(func() {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(fetchTimeout))
			var length [2]byte
			if _, err := io.ReadFull(conn, length[:]); err != nil {
				return
			}
			query := make([]byte, binary.BigEndian.Uint16(length[:]))
			if _, err := io.ReadFull(conn, query); err != nil {
				return
			}
			if answer := r.answer(ctx, query); answer != nil {
				_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
			}
		})
	}
}

// maxUDP is the longest answer without EDNS (RFC 1035, 4.2.1).
const maxUDP = 512

// truncated makes an answer that is too long for a packet one that asks for TCP.
func truncated(answer []byte) []byte {
	if len(answer) <= maxUDP {
		return answer
	}
	var m dnsmessage.Message
	if err := m.Unpack(answer); err != nil {
		panic(err) // it is our own
	}
	m.Truncated, m.Answers = true, nil
	short, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return short
}

// answer is the answer to a query; nil for none.
func (r *Resolver) answer(ctx context.Context, query []byte) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	n := r.lookUp(strings.TrimSuffix(strings.ToLower(q.Name.String()), "."))
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(n.After):
	}
	if n.Silent {
		return nil
	}
	m.Header = dnsmessage.Header{
		ID: m.ID, Response: true, RecursionDesired: m.RecursionDesired, RecursionAvailable: true, RCode: n.Code,
	}
	m.Authorities, m.Additionals = nil, nil
	for _, a := range n.Addresses {
		if body := record(q.Type, a); body != nil {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}, Body: body,
			})
		}
	}
	if n.Malformed {
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1},
			Body:   &dnsmessage.UnknownResource{Type: q.Type, Data: []byte("odd")},
		})
	}
	answer, err := m.Pack()
	if err != nil {
		panic(err) // of the test's own values
	}
	return answer
}

// lookUp counts a query.
func (r *Resolver) lookUp(name string) Name {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[name]++
	n, ok := r.names[name]
	if !ok {
		n.Code = dnsmessage.RCodeNameError
	}
	n.Addresses = slices.Clone(n.Addresses)
	return n
}

// record is the address as a record of a type; nil if it has another one.
func record(t dnsmessage.Type, a netip.Addr) dnsmessage.ResourceBody {
	switch {
	case t == dnsmessage.TypeA && a.Is4():
		return &dnsmessage.AResource{A: a.As4()}
	case t == dnsmessage.TypeAAAA && a.Is6():
		return &dnsmessage.AAAAResource{AAAA: a.As16()}
	}
	return nil
}
