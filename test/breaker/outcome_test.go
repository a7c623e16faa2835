package breaker_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/ca"
	"semlb/test/harness"
)

// Every way an attempt can end, and what semlb makes of Envoy's words for it.
func TestOutcomes(t *testing.T) {
	w := start(t, nil, "--max-retry-after", "0")
	for _, tt := range []struct {
		name string
		do   harness.Behaviour
		want []string
	}{
		{"answer", harness.OK(), []string{"result=answered", "status=200"}},
		{"stream", harness.SSE(3, 5*time.Millisecond), []string{"result=answered", "status=200"}},
		{"429", harness.Status(429), []string{"result=answered", "status=429"}},
		{"503 of the provider", harness.Status(503), []string{"result=answered", "status=503"}},
		{"400", harness.Status(400), []string{"result=answered", "status=400"}},
		{"reset", harness.Reset(), []string{"result=error", "flags=UC"}},
		{"reset before the body was read", harness.ResetEarly(), []string{"result=error", "flags=UC"}},
		{"closed", harness.Close(), []string{"result=error", "flags=UC"}},
		// Over HTTP/1 Envoy cannot tell these from a connection that ends inside the head.
		{"garbage", harness.Garbage(), []string{"result=error", "flags=UPE"}},
		{"malformed header", harness.BadHeader(), []string{"result=error", "flags=UPE"}},
		{"inside the head", harness.Raw("HTTP/1.1 200 OK\r\nContent-Ty"), []string{"result=error", "flags=UPE"}},
		{"status 099", harness.Raw("HTTP/1.1 099 Low\r\nContent-Length: 2\r\n\r\n{}"), []string{"result=invalid_header", "flags=UPE"}},
		{"no answer", harness.Hang(), []string{"result=timeout", "flags=UT"}},
		{"broken stream", harness.SSECut(2), []string{"result=answered", "status=200", "flags=U"}},
		{"stalled stream", harness.SSEStall(2), []string{"result=timeout", "flags=UT"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.a.Do(tt.do)
			from := len(w.Log())
			_, answer := w.ask()
			line := w.lines(from, 1, "msg=attempt", "openai/model-a")[0]
			for _, text := range append(tt.want, "attempt=1") {
				require.Contains(t, line, text)
			}
			request := w.lines(from, 1, "msg=request")[0]
			require.Contains(t, request, "{Provider:openai Model:model-a RouteType:llm/v1/chat Scheme:http Host:127.0.0.1")
			require.Equal(t, answer.Header.Get("X-Stub") == "b", strings.Contains(request, "Model:model-b"))
		})
	}
	require.Equal(t, 2.0, w.Metric("semlb_attempts_total", "provider", "openai", "model", "model-a", "result", "answered", "status", "4xx"))
	require.Equal(t, 2.0, w.Metric("semlb_attempts_total", "provider", "openai", "model", "model-a", "result", "timeout", "status", "none"))
}

func TestOutcomesWithoutAConnection(t *testing.T) {
	b := harness.NewStub(t, "b")
	foreign := harness.NewTLSStub(t, "foreign", ca.New(t))
	for _, tt := range []struct {
		name, url string
		want      []string
	}{
		{"refused", harness.RefusedURL(t), []string{"result=error", "flags=UF", "transport=refused"}},
		{"never completed", harness.SilentURL(t), []string{"result=timeout", "flags=UF", "transport=timeout"}},
		{"an untrusted certificate", foreign.URL, []string{"result=error", "flags=UF", "transport=tls"}},
		{"a name that does not resolve", "http://nowhere.invalid", []string{"result=error", "flags=UH"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := plugin(b, b, nil)
			p.Targets[0].URL = tt.url
			s := harness.Start(t, harness.Options{Config: harness.Config(p), Flags: []string{"--trusted-ca", ca.New(t).File}})
			w := &world{Semlb: s, t: t}
			answer := s.Post(harness.NewClient(t, harness.HTTP1), harness.Chat("hello"))
			require.Equal(t, 200, answer.Status)
			line := w.lines(0, 1, "msg=attempt", "openai/model-a")[0]
			for _, text := range tt.want {
				require.Contains(t, line, text)
			}
		})
	}
}

