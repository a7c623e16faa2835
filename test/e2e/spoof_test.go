package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/envoy"
	"semlb/test/harness"
)

// TestClientsCannotSteerWithHeaders sends every header that steers the two hops or
// Envoy's router, twice and in mixed case. The answer, the attempts and what
// providers see must be as without them.
func TestClientsCannotSteerWithHeaders(t *testing.T) {
	t.Parallel()
	all := stubs(t, 4)
	plugin := harness.Plugin{Failover: []string{"timeout", "http_429", "http_503", "non_idempotent"}, ReadTimeout: 4000}
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(plugin, lanes(
		urlsOf(all[0], all[1]), urlsOf(all[2], all[3]))))})
	other := "http_" + all[2].Authority + "_c60000_w60000"
	spoofed := http.Header{}
	for name, value := range spoofs(map[string]string{
		"x-semlb-plan": "a,b,c", "x-semlb-originals": "AQAA", "x-semlb-first": other, "x-semlb-cluster": other,
		"x-semlb-served": "openai/spoofed", "x-semlb-retry": "connect,protocol,reset,timeout", "x-semlb-idle": "1",
		"x-semlb-observe": envoy.ObserveAll, "x-semlb-words": "9",
		"x-envoy-attempt-count": "7", "x-envoy-max-retries": "9", "x-envoy-retry-on": "5xx,reset,retriable-4xx",
		"x-envoy-retriable-status-codes": "400,401,200", "x-envoy-retriable-header-names": "content-type",
		"x-envoy-upstream-rq-timeout-ms": "1", "x-envoy-upstream-rq-per-try-timeout-ms": "1",
		"x-envoy-hedge-on-per-try-timeout": "true", "x-envoy-original-path": "/other", "x-envoy-internal": "true",
		"x-envoy-upstream-alt-stat-name": "x", "x-envoy-decorator-operation": "x",
		"x-envoy-expected-rq-timeout-ms": "1", "x-envoy-ip-tags": "x", "x-envoy-original-host": "other",
		"x-envoy-force-trace": "true", "x-envoy-external-address": "10.0.0.1", "x-envoy-downstream-service-cluster": "x",
		"x-envoy-downstream-service-node": "x", "x-envoy-upstream-stream-duration-ms": "1",
		"x-envoy-retry-grpc-on": "cancelled",
		"x-forwarded-for":       "10.0.0.1", "x-forwarded-proto": "https", "x-forwarded-host": "other", "x-forwarded-port": "1", "x-envoy-ratelimited": "true", "x-kong-llm-model": "spoofed",
	}) {
		spoofed[mixed(name)] = []string{value, value}
		spoofed[strings.ToUpper(name)] = []string{value}
	}
	for _, p := range harness.Protocols() {
		client := harness.NewClient(t, p)
		for _, tt := range []struct {
			name   string
			first  harness.Behaviour
			status int
			want   []int
		}{
			{"well", harness.OK(), 200, []int{1, 0, 0, 0}},
			{"listed", harness.Status(429), 200, []int{1, 1, 0, 0}},
			{"not listed", harness.Status(400), 400, []int{1, 0, 0, 0}},
			{"garbage, not listed", harness.Garbage(), 502, []int{1, 0, 0, 0}},
			{"slow", harness.Slow(50*time.Millisecond, harness.OK()), 200, []int{1, 0, 0, 0}},
		} {
			t.Run(string(p)+"/"+tt.name, func(t *testing.T) {
				reset(all...)
				all[0].Do(tt.first)
				answer := s.Post(client, harness.Chat(prompts()[0], clientModel), spoofed)
				require.Equal(t, tt.status, answer.Status, answer.Body)
				require.Equal(t, tt.want, counts(all...))
				for i, stub := range all[:2] {
					for _, got := range stub.Requests() {
						requireAttempt(t, got, stub, 0, i, prompts()[0])
						for name := range got.Header {
							lower := strings.ToLower(name)
							require.NotContains(t, envoy.InternalHeaders(), lower)
							require.False(t, strings.HasPrefix(lower, "x-semlb-") || strings.HasPrefix(lower, "x-envoy-") ||
								strings.HasPrefix(lower, "x-forwarded-"), "%s reached the provider", name)
						}
					}
				}
				require.NotContains(t, answer.Header.Get("X-Kong-Llm-Model"), "spoofed")
			})
		}
	}
	require.NotContains(t, s.Log(), "msg=answer", "a client had an attempt observed")
}

// spoofs adds to values one for every internal header that is not among them.
func spoofs(values map[string]string) map[string]string {
	for _, name := range envoy.InternalHeaders() {
		if values[name] == "" {
			values[name] = "spoofed"
		}
	}
	return values
}

// mixed is a name in mixed letter case.
func mixed(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i%2 == 0 {
			b.WriteString(strings.ToUpper(string(r)))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// TestProvidersCannotSteerWithHeaders: copies of the labels by which the inner hop
// permits or forbids that a failure moves on.
func TestProvidersCannotSteerWithHeaders(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(
		harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all...))))})
	client := harness.NewClient(t, harness.HTTP1)
	for _, header := range []http.Header{
		{"X-Semlb-Retry": {"1"}},
		{"X-Envoy-Ratelimited": {"true"}},
		{"X-Semlb-Retry": {"1"}, "X-Envoy-Ratelimited": {"true"}, "X-Envoy-Retry-On": {"5xx"}, "X-Kong-Llm-Model": {"spoofed"}},
	} {
		for status, want := range map[int][]int{200: {1, 0}, 400: {1, 0}, 500: {1, 0}, 429: {1, 1}, 503: {1, 1}} {
			reset(all...)
			all[0].Do(harness.Status(status, header))
			answer := s.Post(client, harness.Chat(prompts()[0]))
			require.Equal(t, want, counts(all...), "status %d with %v", status, header)
			served := harness.ServedBy(answer.Status, "openai/"+modelOf(0, want[1]))
			require.Equal(t, served, strings.Join(answer.Header["X-Kong-Llm-Model"], ","))
			require.NotContains(t, answer.Header, "X-Semlb-Retry")
			require.NotContains(t, answer.Header, "X-Envoy-Ratelimited")
		}
	}
}
