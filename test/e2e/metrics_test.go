package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestMetricsAreAsDocumented compares docs/metrics.md with the metrics of the status port:
// names, types and labels.
func TestMetricsAreAsDocumented(t *testing.T) {
	t.Parallel()
	stub := stubs(t, 1)[0]
	stub.Do(harness.Body(http.StatusOK, counted))
	s := harness.Start(t, harness.Options{Config: harness.Config(harness.Plugin{
		Algorithm: "priority", Failover: harness.SeedCriteria(),
		Targets: []harness.Target{{
			URL: stub.URL, Model: "m", Weight: 1,
			Logging: map[string]any{"log_statistics": true}, Options: map[string]any{"input_cost": 1, "output_cost": 1},
		}},
	})})
	require.Equal(t, http.StatusOK, s.Post(harness.NewClient(t, harness.HTTP1), harness.Chat("hello")).Status)
	documented := documentedMetrics(t)
	var families harness.Metrics
	require.Eventually(t, func() bool { // Envoy reports attempts and answers a moment later
		families = s.Metrics()
		return families["semlb_attempt_seconds"] != nil && families["semlb_llm_tokens_total"] != nil
	}, time.Minute, 10*time.Millisecond)

	for name, family := range families {
		if !strings.HasPrefix(name, "semlb_") {
			continue
		}
		want, ok := documented[name]
		require.True(t, ok, "%s is not documented", name)
		require.Equal(t, want.kind, strings.ToLower(family.GetType().String()), name)
		for _, m := range family.GetMetric() {
			var labels []string
			for _, pair := range m.GetLabel() {
				labels = append(labels, pair.GetName())
			}
			require.ElementsMatch(t, want.labels, labels, name)
		}
		delete(documented, name)
	}
	require.Len(t, documented, 1, "documented, and not there")
	require.Contains(t, documented, "semlb_admin_writes_total", "nothing was written")
}

type documentedMetric struct {
	kind   string
	labels []string
}

func documentedMetrics(t *testing.T) map[string]documentedMetric {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	require.NoError(t, err)
	all := make(map[string]documentedMetric)
	label := regexp.MustCompile("`([a-z_]+)`")
	for _, row := range regexp.MustCompile("(?m)^\\| `(semlb_[a-z_]+)` \\| ([a-z]+) \\|([^|]*)\\|").FindAllStringSubmatch(string(text), -1) {
		var labels []string
		for _, m := range label.FindAllStringSubmatch(row[3], -1) {
			labels = append(labels, m[1])
		}
		all[row[1]] = documentedMetric{row[2], labels}
	}
	require.NotEmpty(t, all)
	return all
}
