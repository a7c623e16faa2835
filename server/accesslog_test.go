package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	dataaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"semlb/envoy"
	"semlb/provider"
	"semlb/provider/providertest"
	"semlb/router"
)

// learned is a router that keeps the outcomes it receives.
type learned struct {
	outcomes []router.Outcome
	released []router.Probe
	panics   bool
}

func (l *learned) Route(context.Context, router.Request) router.Plan { return router.Plan{} }
func (l *learned) Degrade(router.Request, error) router.Plan         { return router.Plan{} }
func (l *learned) ReleaseProbe(p router.Probe)                       { l.released = append(l.released, p) }

func (l *learned) Report(o router.Outcome) {
	if l.panics {
		panic("a fault")
	}
	l.outcomes = append(l.outcomes, o)
}

// listener is an AccessLogService that is reached over gRPC.
type listener struct {
	t       *testing.T
	router  *learned
	metrics *prometheus.Registry
	client  accesslogv3.AccessLogServiceClient
	log     *bytes.Buffer
}

func targetOf(t *testing.T, id string) *Target {
	t.Helper()
	return &Target{
		Target:   providertest.NewTarget(t, provider.Settings{ID: id, Provider: "openai", Model: "model-" + id}),
		Identity: id, Provider: "openai", Model: "model-" + id, RouteType: "llm/v1/chat", Statistics: id != "a1",
	}
}

func newListener(t *testing.T) *listener {
	t.Helper()
	l := &listener{t: t, router: &learned{}, metrics: prometheus.NewRegistry(), log: new(bytes.Buffer)}
	instance := func(id string, targets ...string) *Instance {
		i := &Instance{ID: id, Router: l.router, Targets: make(map[string]*Target)}
		for _, target := range targets {
			i.Targets[target] = targetOf(t, target)
		}
		return i
	}
	snapshot := &Snapshot{Instances: map[string]*Instance{"i": instance("i", "a1", "b2"), "next": instance("next", "z8", "z9")}}
	log := slog.New(slog.NewJSONHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	service := NewAccessLogService(options(t, func() *Snapshot { return snapshot }, log, l.metrics))

	s := grpc.NewServer()
	service.Register(s)
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve(socket) }()
	conn, err := grpc.NewClient(socket.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		s.Stop()
		require.NoError(t, <-served)
	})
	l.client = accesslogv3.NewAccessLogServiceClient(conn)
	return l
}

// send sends entries as one stream and returns when they were handled.
func (l *listener) send(log string, entries ...*dataaccesslogv3.HTTPAccessLogEntry) {
	l.t.Helper()
	stream, err := l.client.StreamAccessLogs(l.t.Context())
	require.NoError(l.t, err)
	message := func(entries ...*dataaccesslogv3.HTTPAccessLogEntry) *accesslogv3.StreamAccessLogsMessage {
		return &accesslogv3.StreamAccessLogsMessage{LogEntries: &accesslogv3.StreamAccessLogsMessage_HttpLogs{
			HttpLogs: &accesslogv3.StreamAccessLogsMessage_HTTPAccessLogEntries{LogEntry: entries},
		}}
	}
	for i, e := range entries {
		m := message(e)
		if i == 0 { // as Envoy does
			m.Identifier = &accesslogv3.StreamAccessLogsMessage_Identifier{Node: &corev3.Node{}, LogName: log}
		}
		require.NoError(l.t, stream.Send(m))
	}
	_, err = stream.CloseAndRecv()
	if !errors.Is(err, io.EOF) {
		require.NoError(l.t, err)
	}
}

