package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// heldEmbedder is an embeddings endpoint that answers once it is released.
func heldEmbedder(t *testing.T) (url string, asked <-chan struct{}, release func()) {
	t.Helper()
	arrived, held := make(chan struct{}, 10), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-held
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1,0]}]}`)
	}))
	t.Cleanup(s.Close)
	return s.URL, arrived, func() { close(held) }
}

func semanticConfig(embedder string) string {
	return fmt.Sprintf(`_format_version: "3.0"
plugins:
- name: ai-proxy-advanced
  config:
    balancer: {algorithm: semantic}
    embeddings: {model: {provider: openai, name: e, options: {upstream_url: "%s/v1/embeddings"}}}
    vectordb: {strategy: redis, distance_metric: cosine, dimensions: 2}
    targets:
    - {description: Anything, route_type: llm/v1/chat, model: {provider: openai, name: m, options: {upstream_url: "http://127.0.0.1:9"}}}
`, embedder)
}

// What /readyz and gRPC health say from the start to the end, where no Envoy is
// waited for.
func TestReadyOnceDescriptionsAreEmbeddedAndUntilTheDrain(t *testing.T) {
	url, asked, release := heldEmbedder(t)
	f := startFixture(t, semanticConfig(url), func(string) {})
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.untilDone()
	}()
	<-asked
	require.Equal(t, http.StatusServiceUnavailable, f.readyz())
	time.Sleep(3 * readyEvery)
	require.Equal(t, http.StatusServiceUnavailable, f.readyz(), "the descriptions are not embedded")
	release()
	f.awaitReadyz(http.StatusOK)
	require.Equal(t, 1, strings.Count(f.log.String(), "msg=ready"))

	f.supervisor.cancel(nil) // the process is asked to stop
	<-done
	require.Equal(t, http.StatusServiceUnavailable, f.readyz(), "it drains, and is still there to say so")
	time.Sleep(3 * readyEvery)
	require.Equal(t, http.StatusServiceUnavailable, f.readyz())
}

// A file that changes after it was read, and before everything else is up.
func TestAChangeDuringTheStartIsApplied(t *testing.T) {
	f := startFixture(t, plain, func(file string) {
		changed := file + ".new"
		require.NoError(t, os.WriteFile(changed, []byte(strings.ReplaceAll(plain, "name: m,", "name: another,")), 0o600))
		require.NoError(t, os.Rename(changed, file))
	})
	require.Eventually(t, func() bool { return strings.Contains(f.log.String(), "msg=reloaded") }, waitLimit, waitStep)
}
