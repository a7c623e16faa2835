package logs

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"semlb/record"
)

var at = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func request() record.Request { return record.Request{ID: "r", Instance: "i", Time: at} }

// line is what an event is logged as, without its time; "" for nothing.
func line(t *testing.T, level slog.Level, e record.Event) string {
	t.Helper()
	var text bytes.Buffer
	New(slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: level}))).Consume(e)
	if text.Len() == 0 {
		return ""
	}
	var fields map[string]any
	require.NoError(t, json.Unmarshal(text.Bytes(), &fields), "each key once")
	require.Equal(t, at.Format(time.RFC3339), fields["time"], "a line has the time of its event")
	_, rest, found := bytes.Cut(text.Bytes(), []byte(`Z",`))
	require.True(t, found)
	return "{" + string(bytes.TrimSpace(rest))
}

// The lines are what alerts and dashboards match: they change only with a line in
// CHANGELOG.md.
func TestLines(t *testing.T) {
	threshold := 0.7
	for name, tt := range map[string]struct {
		event record.Event
		want  string
	}{
		"decided": {
			&record.Decided{
				Request: request(), Reason: "matched", Targets: []string{"a1"}, Models: []string{"openai/m"}, Threshold: &threshold,
				Candidates: []record.Candidate{{Description: "d", Distance: 0.123456}, {Description: "e", Distance: 0.5}},
			},
			`{"level":"INFO","msg":"routed","request_id":"r","instance":"i","models":["openai/m"],"plan":{"reason":"matched","targets":["a1"],"distance":0.1235,"threshold":0.7}}`,
		},
		"decided, impaired": {
			&record.Decided{
				Request: request(), Reason: "all_out", Impaired: true, Unavailable: []string{"a1"}, Unfit: []string{"c3"}, Probes: "b2=ff",
				Models: []string{}, Err: errors.New("embed prompt: down"),
			},
			`{"level":"WARN","msg":"routed","request_id":"r","instance":"i","models":[],"plan":{"reason":"all_out","targets":null,"out":["a1"],"unfit":["c3"],"probes":"b2=ff","error":"embed prompt: down"}}`,
		},
		"answered as configured": {&record.Answered{Request: request(), Code: "no_plugin", Status: 404}, ""},
		"refused": {
			&record.Answered{Request: request(), Code: "invalid_json", Status: 400, Cause: record.ByClient},
			`{"level":"INFO","msg":"refused","request_id":"r","code":"invalid_json","status":400}`,
		},
		"shed": {
			&record.Answered{Request: request(), Code: "overloaded", Status: 503, Cause: record.ByLoad},
			`{"level":"WARN","msg":"refused","request_id":"r","code":"overloaded","status":503}`,
		},
		"failed": {
			&record.Answered{Request: request(), Code: "rewrite_failed", Status: 500, Cause: record.ByFault, Doing: "rewrite", Err: errors.New("no host")},
			`{"level":"ERROR","msg":"rewrite","request_id":"r","error":"no host"}`,
		},
		"attempted": {
			&record.Attempted{
				Request: request(), Target: record.Target{ID: "a1", Name: "openai/m"}, Number: 2, Result: "answered", Status: 429, Cluster: "c", Flags: "UF,URX",
				Transport: "refused", RetryAfter: time.Second, Probe: true, Head: time.Millisecond, Duration: 2 * time.Millisecond,
			},
			`{"level":"DEBUG","msg":"attempt","request_id":"r","instance":"i","target":"a1","model":"openai/m","attempt":2,"result":"answered","cluster":"c","status":429,` +
				`"flags":"UF,URX","transport":"refused","retry_after":1000000000,"probe":true,"head":1000000,"duration":2000000}`,
		},
		"observed": {
			&record.Observed{
				Request: request(), Target: record.Target{Provider: "openai", Model: "m"}, Stream: true, Latency: 80 * time.Millisecond, FirstByte: 20 * time.Millisecond,
				Usage:   &record.Usage{Model: "m-1", Prompt: 3, Completion: 4, Total: 7, Cost: 0.5, Priced: true},
				Payload: &record.Payload{Request: "q", Response: "a", Cut: true},
			},
			`{"level":"INFO","msg":"answer","request_id":"r","ai":{"proxy":{"meta":{"plugin_id":"i","provider_name":"openai","request_model":"m","response_model":"m-1","llm_latency":80,"request_mode":"stream"},` +
				`"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"estimated":false,"cost":0.5,"time_per_token":20,"time_to_first_token":20},` +
				`"payload":{"request":"q","response":"a","cut":true}}}}`,
		},
		"finished": {
			&record.Finished{
				Request: request(), Status: 200, Tries: 1, Duration: time.Millisecond, Upstream: 3 * time.Millisecond, ClientGone: true, Cut: true,
				Attempts: []record.Attempt{{Provider: "openai", Model: "m", RouteType: "llm/v1/chat", Scheme: "https", Host: "h", Port: 443}},
				Last:     &record.Target{Provider: "openai", Model: "m"},
			},
			`{"level":"INFO","msg":"request","request_id":"r","status":200,"attempts":1,"duration":1000000,"client_gone":true,"cut":true,"ai":{"proxy":{` +
				`"meta":{"plugin_id":"i","provider_name":"openai","response_model":"m","llm_latency":3,"request_mode":"oneshot"},` +
				`"tried_targets":[{"provider":"openai","model":"m","route_type":"llm/v1/chat","upstream_scheme":"https","host":"h","port":443}]}}}`,
		},
		"answered by envoy": {
			&record.Finished{Request: record.Request{ID: "r", Time: at}, Status: 503, EnvoyCode: "router_unavailable", Duration: time.Millisecond},
			`{"level":"WARN","msg":"request answered by envoy","request_id":"r","status":503,"code":"router_unavailable","duration":1000000}`,
		},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, line(t, slog.LevelDebug, tt.event)) })
	}
}

func TestLevelsThatAreOffCostNothing(t *testing.T) {
	l := New(slog.New(slog.NewJSONHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: slog.LevelInfo})))
	require.False(t, l.Wants(record.KindAttempted))
	require.True(t, l.Wants(record.KindDecided))
	require.Empty(t, line(t, slog.LevelWarn, &record.Decided{Request: request()}))
	require.False(t, New(slog.New(slog.DiscardHandler)).Wants(record.KindAnswered))
}
