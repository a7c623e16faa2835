package faults_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestFault18StreamsOutliveTheirCluster takes a cluster from Envoy while a stream
// uses it. A semlb that is started again knows nothing of replaced configurations, so
// Envoy loses it at once, and not only when it has been retired for long enough.
func TestFault18StreamsOutliveTheirCluster(t *testing.T) {
	r := begin(t, "the cluster of a stream and the cluster of an answer that has not begun are removed")
	d := deploy(t, options{})
	release := make(chan struct{})
	d.code.Do(func(x *harness.Exchange) {
		if !strings.Contains(string(x.Body()), `"stream":true`) {
			after(release, harness.OK())(x)
			return
		}
		x.Writer.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(x.Writer, "data: {}\n\n")
		_ = http.NewResponseController(x.Writer).Flush() // the test sees what does not arrive
		after(release, func(x *harness.Exchange) { _, _ = io.WriteString(x.Writer, "data: [DONE]\n\n") })(x)
	})
	streamed, answered := make(chan string, 1), make(chan harness.Answer, 1)
	response, err := d.client.Do(d.request(t.Context(), strings.NewReader(harness.Chat(code, `"stream":true`))))
	require.NoError(t, err)
	go func() {
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		streamed <- fmt.Sprint(string(text), err)
	}()
	slow := d.request(t.Context(), strings.NewReader(chat(code)))
	go func() {
		answer, err := harness.Send(d.client, slow)
		if err != nil {
			answer.Body = err.Error()
		}
		answered <- answer
	}()
	d.code.Await(t, 2)
	_, port, _ := strings.Cut(d.code.Authority, ":")
	require.Equal(t, 2, d.envoyStat("cluster.http_.*_"+port+"_.*upstream_rq_active"))

	other := harness.NewStub(t, codeModel)
	d.serve.Kill()
	mount(t, d.file).swap(strings.ReplaceAll(d.configuration(options{}), d.code.URL, other.URL))
	d.startServe()
	require.Eventually(t, func() bool { return d.envoyStat("cluster_manager.cluster_removed") > 0 }, waitLimit, waitStep)
	require.Empty(t, streamed, "the stream is still open")
	d.code = other
	d.awaitGood()
	close(release)
	answer := <-answered
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	require.Equal(t, "data: {}\n\ndata: [DONE]\n\n<nil>", <-streamed)
	r.saw("stream whole, answer 200, new requests at the new endpoint")
}
