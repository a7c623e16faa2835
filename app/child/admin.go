package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"semlb/envoy"
)

const (
	adminTimeout = 2 * time.Second
	// drainPoll is the interval at which drain reads the number of requests in flight.
	drainPoll = 20 * time.Millisecond
	// maxAdminBody bounds a response of the admin interface, in bytes: 200 for each cluster.
	maxAdminBody = 4 << 20
)

// admin is a client of Envoy's admin interface on a Unix socket.
type admin struct {
	client *http.Client
}

func newAdmin(socket string) *admin {
	var dialer net.Dialer
	return &admin{client: &http.Client{
		Timeout: adminTimeout,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, "unix", socket)
			},
		},
	}}
}

// errNotListening is drain's error when no Envoy listens on the socket.
var errNotListening = errors.New("no Envoy is listening")

// drain makes Envoy accept no new connection from clients, and waits until the requests
// in flight have ended or ctx has. The inner hop stays open for their next attempts.
func (a *admin) drain(ctx context.Context) error {
	if err := a.startDrain(ctx); err != nil {
		return fmt.Errorf("drain envoy: %w", err)
	}
	for {
		active, err := a.activeRequests(ctx)
		if err != nil {
			return fmt.Errorf("drain envoy: %w", err)
		}
		if active == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("drain envoy: %d requests were still in flight: %w", active, ctx.Err())
		case <-time.After(drainPoll):
		}
	}
}

func (a *admin) startDrain(ctx context.Context) error {
	_, err := a.do(ctx, http.MethodPost, "/healthcheck/fail")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return errNotListening
	}
	if err != nil {
		return err
	}
	_, err = a.do(ctx, http.MethodPost, "/drain_listeners?inboundonly")
	return err
}

// activeRequests is the number of clients' requests in flight.
func (a *admin) activeRequests(ctx context.Context) (int, error) {
	filter := strings.ReplaceAll(envoy.ActiveRequestsStat, ".", `\.`)
	text, err := a.do(ctx, http.MethodGet, "/stats?filter=^"+filter+"$")
	if err != nil {
		return 0, err
	}
	_, value, _ := strings.Cut(text, ": ")
	return strconv.Atoi(strings.TrimSpace(value))
}

// resolving reports whether a cluster's first query for its name has not ended yet.
func (a *admin) resolving(ctx context.Context) (bool, error) {
	text, err := a.do(ctx, http.MethodGet, "/stats?filter="+url.QueryEscape(`^cluster\..*\.update_(attempt|failure|success)$`))
	if err != nil {
		return false, err
	}
	waiting := make(map[string]bool) // by cluster
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		cluster, attempt := strings.CutSuffix(name, ".update_attempt")
		switch {
		case value == "0":
		case attempt:
			waiting[cluster] = true
		default: // failure or success, which Envoy sorts behind
			delete(waiting, name[:strings.LastIndexByte(name, '.')])
		}
	}
	return len(waiting) > 0, nil
}

func (a *admin) do(ctx context.Context, method, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://envoy"+path, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := a.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAdminBody))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d", path, response.StatusCode)
	}
	return string(body), err
}