// count is the sum of a counter's series whose label values are these, in the order
// of the labels' names.
func (l *listener) count(name string, values ...string) float64 {
	l.t.Helper()
	families, err := l.metrics.Gather()
	require.NoError(l.t, err)
	sum := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var have []string
			for _, pair := range m.GetLabel() {
				have = append(have, pair.GetValue())
			}
			if f.GetName() == name && slices.Equal(have, values) {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func (l *listener) ignored(log string) float64 { return l.count("semlb_access_log_ignored_total", log) }

// attempt is an entry of an answered attempt; change makes another one of it.
func attempt(change func(*dataaccesslogv3.HTTPAccessLogEntry, map[string]string)) *dataaccesslogv3.HTTPAccessLogEntry {
	e := &dataaccesslogv3.HTTPAccessLogEntry{
		CommonProperties: &dataaccesslogv3.AccessLogCommon{
			TimeToFirstUpstreamRxByte: durationpb.New(20 * time.Millisecond),
			Duration:                  durationpb.New(time.Second),
			AccessLogType:             dataaccesslogv3.AccessLogType_DownstreamEnd,
			ResponseFlags:             &dataaccesslogv3.ResponseFlags{},
			UpstreamCluster:           "cluster-a1",
		},
		Request:  &dataaccesslogv3.HTTPRequestProperties{RequestId: "r", Path: "/v1/chat/completions?key=SECRET"},
		Response: &dataaccesslogv3.HTTPResponseProperties{ResponseCode: wrapperspb.UInt32(200), ResponseCodeDetails: "via_upstream"},
	}
	said := map[string]string{"instance": "i", "plan": "a1,b2", "attempt": "1"}
	if change != nil {
		change(e, said)
	}
	fields := make(map[string]*structpb.Value)
	for k, v := range said {
		fields[k] = structpb.NewStringValue(v)
	}
	e.CommonProperties.Metadata = &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{"semlb": {Fields: fields}}}
	return e
}

// A timeout in the middle of an answer is the target's only if the client cannot have kept
// Envoy from reading.
func TestTimeoutsOfAnswersThatAreHeldBackDoNotCount(t *testing.T) {
	l := newListener(t)
	timeout := func(sent uint64, begun bool) *dataaccesslogv3.HTTPAccessLogEntry {
		return attempt(func(e *dataaccesslogv3.HTTPAccessLogEntry, _ map[string]string) {
			e.CommonProperties.ResponseFlags.StreamIdleTimeout = true
			e.CommonProperties.DownstreamWireBytesSent = sent
			if !begun {
				e.CommonProperties.TimeToFirstUpstreamRxByte = nil
			}
		})
	}
	l.send(envoy.LogAttempts, timeout(0, false), timeout(envoy.HoldsBack-1, true), timeout(envoy.HoldsBack, true))
	var results []router.Result
	for _, o := range l.router.outcomes {
		results = append(results, o.Result)
	}
	require.Equal(t, []router.Result{router.TimedOut, router.TimedOut, router.Answered}, results)
	require.Equal(t, 1.0, l.count("semlb_attempts_total", "model-a1", "openai", "cut", "2xx", "a1"))
}

func TestAttemptsAreReported(t *testing.T) {
	l := newListener(t)
	l.send(envoy.LogAttempts,
		attempt(nil),
		attempt(func(e *dataaccesslogv3.HTTPAccessLogEntry, said map[string]string) {
			said["attempt"], said["probes"] = "2", "b2=ff"
			e.Response.ResponseCode = wrapperspb.UInt32(429)
			e.Response.ResponseHeaders = map[string]string{"retry-after": "7"}
		}),
		attempt(func(e *dataaccesslogv3.HTTPAccessLogEntry, _ map[string]string) {
			e.CommonProperties.TimeToFirstUpstreamRxByte = nil
			e.CommonProperties.ResponseFlags.UpstreamConnectionFailure = true
			e.CommonProperties.UpstreamTransportFailureReason = "delayed connect error: Connection refused|SECRET"
			e.Response.ResponseCode = wrapperspb.UInt32(503)
		}),
	)
	require.Equal(t, []router.Outcome{
		{Target: "a1", Result: router.Answered, Status: 200, Head: 20 * time.Millisecond, Duration: time.Second},
		{Target: "b2", Result: router.Answered, Status: 429, RetryAfter: 7 * time.Second, Probe: 0xff, Head: 20 * time.Millisecond, Duration: time.Second},
		{Target: "a1", Result: router.Failed, Duration: time.Second},
	}, l.router.outcomes)
	require.Equal(t, 1.0, l.count("semlb_attempts_total", "model-b2", "openai", "answered", "4xx", "b2"))
	require.Equal(t, 1.0, l.count("semlb_attempts_total", "model-a1", "openai", "error", "none", "a1"))
	require.Zero(t, l.ignored(envoy.LogAttempts))
	require.NotContains(t, l.log.String(), "SECRET")
	require.Contains(t, l.log.String(), `"cluster":"cluster-a1","flags":"UF","transport":"refused"`)
}

// An entry that is wrong is counted, and the ones after it are heard.
func TestMalformedEntriesAreIgnored(t *testing.T) {
	for name, bad := range map[string]*dataaccesslogv3.HTTPAccessLogEntry{
		"empty":          {},
		"without a plan": attempt(func(_ *dataaccesslogv3.HTTPAccessLogEntry, said map[string]string) { delete(said, "plan") }),
		"not a number":   attempt(func(_ *dataaccesslogv3.HTTPAccessLogEntry, said map[string]string) { said["attempt"] = "x" }),
		"attempt 0":      attempt(func(_ *dataaccesslogv3.HTTPAccessLogEntry, said map[string]string) { said["attempt"] = "0" }),
		"attempt 3 of 2": attempt(func(_ *dataaccesslogv3.HTTPAccessLogEntry, said map[string]string) { said["attempt"] = "3" }),
		"unknown target": attempt(func(_ *dataaccesslogv3.HTTPAccessLogEntry, said map[string]string) { said["plan"] = "zz" }),
		"other instance": attempt(func(_ *dataaccesslogv3.HTTPAccessLogEntry, said map[string]string) { said["instance"] = "j" }),
		"no such number": attempt(func(_ *dataaccesslogv3.HTTPAccessLogEntry, said map[string]string) { said["attempt"] = "-1" }),
		"no instance":    attempt(func(_ *dataaccesslogv3.HTTPAccessLogEntry, said map[string]string) { delete(said, "instance") }),
		"no attempt":     attempt(func(_ *dataaccesslogv3.HTTPAccessLogEntry, said map[string]string) { delete(said, "attempt") }),
		"very long plans": attempt(func(_ *dataaccesslogv3.HTTPAccessLogEntry, said map[string]string) {
			said["plan"] = strings.Repeat(",", 1<<20)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			l := newListener(t)
			l.send(envoy.LogAttempts, bad, attempt(nil))
			require.Equal(t, 1.0, l.ignored(envoy.LogAttempts))
			require.Len(t, l.router.outcomes, 1)
		})
	}
	t.Run("another log", func(t *testing.T) {
		l := newListener(t)
		l.send("somebody's", attempt(nil))
		require.Equal(t, 1.0, l.ignored("other"))
		require.Empty(t, l.router.outcomes)
	})
	t.Run("more attempts than the plan has", func(t *testing.T) {
		l := newListener(t)
		l.send(envoy.LogRequests, finishedEntry("a1", "", 2))
		require.Equal(t, 1.0, l.ignored(envoy.LogRequests))
	})
}

func TestAPanicEndsNoStream(t *testing.T) {
	l := newListener(t)
	l.router.panics = true
	l.send(envoy.LogAttempts, attempt(nil))
	l.router.panics = false
	l.send(envoy.LogAttempts, attempt(nil))
	require.Len(t, l.router.outcomes, 1)
	require.Equal(t, 1.0, l.count("semlb_panics_total"))
	require.Contains(t, l.log.String(), `"stack":"goroutine`)
	require.NotContains(t, l.log.String(), "a fault")
}

func finishedEntry(plan, probes string, attempts uint32) *dataaccesslogv3.HTTPAccessLogEntry {
	return &dataaccesslogv3.HTTPAccessLogEntry{
		CommonProperties: &dataaccesslogv3.AccessLogCommon{
			UpstreamRequestAttemptCount: attempts, Duration: durationpb.New(time.Second),
			TimeToFirstUpstreamTxByte: durationpb.New(100 * time.Millisecond), TimeToLastUpstreamRxByte: durationpb.New(900 * time.Millisecond),
		},
		Request: &dataaccesslogv3.HTTPRequestProperties{RequestId: "r", RequestHeaders: map[string]string{
			envoy.HeaderInstance: "i", envoy.HeaderPlan: plan, envoy.HeaderProbes: probes,
		}},
		Response: &dataaccesslogv3.HTTPResponseProperties{
			ResponseCode: wrapperspb.UInt32(200), ResponseHeaders: map[string]string{"content-type": "text/event-stream; charset=utf-8"},
		},
	}
}

func TestRequestsAreLoggedWithTheirTargets(t *testing.T) {
	l := newListener(t)
	l.send(envoy.LogRequests, finishedEntry("a1,b2", "", 2))
	require.Contains(t, l.log.String(), `"ai":{"proxy":{"meta":{"plugin_id":"i","provider_name":"openai","response_model":"model-b2","llm_latency":800,"request_mode":"stream"},`+
		`"tried_targets":[{"provider":"openai","model":"model-a1","route_type":"llm/v1/chat","upstream_scheme":"https","host":"api.openai.com","port":443},`+
		`{"provider":"openai","model":"model-b2","route_type":"llm/v1/chat","upstream_scheme":"https","host":"api.openai.com","port":443}]}}`)
	l.log.Reset()
	l.send(envoy.LogRequests, finishedEntry("a1,b2", "", 1))
	require.NotContains(t, l.log.String(), `"meta"`, "the target has no log_statistics")
}

func TestProbesThatWereNotReachedAreGivenBack(t *testing.T) {
	l := newListener(t)
	l.send(envoy.LogRequests, finishedEntry("a1,b2", "a1=1,b2=2", 1))
	require.Equal(t, []router.Probe{{Target: "b2", Token: 2}}, l.router.released)
}

// TestAReplanIsLogged: the targets that were tried are those of two instances, and so are the
// probes that were not.
func TestAReplanIsLogged(t *testing.T) {
	l := newListener(t)
	e := finishedEntry("z9,a1,b2", "z8=8,z9=9,b2=2", 2)
	e.CommonProperties.Metadata = &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{"semlb": {Fields: map[string]*structpb.Value{
		envoy.KeyInstance: structpb.NewStringValue("next"), envoy.KeyPlan: structpb.NewStringValue("a1,z9"),
	}}}}
	l.send(envoy.LogRequests, e)
	require.Regexp(t, `"plugin_id":"next".*"tried_targets":\[{"provider":"openai","model":"model-a1".*{"provider":"openai","model":"model-z9"`, l.log.String())
	require.Equal(t, []router.Probe{{Target: "z8", Token: 8}, {Target: "b2", Token: 2}}, l.router.released)

	l.router.released = nil
	e.CommonProperties.Metadata.FilterMetadata["semlb"].Fields[envoy.KeyInstance] = structpb.NewStringValue("not-here")
	l.send(envoy.LogRequests, e)
	require.Len(t, l.router.released, 2, "by the replica that planned the request first")
	require.Equal(t, 1.0, l.ignored(envoy.LogRequests))
}

