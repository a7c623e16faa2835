package child

import (
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEnvoyResolvesUntilAQueryOfEachNameHasEnded(t *testing.T) {
	const address = "cluster.http_10.0.0.1:80.update_attempt: 0\ncluster.http_10.0.0.1:80.update_failure: 0\ncluster.http_10.0.0.1:80.update_success: 0\n"
	for _, tt := range []struct {
		name, stats string
		want        bool
	}{
		{"none", "", false},
		{"addresses only", address, false},
		{"begun", address + "cluster.a.test:80.update_attempt: 1\ncluster.a.test:80.update_failure: 0\ncluster.a.test:80.update_success: 0\n", true},
		{"ended", "cluster.a.test:80.update_attempt: 1\ncluster.a.test:80.update_failure: 0\ncluster.a.test:80.update_success: 1\n", false},
		{"failed, and begun again", "cluster.a.test:80.update_attempt: 2\ncluster.a.test:80.update_failure: 1\ncluster.a.test:80.update_success: 0\n", false},
		{"one of two", "cluster.a.test:80.update_attempt: 1\ncluster.a.test:80.update_success: 1\ncluster.b.test:80.update_attempt: 1\ncluster.b.test:80.update_success: 0\n", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "admin")
			l, err := net.Listen("unix", socket)
			require.NoError(t, err)
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tt.stats) })}
			served := make(chan error, 1)
			go func() { served <- server.Serve(l) }()
			got, err := newAdmin(socket).resolving(t.Context())
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.NoError(t, server.Close())
			require.ErrorIs(t, <-served, http.ErrServerClosed)
		})
	}
}
