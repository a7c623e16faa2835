package harness

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Gateway is an Envoy with semlb, as clients and operators reach it.
type Gateway struct {
	// URL is where Envoy listens, Status where semlb serves metrics and health.
	URL, Status string

	t testing.TB
}

// NewGateway makes a gateway of addresses, such as those of [FreeAddress].
func NewGateway(t testing.TB, listen, status string) *Gateway {
	return &Gateway{URL: "http://" + listen, Status: "http://" + status, t: t}
}

// Post sends a JSON body to [ChatPath] and reads the answer. Header names are sent in
// the letter case they are given in.
func (g *Gateway) Post(c *http.Client, body string, headers ...http.Header) Answer {
	g.t.Helper()
	return g.Do(c, g.Request(g.t.Context(), ChatPath, strings.NewReader(body), headers...))
}

// Request makes a POST request to Envoy with a JSON body. Any goroutine may call it.
func (g *Gateway) Request(ctx context.Context, path string, body io.Reader, headers ...http.Header) *http.Request {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL+path, body)
	if err != nil {
		panic(err) // the URL is the test's own
	}
	r.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		for name, values := range h {
			r.Header[name] = values
		}
	}
	return r
}

// Do sends a request and reads the answer. The test fails at once if there is none, so
// only the test's own goroutine may call it; others use [Send].
func (g *Gateway) Do(c *http.Client, r *http.Request) Answer {
	g.t.Helper()
	answer, err := Send(c, r)
	require.NoError(g.t, err)
	return answer
}

// Page reads a page of the status port.
func (g *Gateway) Page(path string) Answer {
	g.t.Helper()
	return Get(g.t, g.Status+path)
}

// RequireReady fails the test unless semlb reports that it is ready.
func (g *Gateway) RequireReady() {
	g.t.Helper()
	answer := g.Page("/readyz")
	require.Equal(g.t, http.StatusOK, answer.Status, answer.Body)
}

// Metrics reads the metrics.
func (g *Gateway) Metrics() Metrics {
	g.t.Helper()
	metrics, err := Scrape(g.t.Context(), g.Status+"/metrics")
	require.NoError(g.t, err)
	return metrics
}

// Metric is the value of a metric as [Metrics.Sum] has it. A metric that does not exist
// fails the test.
func (g *Gateway) Metric(name string, labels ...string) float64 {
	g.t.Helper()
	metrics := g.Metrics()
	require.Contains(g.t, metrics, name)
	return metrics.Sum(name, labels...)
}