func TestWhatEnvoyAnswersItselfIsCountedAndLogged(t *testing.T) {
	l := newListener(t)
	answered := func(status uint32, details string, headers map[string]string) *dataaccesslogv3.HTTPAccessLogEntry {
		return &dataaccesslogv3.HTTPAccessLogEntry{
			Request:  &dataaccesslogv3.HTTPRequestProperties{RequestId: "r", RequestHeaders: headers},
			Response: &dataaccesslogv3.HTTPResponseProperties{ResponseCode: wrapperspb.UInt32(status), ResponseCodeDetails: details},
		}
	}
	l.send(envoy.LogRequests,
		answered(503, "ext_proc_error_gRPC_error_14", nil),
		answered(404, "direct_response", nil),
		answered(400, "semlb_invalid_json", nil),
		// Envoy refused one of the headers, and had set others by then.
		answered(500, "invalid_header", map[string]string{envoy.HeaderInstance: "i", envoy.HeaderPlan: "a1"}))
	for code, want := range map[string]float64{"router_unavailable": 1, "no_route": 1, "internal_error": 1, "request_refused": 0} {
		require.Equal(t, want, l.count("semlb_envoy_answers_total", code), code)
	}
	require.Contains(t, l.log.String(), `"level":"WARN","msg":"request answered by envoy","request_id":"r","status":503,"code":"router_unavailable"`)
	require.Contains(t, l.log.String(), `"level":"INFO","msg":"request answered by envoy","request_id":"r","status":404,"code":"no_route"`)
	require.NotContains(t, l.log.String(), "gRPC_error")
	require.NotContains(t, l.log.String(), "invalid_json", "semlb logged its own answer when it sent it")
}
