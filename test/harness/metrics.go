package harness

import (
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// Metric is the value of a counter or gauge of the status port, summed over the
// series that have all the labels. A family that does not exist fails the test.
func (s *Semlb) Metric(name string, labels map[string]string) float64 {
	s.t.Helper()
	response := s.get("/metrics")
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	require.NoError(s.t, err)
	family := families[name]
	require.NotNil(s.t, family, "no metric %s", name)
	sum := 0.0
	for _, m := range family.GetMetric() {
		if matches(m, labels) {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue() +
				float64(m.GetHistogram().GetSampleCount())
		}
	}
	return sum
}

func matches(m *dto.Metric, labels map[string]string) bool {
	has := 0
	for _, pair := range m.GetLabel() {
		if want, ok := labels[pair.GetName()]; ok && want == pair.GetValue() {
			has++
		}
	}
	return has == len(labels)
}

// get asks the status port; no connection is left open behind it.
func (s *Semlb) get(path string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.Status+path, nil)
	require.NoError(s.t, err)
	r.Close = true
	response, err := (&http.Client{Timeout: awaitTimeout}).Do(r)
	require.NoError(s.t, err)
	return response
}