func TestAClientThatDisconnectsIsNoOutcomeOfTheTarget(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 1})
	w.a.Do(harness.Hang())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	r := w.Request(ctx, harness.ChatPath, strings.NewReader(harness.Chat("hello")))
	go func() { _, err := harness.Send(w.client, r); done <- err }()
	w.a.Await(t, 1)
	cancel()
	require.Error(t, <-done)
	w.lines(0, 1, "msg=attempt", "result=abandoned")
	w.lines(0, 1, "msg=request", "client_gone=true")
	w.a.Reset()
	by, _ := w.ask()
	require.Equal(t, "a", by)
}

// No key, of the configuration or of the client, in a header or a query, gets into
// logs or metrics, whatever the outcome of the attempt.
func TestKeysAreNeitherLoggedNorCounted(t *testing.T) {
	const marker = "MARKER7f3a"
	a, b := harness.NewStub(t, "a"), harness.NewStub(t, "b")
	p := plugin(a, b, map[string]any{"max_fails": 1})
	p.Targets[0].Authorization = "Bearer " + marker + "-header"
	p.Targets[1].Authorization = ""
	p.Targets[1].Auth = map[string]any{"param_name": "key", "param_value": marker + "-query", "param_location": "query"}
	w := &world{t: t, a: a, b: b, client: harness.NewClient(t, harness.HTTP1)}
	w.Semlb = harness.Start(t, harness.Options{Config: harness.Config(p), Flags: []string{"--log-format", "json"}})
	for _, do := range []harness.Behaviour{harness.Status(503), harness.Reset(), harness.OK()} {
		a.Do(do)
		r := w.Request(t.Context(), harness.ChatPath+"?api_key="+marker+"-client", strings.NewReader(harness.Chat(marker+"-prompt")),
			http.Header{"Authorization": {"Bearer " + marker + "-own"}, "X-Api-Key": {marker + "-own"}})
		w.Do(w.client, r)
		w.ask()
	}
	require.Contains(t, b.Requests()[0].URI, marker+"-query", "the key does go to its target")
	lines := w.lines(0, 6, `"msg":"request"`)
	require.NotContains(t, w.Log(), marker)
	metrics := w.Page("/metrics").Body
	require.Contains(t, metrics, "semlb_attempts_total")
	require.NotContains(t, metrics, marker)

	var line struct {
		AI struct {
			Proxy struct {
				Tried []struct {
					Provider, Model, Host string
					RouteType             string `json:"route_type"`
					Scheme                string `json:"upstream_scheme"`
					Port                  int
				} `json:"tried_targets"`
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &line))
	tried := line.AI.Proxy.Tried
	require.Len(t, tried, 2)
	require.Equal(t, "model-b", tried[1].Model)
	require.Equal(t, "llm/v1/chat", tried[1].RouteType)
	require.NotZero(t, tried[1].Port)
}

func TestStateSurvivesAReload(t *testing.T) {
	a, b := harness.NewStub(t, "a"), harness.NewStub(t, "b")
	p := plugin(a, b, map[string]any{"max_fails": 1, "fail_timeout": 60_000})
	file := filepath.Join(t.TempDir(), "plugin.yaml")
	require.NoError(t, os.WriteFile(file, []byte(harness.Config(p)), 0o600))
	w := &world{t: t, a: a, b: b, client: harness.NewClient(t, harness.HTTP1)}
	w.Semlb = harness.Start(t, harness.Options{Config: "_format_version: \"3.0\"\n", Flags: []string{"-c", file}})
	w.trip(1)
	w.a.Reset()

	reload := func() {
		from := len(w.Log())
		require.NoError(t, os.WriteFile(file, []byte(harness.Config(p)), 0o600))
		w.lines(from, 1, "msg=reloaded")
	}
	p.Balancer["retries"] = 1
	p.Targets[1].Model = "model-c"
	reload()
	by, answer := w.ask()
	require.Equal(t, "b", by)
	require.Equal(t, "openai/model-c", answer.Header.Get("X-Kong-Llm-Model"))
	require.Zero(t, asked(a), "a did not change, so its circuit breaker is still open")

	p.Targets[0].Model = "model-d"
	reload()
	by, _ = w.ask()
	require.Equal(t, "a", by, "a is another target now")
}
