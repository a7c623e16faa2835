package foreign_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/process"
)

// The listeners of the foreign Envoy: the page's own, which trusts no source; those that
// trust its own filter; and the first one without what drops clients' headers.
const (
	plain    = "plain"
	headers  = "headers"
	metadata = "metadata"
	lax      = "lax"
)

// world is a foreign Envoy with semlb beside it, and targets behind.
type world struct {
	t       *testing.T
	ports   map[string]string // of the listeners
	failing *harness.Stub     // refuses every request
	well    *harness.Stub
	client  *http.Client
}

// kong is a configuration with an instance for each scope, whose model is called like
// it. Its heavier target is behind "failing", its lighter one behind "well".
func kong(scopes ...string) string {
	text := "_format_version: \"3.0\"\nplugins:\n"
	for _, scope := range scopes {
		text += fmt.Sprintf(`- {name: ai-proxy-advanced, %s, config: {balancer: {algorithm: priority, failover_criteria: [error, http_429, non_idempotent]}, targets: [
    {route_type: llm/v1/chat, weight: 75, model: {provider: openai, name: broken, options: {upstream_url: "http://failing"}}},
    {route_type: llm/v1/chat, weight: 25, model: {provider: openai, name: %q, options: {upstream_url: "http://well"}}}]}}
`, scope, scope)
	}
	return text
}

// newWorld starts semlb, and the Envoy of the page with all listeners.
func newWorld(t *testing.T, scopes ...string) *world {
	t.Helper()
	return newWorldOf(t, kong(scopes...))
}

// newWorldOf is newWorld with a configuration whose targets are behind "failing" and
// "well".
func newWorldOf(t *testing.T, config string) *world {
	t.Helper()
	w := &world{
		t: t, ports: map[string]string{}, client: harness.NewClient(t, harness.HTTP1),
		failing: harness.NewStub(t, "failing"), well: harness.NewStub(t, "well"),
	}
	w.failing.Do(harness.Status(http.StatusTooManyRequests))
	text := strings.NewReplacer("http://failing", w.failing.URL, "http://well", w.well.URL).Replace(config)
	file, dir := harness.WriteConfig(t, text), harness.SocketDir(t)
	flags := []string{"-c", file, "--grpc-socket", dir + "/grpc", "--hop-socket", dir + "/hop"}
	status := harness.FreeAddress(t)
	process.Start(t, harness.Build(t), append([]string{
		"serve", "--status", status, "--admin", "off", "--drain", "0s", "--hop", harness.Hop(),
	}, flags...)...)
	harness.AwaitReady(t, "http://"+status)

	var listeners []any
	for _, name := range []string{plain, headers, metadata, lax} {
		listeners = append(listeners, w.listener(name))
	}
	text, err := asJSON(object{"static_resources": object{"listeners": listeners}})
	require.NoError(t, err)
	harness.RunEnvoy(t, hopOnly(t, printStatic(t, flags...)), "--config-yaml", text)
	for _, port := range w.ports {
		harness.AwaitListener(t, "http://127.0.0.1:"+port)
	}
	return w
}

// in is the world of a subtest.
func (w *world) in(t *testing.T) *world {
	c := *w
	c.t = t
	return &c
}

func asJSON(o object) (string, error) {
	text, err := json.Marshal(o)
	return string(text), err
}

// listener is the page's listener, with what the page adds to it for that name.
func (w *world) listener(name string) object {
	w.t.Helper()
	l := listener(w.t, read(w.t, documented(w.t, "listener.yaml")), "mine")
	_, w.ports[name], _ = strings.Cut(harness.FreeAddress(w.t), ":")
	port, err := strconv.Atoi(w.ports[name])
	require.NoError(w.t, err)
	l["name"] = name
	l["address"].(object)["socket_address"].(object)["port_value"] = port
	m := manager(l)
	p, place := processor(w.t, m)
	switch name {
	case headers, metadata:
		m["http_filters"] = slices.Insert(m["http_filters"].([]any), place, any(read(w.t, documented(w.t, "a filter before ext_proc, for "+name))))
		overlay(p, read(w.t, documented(w.t, "of the ext_proc filter, for "+name)))
	case lax:
		delete(m, "internal_address_config") // the test is an internal client by its address
		delete(m["route_config"].(object), "internal_only_headers")
	}
	return l
}

// overlay sets fields of an object; those that are objects on both sides are combined.
func overlay(o, fields object) {
	for name, value := range fields {
		under, isObject := o[name].(object)
		if over, ok := value.(object); ok && isObject {
			overlay(under, over)
			continue
		}
		o[name] = value
	}
}

// ask sends a request to a listener. The first segment of where is a host, or empty; the
// path that follows may have a query.
func (w *world) ask(listener, where string, sent http.Header) harness.Answer {
	w.t.Helper()
	host, path, _ := strings.Cut(where, "/")
	path, query, found := strings.Cut(path, "?")
	url := "http://127.0.0.1:" + w.ports[listener] + "/" + path + harness.ChatPath
	if found {
		url += "?" + query
	}
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, url, strings.NewReader(harness.Chat("hello", `"model":"any"`)))
	require.NoError(w.t, err)
	r.Host = host
	r.Header = sent.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := harness.Send(w.client, r)
	require.NoError(w.t, err)
	return answer
}

// requireServed checks that the instance of a scope served: its heavier target was
// tried, its lighter one answered, and neither saw anything that is not its business.
func (w *world) requireServed(scope string, answer harness.Answer) {
	w.t.Helper()
	require.Equal(w.t, http.StatusOK, answer.Status, answer.Body)
	require.Equal(w.t, "openai/"+scope, answer.Header.Get("X-Kong-Llm-Model"))
	for _, stub := range []*harness.Stub{w.failing, w.well} {
		got := stub.Only(w.t)
		require.Equal(w.t, harness.ChatPath, got.URI)
		require.Equal(w.t, stub.Authority, got.Host)
		for name := range got.Header {
			lower := strings.ToLower(name)
			require.False(w.t, strings.HasPrefix(lower, "x-semlb-") || strings.HasPrefix(lower, "x-consumer-") ||
				lower == "apikey" || lower == "authorization", "%s reached %s", name, stub.Name)
		}
	}
	require.Contains(w.t, string(w.failing.Only(w.t).Body), `"model":"broken"`)
	require.Contains(w.t, string(w.well.Only(w.t).Body), fmt.Sprintf(`"model":%q`, scope))
	w.forget()
}

// requireRefused checks that no instance served.
func (w *world) requireRefused(status int, code string, answer harness.Answer) {
	w.t.Helper()
	require.Equal(w.t, status, answer.Status, answer.Body)
	require.Equal(w.t, code, answer.OpenAIError(w.t).Code)
	require.Empty(w.t, w.failing.Requests())
	require.Empty(w.t, w.well.Requests())
}

// forget lets the targets forget what they got.
func (w *world) forget() {
	w.failing.Reset()
	w.well.Reset()
	w.failing.Do(harness.Status(http.StatusTooManyRequests))
}
