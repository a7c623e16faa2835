package envoy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Admin talks to the admin interface of an Envoy over its Unix socket.
type Admin struct {
	client *http.Client
}

// NewAdmin makes a client for the socket at path.
func NewAdmin(path string) *Admin {
	var dialer net.Dialer
	return &Admin{client: &http.Client{
		Timeout: 2 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, "unix", path)
			},
		},
	}}
}

// ErrNotListening tells that no Envoy has the admin interface.
var ErrNotListening = errors.New("no envoy listens")

// Drain makes Envoy take no new connection from clients, and waits until the
// requests under way have ended or ctx has. The inner hop stays open for their
// further attempts. Where there is no Envoy, it is [ErrNotListening].
func (a *Admin) Drain(ctx context.Context) error {
	for i, path := range []string{"/healthcheck/fail", "/drain_listeners?inboundonly"} {
		_, err := a.do(ctx, http.MethodPost, path)
		if i == 0 && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)) {
			err = ErrNotListening
		}
		if err != nil {
			return fmt.Errorf("drain envoy: %w", err)
		}
	}
	for {
		active, err := a.active(ctx)
		if err != nil {
			return fmt.Errorf("drain envoy: %w", err)
		}
		if active == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("drain envoy: %d requests were still under way: %w", active, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// active is the number of clients' requests under way.
func (a *Admin) active(ctx context.Context) (int, error) {
	const stat = "http." + outerListener + ".downstream_rq_active"
	text, err := a.do(ctx, http.MethodGet, "/stats?filter=^"+strings.ReplaceAll(stat, ".", `\.`)+"$")
	if err != nil {
		return 0, err
	}
	_, value, _ := strings.Cut(text, ": ")
	return strconv.Atoi(strings.TrimSpace(value))
}

func (a *Admin) do(ctx context.Context, method, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://envoy"+path, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := a.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d", path, response.StatusCode)
	}
	return string(body), err
}
