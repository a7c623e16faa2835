package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/ca"
	"semlb/test/harness"
)

// nths are the positions of a stub's requests on their connections.
func nths(s *harness.Stub) []int64 {
	var all []int64
	for _, r := range s.Requests() {
		all = append(all, r.Nth)
	}
	return all
}

// startReused starts semlb with a lane for each list of stubs. Its Envoy has one thread,
// because threads share no connections.
func startReused(t *testing.T, criteria []string, maxFails int, lists ...[]*harness.Stub) *harness.Semlb {
	t.Helper()
	var urls [][]string
	for _, list := range lists {
		urls = append(urls, urlsOf(list...))
	}
	plugin := harness.Plugin{Failover: criteria, Balancer: map[string]any{"max_fails": maxFails}}
	return harness.Start(t, harness.Options{
		Config: harness.Config(withLanes(plugin, lanes(urls...))), Flags: []string{"--envoy-concurrency", "1"},
	})
}

func TestAConnectionThatEndedWhileIdleIsNoFailureOfTheTarget(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]harness.Behaviour{"reset": harness.Reset(), "closed": harness.Close(), "reset early": harness.ResetEarly()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := stubs(t, 3)
			s := startReused(t, harness.SeedCriteria(), 1, all[:2], all[2:])
			client := harness.NewClient(t, harness.HTTP1)
			for lane, stub := range []*harness.Stub{all[0], all[2]} {
				stub.Do(harness.OnReused(end, harness.OK()))
				for range 4 {
					answer := s.Post(client, harness.Chat(prompts()[lane], clientModel))
					require.Equal(t, http.StatusOK, answer.Status, "%s", answer.Body)
					require.Equal(t, "openai/"+modelOf(lane, 0), answer.Header.Get("X-Kong-Llm-Model"))
					require.NotContains(t, answer.Header, "X-Semlb-Repeat")
				}
				require.Equal(t, []int64{1, 2, 1, 1, 2, 1}, nths(stub), "once more, on a connection of its own")
				for _, r := range stub.Requests() {
					requireAttempt(t, withBodyOf(stub, r), stub, lane, 0, prompts()[lane])
					require.NotContains(t, r.Header, "X-Semlb-Repeat")
				}
			}
			require.Empty(t, all[1].Requests())
			awaitAttempts(t, s, "stale", 4)
			awaitAttempts(t, s, "answered", 8)
			require.Zero(t, s.Metric("semlb_attempts_total", "result", "error"))
			require.Zero(t, s.Metric("semlb_target_out"))
		})
	}
}

// TestHoweverManyConnectionsEndedWhileIdle one repetition is enough, because it has a new
// connection.
func TestHoweverManyConnectionsEndedWhileIdle(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	s := startReused(t, []string{"error", "non_idempotent"}, 1, all)
	const connections = 8
	var arrived sync.WaitGroup
	arrived.Add(connections)
	all[0].Do(func(x *harness.Exchange) { // none ends before all have begun
		arrived.Done()
		arrived.Wait()
		harness.OK()(x)
	})
	inParallel(t, s, connections)
	require.Equal(t, slices.Repeat([]int64{1}, connections), nths(all[0]), "each on a connection of its own")

	all[0].Do(harness.OnReused(harness.Reset(), harness.OK()))
	for range 3 * connections {
		answer := s.Post(harness.NewClient(t, harness.HTTP1), harness.Chat(prompts()[0], clientModel))
		require.Equal(t, http.StatusOK, answer.Status, "%s", answer.Body)
	}
	require.Empty(t, all[1].Requests(), "the target has not failed")
	require.Positive(t, s.Metric("semlb_attempts_total", "result", "stale"))
	require.Zero(t, s.Metric("semlb_attempts_total", "result", "error"))
	for _, r := range all[0].Requests() {
		require.NotContains(t, r.Header, "X-Semlb-Connection")
	}
}

// TestClientsCannotAskForConnectionsOfTheirOwn, which would cost the provider and Envoy one
// for each request: neither where attempts may be made once more nor where not.
func TestClientsCannotAskForConnectionsOfTheirOwn(t *testing.T) {
	t.Parallel()
	for _, criteria := range [][]string{harness.SeedCriteria(), {"http_429"}} {
		all := stubs(t, 1)
		s, client := startReused(t, criteria, 1, all), harness.NewClient(t, harness.HTTP1)
		for i := range 3 {
			asked := http.Header{"X-Semlb-Connection": {fmt.Sprintf("[2001:db8::%d]:1", i)}}
			answer := s.Post(client, harness.Chat(prompts()[0], clientModel), asked)
			require.Equal(t, http.StatusOK, answer.Status, "%s", answer.Body)
		}
		require.Equal(t, []int64{1, 2, 3}, nths(all[0]), "%v", criteria)
	}
}

// inParallel sends requests at the same time, and waits for their answers.
func inParallel(t *testing.T, s *harness.Semlb, n int) {
	t.Helper()
	statuses := make(chan int, n)
	for range n {
		client := harness.NewClient(t, harness.HTTP1)
		go func() {
			answer, err := harness.Send(client, s.Request(t.Context(), harness.ChatPath, strings.NewReader(harness.Chat(prompts()[0], clientModel))))
			if err != nil {
				answer.Status = 0
			}
			statuses <- answer.Status
		}()
	}
	for range n {
		require.Equal(t, http.StatusOK, <-statuses)
	}
}

// awaitAttempts waits until n attempts are counted with a result.
func awaitAttempts(t *testing.T, s *harness.Semlb, result string, n float64) {
	t.Helper()
	require.Eventually(t, func() bool { return s.Metric("semlb_attempts_total", "result", result) == n },
		time.Minute, 5*time.Millisecond, "%v attempts are %s", n, result)
}

