package harness

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/process"
	"semlb/test/tools"
)

// DefaultEnvoyVersion is the version of Envoy that tests run unless ENVOY_VERSION names
// another one.
const DefaultEnvoyVersion = "1.40.0"

// EnvoyVersion is the version of Envoy that tests run.
func EnvoyVersion() string {
	if v := os.Getenv("ENVOY_VERSION"); v != "" {
		return v
	}
	return DefaultEnvoyVersion
}

// Envoy is the path of the Envoy that tests run.
func Envoy(t testing.TB) string {
	t.Helper()
	return tools.Envoy(t, EnvoyVersion())
}

// Hop is the kind of hop to the inner listener, as for --hop: the environment variable
// SEMLB_HOP, or internal.
func Hop() string {
	if h := os.Getenv("SEMLB_HOP"); h != "" {
		return h
	}
	return "internal"
}

// HopSocket is the socket of the inner listener for an Envoy that a test configures
// itself, "" if that listener is an internal one.
func HopSocket(t testing.TB) string {
	t.Helper()
	if Hop() == "internal" {
		return ""
	}
	return filepath.Join(SocketDir(t), "s")
}

// SocketDir is a folder whose path is short enough for Unix sockets, about 100 bytes.
// It lasts as long as the test.
func SocketDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "semlb-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// RunEnvoy starts an Envoy with a bootstrap, on two worker threads unless args set
// --concurrency.
func RunEnvoy(t testing.TB, bootstrap string, args ...string) *process.Process {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bootstrap.json")
	require.NoError(t, os.WriteFile(file, []byte(bootstrap), 0o600))
	if !slices.Contains(args, "--concurrency") {
		args = append(args, "--concurrency", "2")
	}
	return process.Start(t, Envoy(t), append([]string{"-c", file, "--disable-hot-restart", "--log-level", "warning"}, args...)...)
}

// AwaitReady waits until a status port reports that semlb is ready.
func AwaitReady(t testing.TB, status string) {
	t.Helper()
	AwaitStatus(t, status+"/readyz", http.StatusOK)
}

// AwaitStatus waits until a URL is answered with a status.
func AwaitStatus(t testing.TB, url string, want int) {
	t.Helper()
	require.Eventually(t, func() bool { return StatusOf(url) == want }, startTimeout, 20*time.Millisecond, "%s: want %d", url, want)
}

// AwaitListener waits until a URL is answered with any status.
func AwaitListener(t testing.TB, url string) {
	t.Helper()
	require.Eventually(t, func() bool { return StatusOf(url) != 0 }, startTimeout, 20*time.Millisecond, "nothing listens on %s", url)
}

// EnvoyStat sums those of Envoy's statistics that match a regular expression; there must
// be one. Admin is the URL of Envoy's admin interface.
func EnvoyStat(t testing.TB, admin, pattern string) int {
	t.Helper()
	text := Get(t, admin+"/stats?filter="+url.QueryEscape(pattern)).Body
	require.NotEmpty(t, text, "Envoy has no statistic %s", pattern)
	sum := 0
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		n, err := strconv.Atoi(fields[len(fields)-1])
		require.NoError(t, err, line)
		sum += n
	}
	return sum
}

// ChildAdmin reads a page of the admin interface of an Envoy that semlb runs. Dir is the
// TMPDIR with which semlb was started; it has the folder with Envoy's sockets.
func ChildAdmin(t testing.TB, dir, path string) string {
	t.Helper()
	sockets, err := filepath.Glob(filepath.Join(dir, "semlb-*", "admin.sock"))
	require.NoError(t, err)
	require.Len(t, sockets, 1)
	client := &http.Client{Timeout: fetchTimeout, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", sockets[0])
		},
	}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://envoy"+path, nil)
	require.NoError(t, err)
	answer, err := Send(client, r)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	return answer.Body
}
