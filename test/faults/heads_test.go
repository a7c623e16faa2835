package faults_test

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// beginMany opens connections, sends a text on each, and keeps them open until close.
func (w *world) beginMany(connections int, text string) (opened int, closeAll func()) {
	w.t.Helper()
	const dialers = 8
	var mu sync.Mutex
	var open []net.Conn
	var all sync.WaitGroup
	for range dialers {
		all.Go(func() {
			for range connections / dialers {
				conn, err := net.DialTimeout("tcp", strings.TrimPrefix(w.URL, "http://"), waitLimit)
				if err != nil {
					continue // refused
				}
				mu.Lock()
				open = append(open, conn)
				mu.Unlock()
				_ = conn.SetWriteDeadline(time.Now().Add(waitLimit))
				_, _ = conn.Write([]byte(text)) // it may be closed
			}
		})
	}
	all.Wait()
	return len(open), func() {
		for _, conn := range open {
			_ = conn.Close()
		}
	}
}

// TestFault32Heads: semlb does not see them.
func TestFault32Heads(t *testing.T) {
	var head strings.Builder
	fmt.Fprintf(&head, "POST %s HTTP/1.1\r\nHost: x\r\n", harness.ChatPath)
	for i := range 22 {
		fmt.Fprintf(&head, "X-A%d: %s\r\n", i, strings.Repeat("a", 4000))
	}
	withoutEnd(t, "heads of 88 kB", head.String())
}

// TestFault32SmallBodies: they are not admitted by their heads.
func TestFault32SmallBodies(t *testing.T) {
	const length = 9990
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", harness.ChatPath, length)
	withoutEnd(t, "bodies of 10 kB", head+strings.Repeat(" ", length-90))
}

// withoutEnd sends a text, and no more, on many connections.
func withoutEnd(t *testing.T, what, text string) {
	t.Helper()
	const limit, connections, goods = 512, 6000, 10
	r := begin(t, fmt.Sprintf("Envoy with %d MiB: %s that do not end on %d connections", limit, what, connections))
	w := start(t, options{flags: []string{"--envoy-memory", strconv.Itoa(limit)}})
	envoy := childEnvoy(t)
	opened, closeAll := w.beginMany(connections, text)
	defer closeAll()
	for range goods {
		require.Eventually(t, func() bool {
			answer, err := harness.Send(harness.NewClient(t, harness.HTTP1), w.request(t.Context(), strings.NewReader(chat(code))))
			return err == nil && answer.Status == http.StatusOK
		}, waitLimit, waitStep, "a new connection is served")
	}
	most := peakMemory(t, envoy)
	require.Less(t, most, float64(limit), "MiB of memory of Envoy")
	r.saw("%d connections; %d small requests on new ones: 200; Envoy's memory at its peak: %.0f MiB", opened, goods, most)
}
