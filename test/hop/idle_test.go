package hop_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"semlb/test/harness"
)

// TestIdleConnectionsOfTheHopEndWithoutARequestInThem sends requests with pauses
// around the time after which the hop's idle connections are closed, here 100 ms.
func TestIdleConnectionsOfTheHopEndWithoutARequestInThem(t *testing.T) {
	const idle = 100 * time.Millisecond
	short := func(config string) string {
		const ours = `"idle_timeout": "15s"`
		require.Equal(t, 1, strings.Count(config, ours), "the hop's own idle timeout")
		return strings.Replace(config, ours, `"idle_timeout": "0.100s"`, 1)
	}
	w := newWorld(t, short, []string{"--static"})
	const clients, each = 24, 120
	var group errgroup.Group
	wrong := make(chan string, clients*each)
	for i := range clients {
		client := harness.NewClient(t, harness.Protocols()[i%2])
		group.Go(func() error {
			for range each {
				if what := w.send(client, harness.Chat("hello")); what != "" {
					wrong <- what
				}
				time.Sleep(idle - 6*time.Millisecond + time.Duration(rand.IntN(12_000))*time.Microsecond)
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	ended := w.stat("cluster.semlb_hop.upstream_cx_idle_timeout")
	t.Logf("%d requests of two attempts each, %d idle connections of the hop were closed meanwhile", clients*each, ended)
	require.Greater(t, ended, 10, "the pauses do not meet the timeout")
	require.Empty(t, drained(wrong))
}

// drained is what a channel holds.
func drained(c chan string) []string {
	close(c)
	var all []string
	for s := range c {
		all = append(all, s)
	}
	return all
}
