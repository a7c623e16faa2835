package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"semlb/envoy"
	"semlb/provider"
	"semlb/provider/providertest"
	"semlb/router"
)

// fixedPlan is a router with one plan; with panics set, it panics with the prompt.
type fixedPlan struct{ panics bool }

func (p fixedPlan) Route(_ context.Context, q router.Request) router.Plan {
	if p.panics {
		panic("a fault while handling: " + q.Prompt)
	}
	return router.Plan{Targets: []string{"a1", "b2"}, Reason: router.Matched}
}

func (fixedPlan) Degrade(_ router.Request, cause error) router.Plan {
	return router.Plan{Targets: []string{"b2"}, Reason: router.Degraded, Err: cause}
}
func (fixedPlan) Report(router.Outcome)     {}
func (fixedPlan) ReleaseProbe(router.Probe) {}

// testServer is a whole server that is reached over gRPC.
type testServer struct {
	t         testing.TB
	processor extprocv3.ExternalProcessorClient
	logs      accesslogv3.AccessLogServiceClient
	metrics   *Metrics
	log       *lockedBuffer
	snapshot  *Snapshot // nil if the test made it
	stop      context.CancelFunc
	stopped   chan error
}

func newTestServer(t testing.TB, r Router, change ...func(*Instance)) *testServer {
	t.Helper()
	targets := make(map[string]*Target)
	for _, id := range []string{"a1", "b2"} {
		target := providertest.NewTarget(t, provider.Settings{ID: id, Provider: "openai", Model: "model-" + id})
		targets[id] = &Target{Target: target, Provider: "openai", Model: "model-" + id, Cluster: "cluster-" + id}
	}
	instance := &Instance{ID: "i", Router: r, Targets: targets, Attempts: 6, RouteTypes: []string{"llm/v1/chat"}, BodyLimit: 1 << 20, Idle: time.Second, Streaming: provider.StreamingAllow}
	for _, c := range change {
		c(instance)
	}
	snapshot := &Snapshot{
		Find:      func(Match) *Instance { return instance },
		Instances: map[string]*Instance{"i": instance},
	}
	w := serve(t, func() *Snapshot { return snapshot })
	w.snapshot = snapshot
	return w
}

// serve is newTestServer for any snapshot.
func serve(t testing.TB, get func() *Snapshot) *testServer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &testServer{t: t, log: new(lockedBuffer), stop: cancel, stopped: make(chan error, 1)}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o := options(t, get, log, prometheus.NewRegistry())
	w.metrics = o.Metrics
	s := New(NewProcessor(o), NewControlPlane(ctx, log, w.metrics, strings.Clone), NewAccessLogService(o))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { w.stopped <- s.Serve(ctx, time.Minute, l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		require.NoError(t, conn.Close())
		require.NoError(t, <-w.stopped)
	})
	w.processor, w.logs = extprocv3.NewExternalProcessorClient(conn), accesslogv3.NewAccessLogServiceClient(conn)
	return w
}

// panics is how many were counted.
func (w *testServer) panics() float64 {
	var m dto.Metric
	require.NoError(w.t, w.metrics.panics.Write(&m))
	return m.GetCounter().GetValue()
}

// lockedBuffer is a log.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// talk sends messages as one stream, ends its sending half, and returns the answers
// and what the stream ended with.
func (w *testServer) talk(role []string, messages ...*extprocv3.ProcessingRequest) ([]*extprocv3.ProcessingResponse, error) {
	w.t.Helper()
	return w.talkWith(metadata.MD{envoy.RoleKey: role}, messages...)
}

// talkWith is talk with any gRPC metadata.
func (w *testServer) talkWith(md metadata.MD, messages ...*extprocv3.ProcessingRequest) ([]*extprocv3.ProcessingResponse, error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ctx = metadata.NewOutgoingContext(ctx, md)
	stream, err := w.processor.Process(ctx)
	require.NoError(w.t, err)
	for _, m := range messages {
		if err := stream.Send(m); err != nil {
			break // the server has ended the stream; Recv returns the status
		}
	}
	_ = stream.CloseSend() // the same
	var answers []*extprocv3.ProcessingResponse
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return answers, nil
		}
		if err != nil {
			return answers, err
		}
		answers = append(answers, answer)
	}
}

// headersMessage is the head of a request: a POST of "/", unless the pairs have another
// method or path.
func headersMessage(end bool, pairs ...string) *extprocv3.ProcessingRequest {
	for name, value := range map[string]string{":method": http.MethodPost, ":path": "/"} {
		if !slices.Contains(pairs, name) {
			pairs = append(pairs, name, value)
		}
	}
	h := &extprocv3.HttpHeaders{EndOfStream: end, Headers: &corev3.HeaderMap{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		h.Headers.Headers = append(h.Headers.Headers, &corev3.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
	}
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{RequestHeaders: h}}
}

func bodyMessage(text string) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestBody{
		RequestBody: &extprocv3.HttpBody{Body: []byte(text), EndOfStream: true},
	}}
}

const goodBody = `{"messages":[{"role":"user","content":"a very private prompt"}]}`

