package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/ca"
	"semlb/test/harness"
)

// streaming is semlb with a first target over HTTP/1 or HTTP/2 and a second one.
type streaming struct {
	semlb *harness.Semlb
	first [2]*harness.Stub // by lane
	next  *harness.Stub
}

func newStreaming(t *testing.T, plugin harness.Plugin) *streaming { return newLogged(t, plugin, nil) }

// newLogged is the same with targets that have this logging.
func newLogged(t *testing.T, plugin harness.Plugin, logging map[string]any) *streaming {
	t.Helper()
	authority := ca.New(t)
	s := &streaming{next: harness.NewStub(t, "next")}
	s.first = [2]*harness.Stub{harness.NewStub(t, "first"), harness.NewTLSStub(t, "first", authority)}
	plugin.Failover = harness.SeedCriteria()
	plugin = withLanes(plugin, lanes(urlsOf(s.first[0], s.next), urlsOf(s.first[1], s.next)))
	for i := range plugin.Targets {
		plugin.Targets[i].Logging = logging
	}
	s.semlb = harness.Start(t, harness.Options{
		Config: harness.Config(plugin),
		Flags:  []string{"--trusted-ca", authority.File},
	})
	return s
}

// each runs a test for every protocol of clients and of providers.
func (s *streaming) each(t *testing.T, run func(t *testing.T, p harness.Protocol, lane int)) {
	for _, p := range harness.Protocols() {
		for lane, upstream := range []string{"HTTP/1.1", "HTTP/2"} {
			t.Run(string(p)+" to "+upstream, func(t *testing.T) {
				reset(s.first[0], s.first[1], s.next)
				run(t, p, lane)
			})
		}
	}
}

// arrival is an event and when the client had it.
type arrival struct {
	harness.Event
	at time.Time
}

// open starts a stream.
func (s *streaming) open(ctx context.Context, t *testing.T, p harness.Protocol, lane int) *http.Response {
	t.Helper()
	r := s.semlb.Request(ctx, harness.ChatPath, strings.NewReader(harness.Chat(prompts()[lane], `"stream":true`)))
	response, err := harness.NewClient(t, p).Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	return response
}

// read reads a stream to its end. Whole reports that it ended with [DONE].
func read(t *testing.T, response *http.Response) (events []arrival, whole bool, err error) {
	t.Helper()
	return readInStep(t, response, func() {})
}

// readInStep is read, with a call after each event.
func readInStep(t *testing.T, response *http.Response, arrived func()) (events []arrival, whole bool, err error) {
	t.Helper()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		switch {
		case !ok:
		case data == "[DONE]":
			whole = true
		default:
			a := arrival{at: time.Now()}
			require.NoError(t, json.Unmarshal([]byte(data), &a.Event))
			events = append(events, a)
			arrived()
		}
	}
	return events, whole, lines.Err()
}

// TestAStreamPassesUnbuffered: the provider sends an event only when the client has the
// one before it, so the stream stops at the first event that is held back, however
// busy the machine is. With and without the filters that send copies to semlb.
func TestAStreamPassesUnbuffered(t *testing.T) {
	for name, logging := range map[string]map[string]any{
		"plain": nil, "statistics": {"log_statistics": true}, "payloads": {"log_statistics": true, "log_payloads": true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newLogged(t, harness.Plugin{}, logging)
			s.each(t, s.passesUnbuffered)
		})
	}
}

func (s *streaming) passesUnbuffered(t *testing.T, p harness.Protocol, lane int) {
	const n = 20
	reported := make(chan struct{}, n)
	s.first[lane].Do(harness.SSEInStep(n, reported))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	events, whole, err := readInStep(t, s.open(ctx, t, p, lane), func() { reported <- struct{}{} })
	require.NoError(t, err, "event %d was held back", len(events))
	require.True(t, whole)
	require.Len(t, events, n)
	var lags []time.Duration
	for i, e := range events {
		require.Equal(t, i, e.N)
		lags = append(lags, e.at.Sub(time.Unix(0, e.Sent)))
	}
	slices.Sort(lags)
	t.Logf("median lag %s, largest %s", lags[n/2], lags[n-1])
	// It is about 0.1 ms. That no event waits for the next one shows that none is buffered.
}

