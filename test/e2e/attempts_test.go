package e2e_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

func TestTargetsAreTriedByWeightThenByConfigurationOrder(t *testing.T) {
	t.Parallel()
	all := stubs(t, 4)
	var targets []harness.Target
	for i, weight := range []int{25, 75, 25, 75} {
		targets = append(targets, harness.Target{URL: all[i].URL, Model: fmt.Sprint("m", i), Weight: weight})
	}
	s := harness.Start(t, harness.Options{Config: harness.Config(harness.Plugin{Failover: harness.SeedCriteria(), Targets: targets})})
	client := harness.NewClient(t, harness.HTTP1)
	want := []int{1, 3, 0, 2}
	for failing := range want {
		reset(all...)
		for _, i := range want[:failing] {
			all[i].Do(harness.Status(http.StatusServiceUnavailable))
		}
		answer := s.Post(client, harness.Chat("anything"))
		require.Equal(t, http.StatusOK, answer.Status)
		require.Equal(t, fmt.Sprint("openai/m", want[failing]), answer.Header.Get("X-Kong-Llm-Model"))
		var last time.Time
		for n, i := range want {
			if n > failing {
				require.Empty(t, all[i].Requests())
				continue
			}
			got := all[i].Only(t)
			require.True(t, got.At.After(last), "attempt %d came before the one before it", n+1)
			last = got.At
		}
	}
}

func TestRetriesBoundTheAttemptsAndNoTargetIsTriedTwice(t *testing.T) {
	for _, tt := range []struct{ retries, targets, attempts int }{
		{0, 3, 1}, {1, 3, 2}, {2, 3, 3}, {3, 3, 3}, {3, 6, 4}, {5, 2, 2}, {5, 6, 6}, {10, 1, 1},
	} {
		t.Run(fmt.Sprintf("%d retries, %d targets", tt.retries, tt.targets), func(t *testing.T) {
			t.Parallel()
			all := oncePerConnection(stubs(t, tt.targets))
			plugin := harness.Plugin{Failover: harness.SeedCriteria(), Retries: &tt.retries}
			s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(plugin, lanes(urlsOf(all...))))})
			for _, b := range []harness.Behaviour{harness.Status(429), harness.Reset()} {
				reset(all...)
				for _, stub := range all {
					stub.Do(b)
				}
				s.Post(harness.NewClient(t, harness.HTTP1), harness.Chat(prompts()[0]))
				for i, n := range counts(all...) {
					if i < tt.attempts {
						require.Equal(t, 1, n, "requests at target %d", i)
					} else {
						require.Zero(t, n, "requests at target %d", i)
					}
				}
			}
		})
	}
}

// TestTheLastAnswerIsPassedOnAsItWas lets every target fail, the last one with a
// response that differs from the others.
func TestTheLastAnswerIsPassedOnAsItWas(t *testing.T) {
	t.Parallel()
	all := stubs(t, 3)
	plugin := harness.Plugin{Failover: harness.SeedCriteria(), ReadTimeout: 5000}
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(plugin, lanes(
		urlsOf(all...), append(urlsOf(all[:2]...), harness.RefusedURL(t)),
	))), Flags: []string{"--max-retry-after", "0"}})
	own := http.Header{"Retry-After": {"17"}, "X-Ratelimit-Remaining-Requests": {"0"}}
	for _, tt := range []struct {
		name   string
		lane   int
		last   harness.Behaviour
		status int
		code   string
	}{
		{"429", 0, harness.Status(429, own), 429, ""},
		{"503", 0, harness.Status(503, own), 503, ""},
		{"401, which is not listed", 0, harness.Status(401, own), 401, ""},
		{"500, which is not listed", 0, harness.Status(500, own), 500, ""},
		{"reset", 0, harness.Reset(), 502, "upstream_reset"},
		{"hang", 0, harness.Hang(), 504, "upstream_timeout"},
		{"garbage", 0, harness.Garbage(), 502, "upstream_invalid_response"},
		{"refused", 1, nil, 502, "upstream_connection_failed"},
	} {
		for _, p := range harness.Protocols() {
			t.Run(tt.name+"/"+string(p), func(t *testing.T) {
				reset(all...)
				all[0].Do(harness.Status(429, http.Header{"Retry-After": {"1"}, "X-First": {"1"}}))
				all[1].Do(harness.Reset())
				all[2].Do(tt.last)
				answer := s.Post(harness.NewClient(t, p), harness.Chat(prompts()[tt.lane]))
				require.Equal(t, tt.status, answer.Status)
				require.Equal(t, harness.ServedBy(tt.status, "openai/"+modelOf(tt.lane, 2)), answer.Header.Get("X-Kong-Llm-Model"))
				require.Empty(t, answer.Header["X-First"], "a header of an earlier answer")
				if tt.code != "" {
					require.Equal(t, tt.code, answer.OpenAIError(t).Code)
					require.Empty(t, answer.Header["Retry-After"], "a header of an earlier answer")
					return
				}
				require.Equal(t, harness.StatusBody(all[2].Name, tt.status), answer.Body)
				require.Equal(t, []string{"17"}, answer.Header["Retry-After"])
				require.Equal(t, []string{"0"}, answer.Header["X-Ratelimit-Remaining-Requests"])
			})
		}
	}
}

func TestAConnectionThatIsNeverCompletedMovesOn(t *testing.T) {
	t.Parallel()
	second := harness.NewStub(t, "second")
	plugin := harness.Plugin{Failover: harness.SeedCriteria(), ConnectTimeout: 3000}
	all := lanes([]string{harness.SilentURL(t), second.URL}, []string{harness.SilentURL(t)})
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(plugin, all))})
	client := harness.NewClient(t, harness.HTTP1)

	answer := s.Post(client, harness.Chat(prompts()[0]))
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	require.GreaterOrEqual(t, answer.Took, 2900*time.Millisecond)
	require.Less(t, answer.Took, 40*time.Second)

	answer = s.Post(client, harness.Chat(prompts()[1]))
	require.Equal(t, http.StatusGatewayTimeout, answer.Status)
	require.Equal(t, "upstream_connect_timeout", answer.OpenAIError(t).Code)
}