// withBodyOf is a request as if its body had been read, for behaviours that do not.
func withBodyOf(s *harness.Stub, r harness.Received) harness.Received {
	if len(r.Body) == 0 {
		r.Body = s.Requests()[0].Body
	}
	return r
}

func TestALaterAttemptIsMadeOnceMoreToo(t *testing.T) {
	t.Parallel()
	all := stubs(t, 3)
	s := startReused(t, []string{"error", "http_503", "non_idempotent"}, 0, all)
	client := harness.NewClient(t, harness.HTTP1)
	all[0].Do(harness.Status(http.StatusServiceUnavailable))
	all[1].Do(harness.OnReused(harness.Reset(), harness.Sequence(harness.OK(), harness.Status(http.StatusServiceUnavailable))))
	for _, want := range []int{1, 2} {
		answer := s.Post(client, harness.Chat(prompts()[0], clientModel))
		require.Equal(t, http.StatusOK, answer.Status, "%s", answer.Body)
		require.Equal(t, "openai/"+modelOf(0, want), answer.Header.Get("X-Kong-Llm-Model"))
	}
	require.Equal(t, []int64{1, 2, 1}, nths(all[1]))
	for _, r := range all[1].Requests() {
		requireAttempt(t, r, all[1], 0, 1, prompts()[0])
	}
	requireAttempt(t, all[2].Only(t), all[2], 0, 2, prompts()[0])
	awaitAttempts(t, s, "stale", 1)
	require.Eventually(t, func() bool { return strings.Count(s.Log(), " msg=request ") == 2 }, time.Minute, time.Millisecond)
	require.Contains(t, s.Log(), " attempts=3 ", "the one that was made once more counts once")
}

func TestNoAttemptIsMadeTwiceOnNewConnections(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]harness.Behaviour{
		"reset": harness.Reset(), "closed": harness.Close(), "garbage": harness.Garbage(), "503": harness.Status(503), "400": harness.Status(400),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := stubs(t, 3)
			s := startReused(t, append(harness.SeedCriteria(), "invalid_header"), 0, all[:2], all[2:])
			for _, stub := range all {
				stub.Do(end)
			}
			for lane := range 2 {
				answer := s.Post(harness.NewClient(t, harness.HTTP1), harness.Chat(prompts()[lane], clientModel))
				require.GreaterOrEqual(t, answer.Status, 400)
			}
			all[0].Only(t)
			all[2].Only(t)
			require.Len(t, all[1].Requests(), map[bool]int{true: 0, false: 1}[name == "400"])
		})
	}
}

func TestARequestThatMayHaveArrivedIsNotRepeatedWithoutPermission(t *testing.T) {
	t.Parallel()
	for _, criteria := range [][]string{{"error", "timeout"}, {"timeout", "http_503", "non_idempotent"}} {
		all := stubs(t, 2)
		s := startReused(t, criteria, 0, all)
		client := harness.NewClient(t, harness.HTTP1)
		all[0].Do(harness.OnReused(harness.Reset(), harness.OK()))
		require.Equal(t, http.StatusOK, s.Post(client, harness.Chat(prompts()[0], clientModel)).Status)
		answer := s.Post(client, harness.Chat(prompts()[0], clientModel))
		require.Equal(t, http.StatusBadGateway, answer.Status)
		require.Contains(t, answer.Body, "upstream_reset")
		require.Equal(t, []int64{1, 2}, nths(all[0]))
		require.Empty(t, all[1].Requests())
	}
}

func TestASilentTargetOnAReusedConnectionIsNotAskedTwice(t *testing.T) {
	t.Parallel()
	all := stubs(t, 1)
	plugin := harness.Plugin{Failover: harness.SeedCriteria(), ReadTimeout: 4000}
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(plugin, lanes(urlsOf(all...))))})
	client := harness.NewClient(t, harness.HTTP1)
	all[0].Do(harness.OnReused(harness.Hang(), harness.OK()))
	require.Eventually(t, func() bool {
		return s.Post(client, harness.Chat(prompts()[0], clientModel)).Status == http.StatusOK
	}, time.Minute, time.Millisecond)
	before := len(all[0].Requests())
	require.Equal(t, http.StatusGatewayTimeout, s.Post(client, harness.Chat(prompts()[0], clientModel)).Status)
	require.Len(t, all[0].Requests(), before+1)
}

func TestARequestThatWasRefusedUnprocessedIsSentAgain(t *testing.T) {
	t.Parallel()
	authority := ca.New(t)
	first, second := newSchemes(t, authority, http.StatusOK), newSchemes(t, authority, http.StatusAccepted)
	plugin := harness.Plugin{Failover: []string{"error"}, Balancer: map[string]any{"max_fails": 0}}
	s := harness.Start(t, harness.Options{
		Config: harness.Config(withLanes(plugin, lanes([]string{first.url, second.url}, []string{first.url}))),
		Flags:  []string{"--trusted-ca", authority.File},
	})
	client := harness.NewClient(t, harness.HTTP1)
	for _, tt := range []struct{ lane, refuse, status, requests int }{
		{lane: 0, refuse: 1, status: http.StatusOK, requests: 2},
		{lane: 0, refuse: 2, status: http.StatusAccepted, requests: 2},
		{lane: 1, refuse: 1, status: http.StatusOK, requests: 2},
		{lane: 1, refuse: 2, status: http.StatusBadGateway, requests: 2},
	} {
		before := len(first.all())
		first.refuse(tt.refuse)
		answer := s.Post(client, harness.Chat(prompts()[tt.lane]))
		require.Equal(t, tt.status, answer.Status, "%+v: %s", tt, answer.Body)
		require.Len(t, first.all(), before+tt.requests, "%+v", tt)
	}
}
