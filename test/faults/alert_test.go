package faults_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"semlb/test/harness"
	"semlb/test/tools"
)

// alertSeries is the pattern of the metric names that one of the shipped alerts
// watches. As in Prometheus, it has to match a whole name.
func alertSeries(t *testing.T, alert string) *regexp.Regexp {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(tools.Root(t), "deploy", "prometheus", "alerts.yaml"))
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			if rule.Alert != alert {
				continue
			}
			found := regexp.MustCompile(`^increase\(\{__name__=~"([^"]+)"\}\[\d+m\]\) > 0$`).FindStringSubmatch(rule.Expr)
			require.NotNil(t, found, "%s: an expression of another form: %s", alert, rule.Expr)
			return regexp.MustCompile("^(?:" + found[1] + ")$")
		}
	}
	require.Fail(t, "no such alert", alert)
	return nil
}

// prometheusSum adds up the counters of Envoy's own metrics whose name matches. There
// must be some.
func prometheusSum(t *testing.T, admin string, name *regexp.Regexp) int {
	t.Helper()
	metrics, err := harness.Scrape(t.Context(), admin+"/stats/prometheus")
	require.NoError(t, err)
	sum, families := 0.0, 0
	for family := range metrics {
		if name.MatchString(family) {
			sum += metrics.Sum(family)
			families++
		}
	}
	require.Positive(t, families, "Envoy has no metric %s", name)
	return int(sum)
}