// requireGood checks that the next request is planned.
func (w *testServer) requireGood() {
	w.t.Helper()
	answers, err := w.talk([]string{envoy.RoleOuter}, headersMessage(false, ":path", "/"), bodyMessage(goodBody))
	require.NoError(w.t, err)
	require.Len(w.t, answers, 2)
	require.NotNil(w.t, answers[0].GetRequestHeaders())
	require.Contains(w.t, string(answers[1].GetRequestBody().GetResponse().GetBodyMutation().GetBody()), `"model":"model-a1"`)
}

// TestStreamsOutOfOrderEndWithAStatus abuses the protocol: each stream ends cleanly
// and soon, nothing panics, and the next stream is served.
func TestStreamsOutOfOrderEndWithAStatus(t *testing.T) {
	headers, body := headersMessage(false, ":path", "/"), bodyMessage(goodBody)
	responseHeaders := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{ResponseHeaders: headers.GetRequestHeaders()}}
	responseBody := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseBody{ResponseBody: body.GetRequestBody()}}
	trailers := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestTrailers{RequestTrailers: &extprocv3.HttpTrailers{}}}
	unknown := &extprocv3.ProcessingRequest{}
	outer, inner := []string{envoy.RoleOuter}, []string{envoy.RoleInner}
	w := newTestServer(t, fixedPlan{})
	for _, tt := range []struct {
		name     string
		role     []string
		messages []*extprocv3.ProcessingRequest
		code     codes.Code
		answers  int
	}{
		{"no role", nil, []*extprocv3.ProcessingRequest{headers, body}, codes.InvalidArgument, 0},
		{"unknown role", []string{"another"}, []*extprocv3.ProcessingRequest{headers, body}, codes.InvalidArgument, 0},
		{"two roles", []string{envoy.RoleOuter, envoy.RoleInner}, []*extprocv3.ProcessingRequest{headers, body}, codes.InvalidArgument, 0},
		{"nothing", outer, nil, codes.OK, 0},
		{"response before headers", outer, []*extprocv3.ProcessingRequest{responseHeaders, headers, body}, codes.InvalidArgument, 0},
		{"body first", outer, []*extprocv3.ProcessingRequest{body, headers}, codes.InvalidArgument, 0},
		{"trailers first", outer, []*extprocv3.ProcessingRequest{trailers}, codes.InvalidArgument, 0},
		{"unknown first", outer, []*extprocv3.ProcessingRequest{unknown}, codes.InvalidArgument, 0},
		{"headers only", outer, []*extprocv3.ProcessingRequest{headers}, codes.OK, 1},
		{"headers twice", outer, []*extprocv3.ProcessingRequest{headers, headers, body}, codes.InvalidArgument, 1},
		{"response in place of the body", outer, []*extprocv3.ProcessingRequest{headers, responseBody}, codes.InvalidArgument, 1},
		{"trailers in place of the body", outer, []*extprocv3.ProcessingRequest{headers, trailers}, codes.InvalidArgument, 1},
		{"unknown in place of the body", outer, []*extprocv3.ProcessingRequest{headers, unknown}, codes.InvalidArgument, 1},
		{"body twice", outer, []*extprocv3.ProcessingRequest{headers, body, body}, codes.OK, 2},
		{"response after the body", outer, []*extprocv3.ProcessingRequest{headers, body, responseHeaders, responseBody}, codes.OK, 2},
		{"a body after headers that announce none", outer, []*extprocv3.ProcessingRequest{headersMessage(true), body}, codes.OK, 1},
		{"no header at all", outer, []*extprocv3.ProcessingRequest{{Request: &extprocv3.ProcessingRequest_RequestHeaders{}}, body}, codes.OK, 1},
		{"an attempt without a plan", inner, []*extprocv3.ProcessingRequest{headers, body}, codes.OK, 2},
		{"an attempt beyond its plan", inner, []*extprocv3.ProcessingRequest{
			headersMessage(false, envoy.HeaderInstance, "i", envoy.HeaderPlan, "a1", envoy.HeaderAttempt, "2"), body,
		}, codes.OK, 2},
		{"an attempt with broken originals", inner, []*extprocv3.ProcessingRequest{
			headersMessage(false, envoy.HeaderInstance, "i", envoy.HeaderPlan, "a1,b2", envoy.HeaderAttempt, "2", envoy.HeaderOriginals, "%%%"), body,
		}, codes.OK, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answers, err := w.talk(tt.role, tt.messages...)
			require.Equal(t, tt.code, status.Code(err), err)
			require.Len(t, answers, tt.answers)
			w.requireGood()
		})
	}
	require.Zero(t, w.panics())
}

// TestAStopDoesNotWaitForAccessLogs: Envoy would keep their streams for ever.
func TestAStopDoesNotWaitForAccessLogs(t *testing.T) {
	w := newTestServer(t, fixedPlan{})
	stream, err := w.logs.StreamAccessLogs(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(&accesslogv3.StreamAccessLogsMessage{
		Identifier: &accesslogv3.StreamAccessLogsMessage_Identifier{LogName: envoy.LogAttempts},
	}))
	w.requireGood()
	begin := time.Now()
	w.stop()
	require.NoError(t, <-w.stopped)
	w.stopped <- nil // for the cleanup
	require.Less(t, time.Since(begin), 30*time.Second, "half the grace")
}