func TestAStreamThatDiesIsAnErrorAndIsNotRetried(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, harness.Plugin{})
	s.each(t, func(t *testing.T, p harness.Protocol, lane int) {
		s.first[lane].Do(harness.SSECut(1))
		events, whole, err := read(t, s.open(t.Context(), t, p, lane))
		require.Less(t, time.Since(time.Unix(0, events[0].Sent)), lateness(p))
		require.Error(t, err, "the stream ended as if it were complete")
		require.False(t, whole)
		require.Len(t, events, 1)
		require.Len(t, s.first[lane].Requests(), 1)
		require.Empty(t, s.next.Requests(), "a stream that had begun was retried")
	})
}

// TestAStreamThatDiesBeforeItsFirstEventIsNotRetried: its head has reached the client.
func TestAStreamThatDiesBeforeItsFirstEventIsNotRetried(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, harness.Plugin{})
	s.each(t, func(t *testing.T, p harness.Protocol, lane int) {
		s.first[lane].Do(harness.SSECut(0))
		events, whole, err := read(t, s.open(t.Context(), t, p, lane))
		require.Error(t, err, "the stream ended as if it were complete")
		require.False(t, whole)
		require.Empty(t, events)
		require.Len(t, s.first[lane].Requests(), 1)
		require.Empty(t, s.next.Requests(), "a stream that had begun was retried")
	})
}

// lateness bounds how much later than its cause a client sees the end of a broken
// stream. On HTTP/1 Envoy holds a connection that it is about to close for a second,
// so that what it sent last is not overtaken by a reset.
func lateness(p harness.Protocol) time.Duration {
	if p == harness.HTTP1 {
		return 21 * time.Second
	}
	return 20 * time.Second
}

func TestAStreamThatStallsIsCutByTheReadTimeout(t *testing.T) {
	t.Parallel()
	const timeout = 4 * time.Second
	s := newStreaming(t, harness.Plugin{ReadTimeout: int(timeout.Milliseconds())})
	s.each(t, func(t *testing.T, p harness.Protocol, lane int) {
		s.first[lane].Do(harness.SSEStall(2))
		events, whole, err := read(t, s.open(t.Context(), t, p, lane))
		ended := time.Now()
		require.Error(t, err, "the stream ended as if it were complete")
		require.False(t, whole)
		require.Len(t, events, 2)
		silence := ended.Sub(time.Unix(0, events[1].Sent))
		require.GreaterOrEqual(t, silence, timeout-20*time.Millisecond)
		require.Less(t, silence, timeout+lateness(p))
		s.first[lane].AwaitGone(t)
		require.Empty(t, s.next.Requests())
	})
}

// TestTheReadTimeoutIsNoLimitOfTheWhole streams for several times the timeout.
func TestTheReadTimeoutIsNoLimitOfTheWhole(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, harness.Plugin{ReadTimeout: 4000})
	s.each(t, func(t *testing.T, p harness.Protocol, lane int) {
		s.first[lane].Do(harness.SSE(8, time.Second))
		events, whole, err := read(t, s.open(t.Context(), t, p, lane))
		require.NoError(t, err)
		require.True(t, whole)
		require.Len(t, events, 8)
	})
}

// TestASlowFirstByteMovesOnAndThenStreams: until its first byte a stream is an
// attempt like any other.
func TestASlowFirstByteMovesOnAndThenStreams(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, harness.Plugin{ReadTimeout: 4000})
	s.each(t, func(t *testing.T, p harness.Protocol, lane int) {
		s.first[lane].Do(harness.Slow(time.Minute, harness.SSE(3, 0)))
		s.next.Do(harness.SSE(3, 10*time.Millisecond))
		events, whole, err := read(t, s.open(t.Context(), t, p, lane))
		require.NoError(t, err)
		require.True(t, whole)
		require.Len(t, events, 3)
		require.Equal(t, "next", events[0].Stub)
		s.first[lane].AwaitGone(t)
	})
}
