package faults_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"semlb/test/harness"
)

// alertSeries is the pattern of the metric names that one of the shipped alerts
// watches. As in Prometheus, it has to match a whole name.
func alertSeries(t *testing.T, alert string) *regexp.Regexp {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root(t), "deploy", "prometheus", "alerts.yaml"))
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

// prometheusSum adds up the counters that Envoy shows Prometheus and whose name
// matches. There must be some.
func prometheusSum(t *testing.T, c *http.Client, url string, name *regexp.Regexp) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/stats/prometheus", nil)
	require.NoError(t, err)
	answer, err := harness.Send(c, r)
	require.NoError(t, err)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(answer.Body))
	require.NoError(t, err)
	sum, series := 0.0, 0
	for family, metrics := range families {
		if !name.MatchString(family) {
			continue
		}
		for _, m := range metrics.GetMetric() {
			sum += m.GetCounter().GetValue()
			series++
		}
	}
	require.Positive(t, series, "Envoy has no metric %s", name)
	return int(sum)
}
