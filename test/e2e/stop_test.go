package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"semlb/test/harness"
)

// TestStoppingLeavesNothingBehind stops semlb while it is idle, and while a stream
// and a hanging request are open: no Envoy, no port, no file, no goroutine stays.
// It does not run in parallel with other tests, which have their own Envoys.
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
	s := harness.Start(t, harness.Options{
		Config: harness.Config(withLanes(
			harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all[0]), urlsOf(all[1])))),
		Flags: []string{"--drain", "500ms"},
	})
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
				// What has not begun may still be answered, with an error: over a socket the
				// inner hop can go first.
				if err == nil && i == 1 && answer.Status == http.StatusBadGateway {
					err = errors.New(answer.Body)
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
	require.Less(t, took, time.Minute, "the stream and the request that hangs last for longer")
	if busy {
		require.GreaterOrEqual(t, took, 500*time.Millisecond, "requests in flight have time to end")
		require.Error(t, <-ended, "a stream that was cut ended as if it were complete")
		require.Error(t, <-ended)
	}
	for _, url := range []string{s.URL, s.Status} {
		l, err := net.Listen("tcp", strings.TrimPrefix(url, "http://"))
		require.NoError(t, err, "the port is free")
		require.NoError(t, l.Close())
	}
}

// TestRequestsUnderWayEndBeforeSemlb stops semlb while streams and slow answers
// still have some time to go.
func TestRequestsUnderWayEndBeforeSemlb(t *testing.T) {
	const drain = time.Minute
	all := stubs(t, 2)
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(
		harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all[0]), urlsOf(all[1])))), Flags: []string{"--drain", drain.String()}})
	all[0].Do(harness.SSE(20, 50*time.Millisecond))
	all[1].Do(harness.Slow(time.Second, harness.OK()))
	answers := make(chan harness.Answer, 4)
	for _, p := range harness.Protocols() {
		client := harness.NewClient(t, p)
		for i := range 2 {
			r := s.Request(t.Context(), harness.ChatPath, strings.NewReader(harness.Chat(prompts()[i])))
			go func() {
				answer, err := harness.Send(client, r)
				if err != nil {
					answer.Err = err
				}
				answers <- answer
			}()
		}
	}
	all[0].Await(t, 2)
	all[1].Await(t, 2)
	start := time.Now()
	s.Stop()
	require.Less(t, time.Since(start), drain, "nothing was left to wait for")
	for range 4 {
		answer := <-answers
		require.NoError(t, answer.Err)
		require.Equal(t, 200, answer.Status)
		if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
			require.True(t, strings.HasSuffix(answer.Body, "data: [DONE]\n\n"), answer.Body)
		}
	}
}

// TestAnEnvoyThatIsKilledIsStartedAgain kills it with SIGKILL, several times, so that
// leaks of each would add up.
func TestAnEnvoyThatIsKilledIsStartedAgain(t *testing.T) {
	const kills = 4
	stub := harness.NewStub(t, "provider")
	s := harness.Start(t, harness.Options{
		Config: harness.Config(withLanes(harness.Plugin{}, lanes(urlsOf(stub)))),
		Flags:  []string{"--envoy-concurrency", "1"},
	})
	served := func() bool {
		answer, err := harness.Send(harness.NewClient(t, harness.HTTP1),
			s.Request(s.Context(), harness.ChatPath, strings.NewReader(harness.Chat("hello"))))
		return err == nil && answer.Status == 200
	}
	require.True(t, served())
	for range kills {
		for pid := range childIDs(t) {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
		require.Eventually(t, served, time.Minute, 50*time.Millisecond, "served again")
	}
	require.EqualValues(t, kills, s.Metric("semlb_envoy_restarts_total"))
	// One worker keeps one stream for each of the two logs.
	require.Eventually(t, func() bool { return harness.AccessLogStreams() <= 2 }, time.Minute, 50*time.Millisecond,
		"the access logs of the killed Envoys are still read")
}

// children are the names and states of the child processes of this one.
func children(t *testing.T) []string {
	t.Helper()
	return slices.Collect(maps.Values(childIDs(t)))
}

// childIDs are the child processes of this one, by their IDs. It reads Linux's
// /proc.
func childIDs(t *testing.T) map[int]string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	require.NotEmpty(t, files, "this test needs Linux")
	all := make(map[int]string)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid …; the name may hold anything.
		open, end := strings.IndexByte(string(text), '('), strings.LastIndexByte(string(text), ')')
		var pid, parent int
		var state string
		_, err = fmt.Sscan(string(text[:open]), &pid)
		require.NoError(t, err)
		_, err = fmt.Sscan(string(text[end+1:]), &state, &parent)
		require.NoError(t, err)
		if parent == os.Getpid() {
			all[pid] = string(text[open+1:end]) + " " + state
		}
	}
	return all
}
