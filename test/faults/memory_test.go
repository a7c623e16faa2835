package faults_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// megabyte is the length of attackers' bodies, a little below the limit.
const megabyte = 1_000_000

func TestFault32MemoryOfEnvoy(t *testing.T) {
	const limit, goods = 512, 12
	r := begin(t, fmt.Sprintf("Envoy with %d MiB, at once: 600 open uploads of 1 MB over HTTP/2, 500 stalled ones over HTTP/1, 100 clients that do not read, 1,000 bodies of 1 MB", limit))
	w := start(t, options{flags: []string{"--envoy-memory", strconv.Itoa(limit)}})
	for _, s := range w.stubs() {
		s.Forget()
	}
	w.cook1.Do(attacked())
	envoy := childEnvoy(t)
	a := attackOn(w)
	a.await("open", "stalled", "unread", "heavy")
	again := 0
	for i := range goods {
		client := harness.NewClient(t, harness.Protocols()[i%2])
		answer := w.postOver(client, chat(code))
		require.Equal(t, http.StatusOK, answer.Status, "small requests are served at once: %s", answer.Body)
		again += w.postPatiently(client, sized(kindGood, megabyte))
	}
	a.end()
	most := peakMemory(t, envoy)
	require.Less(t, most, float64(limit), "MiB of memory of Envoy")
	r.saw("%d small requests: 200, at once; %d of 1 MB: 200 by their second target, some after 503 with Retry-After (%d in all); Envoy's memory at its peak: %.0f MiB; attackers: %s", goods, goods, again, most, a.seen())
}

// postPatiently sends a request, and again if it is refused for a while, as the SDKs do. It
// returns how often.
func (w *world) postPatiently(c *http.Client, body string) (again int) {
	w.t.Helper()
	for deadline := time.Now().Add(2 * waitLimit); ; again++ {
		answer, err := harness.Send(c, w.request(w.t.Context(), strings.NewReader(body)))
		switch {
		case err != nil: // it was refused while it was sent, and the connection closed
		case answer.Status == http.StatusOK:
			require.Equal(w.t, cook2Model, answer.Header.Get("X-Stub"))
			return again
		default:
			w.requireRefused(answer, http.StatusServiceUnavailable, "overloaded")
			require.Equal(w.t, "1", answer.Header.Get("Retry-After"))
		}
		require.True(w.t, time.Now().Before(deadline), "not served after %d refusals", again)
		time.Sleep(time.Second)
	}
}

// The kinds of requests of [sized], by which [attacked] answers.
const (
	kindGood   = "good"
	kindHeavy  = "heavy"
	kindUnread = "unread"
)

// sized is a request of a kind with a body of a length.
func sized(kind string, length int) string {
	body := fmt.Sprintf(`{"user":%q,"messages":[{"role":"user","content":%q}],"padding":"`, kind, cooking)
	return body + strings.Repeat("x", length-len(body)-2) + `"}`
}

// attacked fails good requests, so that another target serves them; answers those that are
// not read with more than fits into any buffer; and lets heavy ones wait for a while.
func attacked() harness.Behaviour {
	page := harness.Body(http.StatusOK, `{"padding":"`+strings.Repeat("x", 8<<20)+`"}`)
	kinds := map[string]harness.Behaviour{
		kindGood:   harness.Status(http.StatusServiceUnavailable),
		kindHeavy:  harness.Slow(2*time.Second, harness.OK()),
		kindUnread: page,
	}
	return func(x *harness.Exchange) {
		kind := between(string(x.Body()), `"user":"`, `"`)
		if behave, known := kinds[kind]; known {
			behave(x)
			return
		}
		harness.OK()(x)
	}
}

// attack is what four kinds of attackers do, and what they see.
type attack struct {
	w   *world
	ctx context.Context
	// end ends the attack.
	end func()

	mu   sync.Mutex
	what map[string]int
}

func attackOn(w *world) *attack {
	ctx, cancel := context.WithCancel(w.t.Context())
	a := &attack{w: w, ctx: ctx, what: make(map[string]int)}
	streams := harness.NewClient(w.t, harness.HTTP2)
	streams.Timeout = 0
	var all sync.WaitGroup
	for _, attacker := range []struct {
		n    int
		send func()
	}{
		{600, func() { a.openUpload(streams) }},
		{500, func() { a.upload("stalled", megabyte, megabyte-1) }},
		{100, func() { a.upload(kindUnread, 1000, 1000) }},
		{1000, func() { a.upload(kindHeavy, megabyte, megabyte) }},
	} {
		for range attacker.n {
			all.Go(attacker.send)
		}
	}
	a.end = sync.OnceFunc(func() {
		cancel()
		all.Wait()
	})
	w.t.Cleanup(a.end)
	return a
}

// await waits until each kind of attacker has seen something.
func (a *attack) await(kinds ...string) {
	a.w.t.Helper()
	require.Eventually(a.w.t, func() bool {
		seen := a.seen()
		return !slices.ContainsFunc(kinds, func(kind string) bool { return !strings.Contains(seen, kind) })
	}, waitLimit, waitStep, "attackers: %s", lazily(a.seen))
}

func (a *attack) note(kind, what string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.what[kind+" "+what]++
}

// seen is what attackers have seen, and how often.
func (a *attack) seen() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.TrimPrefix(fmt.Sprint(a.what), "map")
}

// openUpload sends all of a body but its end.
func (a *attack) openUpload(c *http.Client) {
	body := sized("open", megabyte)
	request := a.w.request(a.ctx, io.MultiReader(strings.NewReader(body[:megabyte-1]), untilDone{a.ctx}))
	request.ContentLength = megabyte
	answer, err := harness.Send(c, request)
	if err != nil {
		a.note("open", "cut")
		return
	}
	a.note("open", strconv.Itoa(answer.Status))
}

// untilDone is a reader that has nothing until its context ends.
type untilDone struct{ context.Context }

func (u untilDone) Read([]byte) (int, error) {
	<-u.Done()
	return 0, u.Err()
}

// upload sends n bytes of a body over a connection of its own, and reads the status line of
// the answer, and no more if it is 200.
func (a *attack) upload(kind string, length, n int) {
	c, err := net.Dial("tcp", strings.TrimPrefix(a.w.URL, "http://"))
	if err != nil {
		a.note(kind, "not connected")
		return
	}
	defer c.Close()
	stop := context.AfterFunc(a.ctx, func() { _ = c.Close() })
	defer stop()
	_, _ = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		harness.ChatPath, length, sized(kind, length)[:n])
	status := make([]byte, len("HTTP/1.1 200"))
	if _, err := io.ReadFull(c, status); err != nil {
		a.note(kind, "cut")
		return
	}
	a.note(kind, string(status[len("HTTP/1.1 "):]))
	if kind == kindUnread && bytes.HasSuffix(status, []byte("200")) {
		<-a.ctx.Done()
	}
}

// childEnvoy is the number of the Envoy process that this one runs.
func childEnvoy(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	for _, task := range tasks {
		children, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/children") // the thread may have ended
		for child := range strings.FieldsSeq(string(children)) {
			if program, _ := os.Readlink("/proc/" + child + "/exe"); strings.HasSuffix(program, "/envoy") {
				pid, err := strconv.Atoi(child)
				require.NoError(t, err)
				return pid
			}
		}
	}
	require.Fail(t, "no Envoy runs")
	return 0
}

// peakMemory is the most resident memory that a process has had, in MiB.
func peakMemory(t *testing.T, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	kib, err := strconv.Atoi(strings.TrimSpace(between(string(text), "VmHWM:", "kB")))
	require.NoError(t, err)
	return float64(kib) / 1024
}
