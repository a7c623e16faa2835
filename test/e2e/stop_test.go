package e2e_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"semlb/test/harness"
)

// TestStoppingLeavesNothingBehind stops semlb while it is idle, and while a stream
// and a hanging request are open: no Envoy, no port, no file, no goroutine stays.
// It does not run beside other tests, which have Envoys of their own.
func TestStoppingLeavesNothingBehind(t *testing.T) {
	for _, busy := range []bool{false, true} {
		t.Run(fmt.Sprint("busy ", busy), func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			t.Setenv("TMPDIR", t.TempDir())
			t.Run("run", func(t *testing.T) { stopOne(t, busy) })
			require.Empty(t, children(t), "processes")
			left, err := filepath.Glob(filepath.Join(os.TempDir(), "semlb-*"))
			require.NoError(t, err)
			require.Empty(t, left, "files")
			goleak.VerifyNone(t, before)
		})
	}
}

func stopOne(t *testing.T, busy bool) {
	all := stubs(t, 2)
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(
		harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all[0]), urlsOf(all[1]))))})
	client := harness.NewClient(t, harness.HTTP1)
	require.Equal(t, 200, s.Post(client, harness.Chat(prompts()[0])).Status)
	require.Len(t, children(t), 1)
	ended := make(chan error, 2)
	if busy {
		all[0].Do(harness.SSE(100_000, 10*time.Millisecond))
		all[1].Do(harness.Hang())
		for i := range 2 {
			r := s.Request(context.WithoutCancel(t.Context()), harness.ChatPath, strings.NewReader(harness.Chat(prompts()[i])))
			go func() {
				answer, err := harness.Send(client, r)
				if err == nil {
					err = answer.Err
				}
				ended <- err
			}()
		}
		all[0].Await(t, 2)
		all[1].Await(t, 1)
	}
	start := time.Now()
	s.Stop()
	took := time.Since(start)
	t.Logf("stopped in %s", took)
	require.Less(t, took, 12*time.Second)
	if busy {
		require.Error(t, <-ended, "a stream that was cut ended as if it were complete")
		require.Error(t, <-ended)
	}
	for _, url := range []string{s.URL, s.Status} {
		l, err := net.Listen("tcp", strings.TrimPrefix(url, "http://"))
		require.NoError(t, err, "the port is free")
		require.NoError(t, l.Close())
	}
}

// children are the running child processes of this one, by their names. It reads
// Linux's /proc.
func children(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	require.NotEmpty(t, files, "this test needs Linux")
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid …; the name may hold anything.
		open, end := strings.IndexByte(string(text), '('), strings.LastIndexByte(string(text), ')')
		var state string
		var parent int
		_, err = fmt.Sscan(string(text[end+1:]), &state, &parent)
		require.NoError(t, err)
		if parent == os.Getpid() {
			names = append(names, string(text[open+1:end])+" "+state)
		}
	}
	return names
}
