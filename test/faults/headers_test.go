package faults_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/envoy"
	"semlb/test/harness"
)

// steering are names of headers that mean something to Envoy, to the hops or to a mesh.
func steering() []string {
	return slices.Concat(envoy.Unforwarded(), []string{
		"x-semlb-unknown", "x-envoy-unknown", "x-envoy-original-dst-host", "x-envoy-peer-metadata", "x-envoy-peer-metadata-id",
		"x-envoy-original-path", "x-envoy-original-url", "x-envoy-original-host", "x-envoy-decorator-operation", "x-envoy-force-trace",
		"x-envoy-retry-on", "x-envoy-retry-grpc-on", "x-envoy-max-retries", "x-envoy-retriable-status-codes", "x-envoy-retriable-header-names",
		"x-envoy-upstream-rq-timeout-ms", "x-envoy-upstream-rq-per-try-timeout-ms", "x-envoy-upstream-rq-timeout-alt-response",
		"x-envoy-upstream-stream-duration-ms", "x-envoy-upstream-alt-stat-name", "x-envoy-hedge-on-per-try-timeout", "x-envoy-ip-tags",
		"x-envoy-downstream-service-cluster", "x-envoy-downstream-service-node", "x-envoy-immediate-health-check-fail", "x-envoy-overloaded", "x-envoy-degraded",
	})
}

func TestFault40HeadersOfRequests(t *testing.T) {
	r := begin(t, "x-envoy-*, x-semlb-* and headers of proxies, known and unknown, with '_' too, on attempts 1 and 2; two hosts, keys and lengths; HTTP/2 requests with a bad head among good ones")
	w := start(t, options{flags: []string{"--envoy-concurrency", "1"}})
	w.survives(func() { r.saw("none of %d headers of a client is at a provider, nor makes a difference", w.steer()) })
	w.survives(func() {
		refused, served := w.duplicates()
		r.saw("%d × two of what there may be one of: 400, nothing sent; %d lists served", refused, served)
	})
	w.survives(func() { r.saw("%d bad heads over HTTP/2: each ends its own stream only", w.badStreams()) })
}

// steer sends all headers that steer, with values that would.
func (w *world) steer() int {
	w.t.Helper()
	sent := fields{}
	for _, name := range steering() {
		for _, variant := range []string{name, strings.ReplaceAll(name, "-", "_"), strings.Replace(name, "-", "_", 1)} {
			value := "1"
			if strings.Contains(name, "retry-on") {
				value = "5xx,retriable-4xx,retriable-status-codes"
			}
			sent = append(sent, [2]string{variant, value})
		}
	}
	perRequest := envoy.MaxHeaders / 2
	for batch := range slices.Chunk(sent, perRequest) {
		for protocol, send := range w.rawClients() {
			for status, attempts := range map[int][3]int{http.StatusOK: {1, 0, 0}, http.StatusTooManyRequests: {1, 1, 0}, http.StatusTeapot: {1, 0, 0}} {
				w.reset()
				w.cook1.Do(harness.Status(status))
				got := send(append(request("POST", harness.ChatPath, chat(cooking)), batch...), chat(cooking))
				require.Equal(w.t, attempts, w.counts(), "%s %d: %s", protocol, status, got.Body)
				for _, provider := range w.stubs() {
					for _, received := range provider.Requests() {
						w.requireNoneOf(received.Header, batch)
					}
				}
			}
		}
	}
	return len(sent)
}

func (w *world) requireNoneOf(got http.Header, sent fields) {
	w.t.Helper()
	for name := range got {
		lower := strings.ToLower(name)
		require.False(w.t, lower != "x-request-id" && slices.ContainsFunc(sent, func(f [2]string) bool { return f[0] == lower }), "%s reached the provider", name)
	}
}

