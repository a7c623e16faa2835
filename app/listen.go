package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// CheckAddress returns an error if the address of a flag is not an IP address and a
// port.
func CheckAddress(flag, address string) error {
	_, err := parseAddress(flag, address)
	return err
}

// parseAddress parses an IP address and a port; localhost is 127.0.0.1.
func parseAddress(flag, address string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		if host == "localhost" {
			host = "127.0.0.1"
		}
		ip, ipErr := netip.ParseAddr(host)
		number, portErr := strconv.ParseUint(port, 10, 16)
		if ipErr == nil && portErr == nil {
			return netip.AddrPortFrom(ip, uint16(number)), nil
		}
	}
	return netip.AddrPort{}, fmt.Errorf("--%s: got %q, want an IP address and a port, such as 127.0.0.1:8000", flag, address)
}

// listen opens the TCP address of a flag.
func listen(flag, address string) (net.Listener, error) {
	if err := CheckAddress(flag, address); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		if strings.Contains(err.Error(), "address already in use") {
			return nil, fmt.Errorf("%s is in use by another program: stop it, or choose another address with --%s", address, flag)
		}
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	return l, nil
}

// checkFree returns an error if the address of a flag is taken. Envoy shares its port
// with other Envoys of the same user, so it would not notice one that is already there.
func checkFree(flag, address string) error {
	l, err := listen(flag, address)
	if err != nil {
		return err
	}
	return l.Close()
}

// listenGRPC opens the addresses that Envoys connect to: a Unix socket, TCP, or both. The
// socket is nil if there is none.
func (o *Options) listenGRPC(ctx context.Context) (_ *socket, _ []net.Listener, err error) {
	var listeners []net.Listener
	var s *socket
	if o.GRPCSocket != "" {
		if s, err = openSocket(ctx, o.GRPCSocket, o.GRPCSocketPermissions); err != nil {
			return nil, nil, err
		}
		listeners = append(listeners, s)
	}
	if o.GRPCListen != "" {
		l, err := listen("grpc-listen", o.GRPCListen)
		if err != nil {
			return nil, nil, errors.Join(err, closeAll(listeners))
		}
		if !isLoopback(l.Addr()) {
			o.Log.Warn("gRPC is reachable from other machines, without TLS: anyone who reaches it can read the keys of the targets", "address", o.GRPCListen)
		}
		listeners = append(listeners, l)
	}
	return s, listeners, nil
}

func isLoopback(address net.Addr) bool {
	a, ok := address.(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}

func closeAll(listeners []net.Listener) error {
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
