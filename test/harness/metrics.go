package harness

import (
	"context"
	"fmt"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Metrics are the metrics of a program at one time, by name.
type Metrics map[string]*dto.MetricFamily

// Scrape reads metrics in the format of Prometheus, such as those of a status port.
func Scrape(ctx context.Context, url string) (Metrics, error) {
	answer, err := Fetch(ctx, "GET", url, "")
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(answer.Body))
	if err != nil {
		return nil, fmt.Errorf("parse metrics: %w", err)
	}
	return families, nil
}

// Sum adds the values of those series of a metric that have all labels, which are names
// and values in turn. A histogram's value is the sum of its observations. A metric that
// does not exist is 0.
func (m Metrics) Sum(name string, labels ...string) float64 {
	sum := 0.0
	for _, series := range m[name].GetMetric() {
		if hasLabels(series, labels) {
			sum += series.GetCounter().GetValue() + series.GetGauge().GetValue() + series.GetUntyped().GetValue() +
				series.GetHistogram().GetSampleSum()
		}
	}
	return sum
}

func hasLabels(m *dto.Metric, labels []string) bool {
	has := 0
	for _, pair := range m.GetLabel() {
		for i := 0; i < len(labels); i += 2 {
			if pair.GetName() == labels[i] && pair.GetValue() == labels[i+1] {
				has += 2
			}
		}
	}
	return has == len(labels)
}
