package faults_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

func TestFault40AnswersHeadersOfEnvoy(t *testing.T) {
	r := begin(t, "target sends x-envoy- and x-semlb- headers, known and unknown, over HTTP/1 and HTTP/2, with 200 and with 503")
	a := startAnswers(t)
	names := []string{
		"x-envoy-immediate-health-check-fail", "x-envoy-overloaded", "x-envoy-ratelimited", "x-envoy-degraded", "x-envoy-upstream-service-time",
		"x-envoy-upstream-canary", "x-envoy-decorator-operation", "x-envoy-attempt-count", "x-envoy-unknown",
		"x-semlb-retry", "x-semlb-repeat", "x-semlb-plan", "x-semlb-connection", "x-semlb-unknown",
	}
	own, frames := http.Header{"X-Own": {"kept"}}, []string{"x-own", "kept"}
	for _, name := range names {
		own[http.CanonicalHeaderKey(name)] = []string{"1"}
		frames = append(frames, name, "1")
	}
	a.survives(func() {
		for _, p := range harness.Protocols() {
			client := harness.NewClient(t, p)
			requirePlain := func(prompt string) {
				answer := a.postOver(client, chat(prompt))
				require.Equal(t, http.StatusOK, answer.Status)
				require.Equal(t, []string{"kept"}, answer.Header["X-Own"])
				for name := range answer.Header {
					lower := strings.ToLower(name)
					require.False(t, strings.HasPrefix(lower, "x-envoy-") || strings.HasPrefix(lower, "x-semlb-"), name)
				}
			}
			a.reset()
			a.cook1.Do(harness.Status(200, own))
			answer := headed(true, append([]string{":status", "200"}, frames...)...)
			a.odd.answer.Store(&answer)
			for range 3 { // an Envoy that believed them would not use the target again
				requirePlain(cooking)
				requirePlain(gardening)
			}
			require.Len(t, a.cook1.Requests(), 3)
			require.Empty(t, a.cook2.Requests())
			// What they say of 503, that it is final, is not believed.
			a.cook1.Do(harness.Status(503, own))
			unavailable := headed(true, append([]string{":status", "503"}, frames...)...)
			a.odd.answer.Store(&unavailable)
			a.requireReplaced("503", cooking, "answered")
			a.requireReplaced("503 over HTTP/2", gardening, "answered")
		}
	})
	r.saw("none of %d names reaches a client; the target serves on, and its 503 moves on", len(names))
}
