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

// heldEmbedder is an embeddings endpoint that responds once it is released.
func heldEmbedder(t *testing.T) (url string, called <-chan struct{}, release func()) {
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

// Without a child, no Envoy is required.
func TestReadyOnceDescriptionsAreEmbeddedAndUntilTheDrain(t *testing.T) {
	url, called, release := heldEmbedder(t)
	f := startFixture(t, semanticConfig(url))
	<-called
	require.Equal(t, http.StatusServiceUnavailable, f.readyz())
	time.Sleep(3 * readyPoll)
	require.Equal(t, http.StatusServiceUnavailable, f.readyz(), "the descriptions are not embedded")
	release()
	f.awaitReadyz(http.StatusOK)
	require.Equal(t, 1, strings.Count(f.log.String(), "msg=ready"))

	f.options.Drain = 5 * time.Second // far above what a loaded machine is late; it is read when the program stops
	stopped := make(chan error, 1)
	go func() { stopped <- f.stop() }()
	require.Eventually(t, func() bool { return strings.Contains(f.log.String(), `msg="no longer ready"`) }, waitLimit, waitStep)
	require.Equal(t, http.StatusServiceUnavailable, f.readyz(), "it still serves while it drains")
	time.Sleep(readyPoll)
	require.Equal(t, http.StatusServiceUnavailable, f.readyz())
	require.NoError(t, <-stopped)
	require.Equal(t, 1, strings.Count(f.log.String(), "msg=ready"))
}

// change replaces a configuration file.
func change(t *testing.T, file string) {
	t.Helper()
	changed := file + ".new"
	require.NoError(t, os.WriteFile(changed, []byte(strings.ReplaceAll(plain, "name: m,", "name: another,")), 0o600))
	require.NoError(t, os.Rename(changed, file))
}

func TestAChangedFileIsReloaded(t *testing.T) {
	for name, start := range map[string]func() *fixture{
		"while the program runs": func() *fixture {
			f := startFixture(t, plain)
			change(t, f.file)
			return f
		},
		"after it was loaded and before anything runs": func() *fixture {
			return startFixture(t, plain, func(file string) { change(t, file) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := start()
			require.Eventually(t, func() bool { return strings.Contains(f.log.String(), "msg=reloaded") }, waitLimit, waitStep)
		})
	}
}

func TestAPanicWhileLoadingKeepsWhatIsInForce(t *testing.T) {
	f := startFixture(t, plain)
	f.awaitReadyz(http.StatusOK)
	broken := strings.Replace(plain, "- {route_type", "- {auth: {header_name: A, header_value: $PANIC}, route_type", 1)
	require.NoError(t, os.WriteFile(f.file, []byte(broken), 0o600))
	require.Eventually(t, func() bool { return strings.Contains(f.log.String(), "reload refused") }, waitLimit, waitStep)
	require.Contains(t, f.log.String(), "internal error, reference ")
	require.Contains(t, f.log.String(), "resolve.go", "the log has the stack")
	require.NotContains(t, f.log.String(), "a bug that quotes")
	f.awaitReadyz(http.StatusOK)
	change(t, f.file)
	require.Eventually(t, func() bool { return strings.Contains(f.log.String(), "msg=reloaded") }, waitLimit, waitStep)
}

func TestStatusListsInstancesThatNoRequestReaches(t *testing.T) {
	body := func(config string) string {
		answer := httptest.NewRecorder()
		startFixture(t, config).status.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/status", http.NoBody))
		return answer.Body.String()
	}
	require.NotContains(t, body(plain), "unreached")
	require.Regexp(t, `"unreached":\[".*: no request reaches it: its route is not defined in the files"\]`, body(strings.Replace(plain, "name: ai-proxy-advanced", "name: ai-proxy-advanced\n  route: nowhere", 1)))
}