// duplicates sends heads with two of what there may be one of, and lists.
func (w *world) duplicates() (refused, served int) {
	w.t.Helper()
	two := func(name, a, b string) fields { return fields{{name, a}, {name, b}} }
	for name, twice := range map[string]fields{
		"host": two("host", "a.test", "b.test"), "the same host": two("host", "semlb.test", "semlb.test"), "authority": {{":authority", "b.test"}},
		"bearer": two("authorization", "Bearer a", "Bearer b"), "the same bearer": two("authorization", "Bearer a", "Bearer a"), "basic": two("authorization", "Basic YTpi", "Basic YTpi"),
		"apikey": two("apikey", "a", "b"), "api-key": two("api-key", "a", "b"), "x-api-key": two("x-api-key", "a", "a"), "proxy-authorization": two("proxy-authorization", "Basic a", "Basic b"),
		"length": {{"content-length", "3"}}, "the same length": {{"content-length", fmt.Sprint(len(chat(cooking)))}}, "length and chunks": {{"transfer-encoding", "chunked"}},
		"two codings": {{"transfer-encoding", "chunked"}, {"transfer-encoding", "identity"}}, "content type": {{"content-type", "text/plain"}},
	} {
		for protocol, send := range w.rawClients() {
			if protocol == "HTTP/2" && (strings.HasSuffix(name, "host") || name == "the same length") {
				continue // Envoy reads the authority only, and 1.36 takes equal lengths for one
			}
			got := send(append(request("POST", harness.ChatPath, chat(cooking)), twice...), chat(cooking))
			require.True(w.t, got.Status == http.StatusBadRequest || got.Status == 0, "%s %s: %d %s", protocol, name, got.Status, got.Body)
			refused++
		}
	}
	w.requireNothingSent()
	for _, list := range []fields{two("cookie", "a=1", "b=2"), two("accept", "application/json", "text/event-stream"), two("x-mine", "a", "b")} {
		for protocol, send := range w.rawClients() {
			got := send(append(request("POST", harness.ChatPath, chat(cooking)), list...), chat(cooking))
			require.Equal(w.t, http.StatusOK, got.Status, "%s %s", protocol, got.Body)
			served++
		}
	}
	return refused, served
}

// badStreams sends requests with a bad head over a connection on which a good one waits for
// its answer, and others come after.
func (w *world) badStreams() int {
	w.t.Helper()
	bad := []fields{
		{{"x-bad", "a\x00b"}},
		{{"x-bad", "a\nb"}},
		{{"x-bad", "a\rb"}},
		{{"X-Upper", "a"}},
		{{"x bad", "a"}},
		{{"x-b\x01d", "a"}},
		{{"", "a"}},
		{{"connection", "x"}},
		{{"keep-alive", "x"}},
		{{"upgrade", "x"}},
		{{"proxy-connection", "x"}},
		{{"transfer-encoding", "chunked"}},
		{{"te", "gzip"}},
		{{":foo", "x"}},
		{{":path", "/x"}},
		{{":method", "GET"}},
		{{":scheme", "ftp"}},
		{{":status", "200"}},
		{{"content-length", "x"}},
		{{"content-length", "3"}},
	}
	c := w.dialH2()
	for _, extra := range bad {
		w.reset()
		release := make(chan struct{})
		w.cook1.Do(func(x *harness.Exchange) {
			<-release
			harness.OK()(x)
		})
		waiting := c.send(request("POST", harness.ChatPath, chat(cooking)), chat(cooking))
		w.cook1.Await(w.t, 1)
		got := c.do(append(request("POST", harness.ChatPath, chat(code)), extra...), chat(code))
		require.True(w.t, got.Reset || got.Status == http.StatusBadRequest, "%q: %+v", extra, got)
		close(release)
		require.Equal(w.t, http.StatusOK, c.await(waiting).Status, "%q: the request before it", extra)
		require.Equal(w.t, http.StatusOK, c.do(request("POST", harness.ChatPath, chat(cooking)), chat(cooking)).Status, "%q: the one after it", extra)
		require.Empty(w.t, w.code.Requests(), "%q", extra)
	}
	return len(bad)
}
