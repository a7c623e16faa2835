package harness_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

func TestAnEnvoyAnswersFromItsStub(t *testing.T) {
	a, b := harness.NewStub(t, "a"), harness.NewStub(t, "b")
	a.Do(harness.Status(http.StatusTooManyRequests))
	s := harness.Start(t, harness.Options{Config: harness.Config(harness.Plugin{
		Failover: harness.SeedCriteria(),
		Targets: []harness.Target{
			{URL: a.URL, Model: "model-a", Weight: 75, Authorization: "Bearer key-a"},
			{URL: b.URL, Model: "model-b", Weight: 25, Authorization: "Bearer key-b"},
		},
	})})
	for _, p := range harness.Protocols() {
		a.Reset()
		b.Reset()
		a.Do(harness.Status(http.StatusTooManyRequests))
		answer := s.Post(harness.NewClient(t, p), harness.Chat("hello"))
		require.Equal(t, http.StatusOK, answer.Status, answer.Body)
		require.Equal(t, "b", answer.Header.Get("X-Stub"))
		require.Equal(t, "Bearer key-a", a.Only(t).Header.Get("Authorization"))
		require.Equal(t, "Bearer key-b", b.Only(t).Header.Get("Authorization"))
	}
	require.Equal(t, 2.0, s.Metric("semlb_decisions_total", "reason", "matched"))
}
