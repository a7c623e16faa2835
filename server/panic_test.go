package server

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"semlb/envoy"
	"semlb/router"
)

// elsewhere is a panic of a goroutine that a decision has waited for.
type elsewhere struct{}

func (elsewhere) Error() string                { return "embed texts: panic" }
func (elsewhere) Panic() (cause, stack string) { return "string", "goroutine 7 [running]: embed()" }

// embedderPanics is a router whose embedder panics.
type embedderPanics struct{ fixedPlan }

func (p embedderPanics) Route(context.Context, router.Request) router.Plan {
	return p.Degrade(router.Request{}, fmt.Errorf("embed prompt: %w", elsewhere{}))
}

// requirePanics checks that n panics were counted and logged, and that nothing private
// is in the log.
func (w *testServer) requirePanics(n float64) {
	w.t.Helper()
	require.Equal(w.t, n, w.panics())
	require.Regexp(w.t, `level=ERROR msg=panic .*cause=\S+ stack="goroutine`, w.log.String())
	require.NotContains(w.t, w.log.String(), "private")
	require.NotContains(w.t, w.log.String(), "a-client-key")
}

// Each panic ends its own request as configured; the values of these quote the prompt.
func TestAPanicOfADecisionIsAnsweredAsConfigured(t *testing.T) {
	for name, r := range map[string]Router{"in the stream": fixedPlan{panics: true}, "in the embedder": embedderPanics{}} {
		ask := func(w *testServer) *extprocv3.ProcessingResponse {
			answers, err := w.talk([]string{envoy.RoleOuter}, headersMessage(false, "authorization", "Bearer a-client-key"), bodyMessage(goodBody))
			require.NoError(t, err)
			require.Len(t, answers, 2)
			return answers[1]
		}
		t.Run(name+", reject", func(t *testing.T) {
			w := newTestServer(t, r)
			for range 3 {
				answer := ask(w).GetImmediateResponse()
				require.EqualValues(t, 500, answer.GetStatus().GetCode())
				require.Contains(t, string(answer.GetBody()), "internal_error")
				require.NotContains(t, string(answer.GetBody()), "private")
			}
			w.requirePanics(3)
		})
		t.Run(name+", default", func(t *testing.T) {
			w := newTestServer(t, r, func(i *Instance) { i.OnPanic = OnPanicDefault })
			for range 3 {
				answer := ask(w).GetRequestBody().GetResponse()
				require.Contains(t, string(answer.GetBodyMutation().GetBody()), `"model":"model-b2"`)
			}
			w.requirePanics(3)
			require.Regexp(t, `msg=routed .*plan.reason=degraded .*plan.error=.*panic`, w.log.String())
		})
	}
}

// A panic that is not of the decision: here no target of the plan is configured, which
// a router does not do.
func TestAPanicAfterTheDecisionIsAnswered500(t *testing.T) {
	w := newTestServer(t, fixedPlan{}, func(i *Instance) { i.OnPanic = OnPanicDefault; clear(i.Targets) })
	answers, err := w.talk([]string{envoy.RoleOuter}, headersMessage(false), bodyMessage(goodBody))
	require.NoError(t, err)
	require.Len(t, answers, 2)
	require.EqualValues(t, 500, answers[1].GetImmediateResponse().GetStatus().GetCode())
	w.requirePanics(1)
}

// Envoy waits for nothing that the observing role does, so there is nothing to answer.
func TestAPanicOfTheObservingRoleEndsItsStream(t *testing.T) {
	head := headersMessage(false, envoy.HeaderInstance, "i", envoy.HeaderPlan, "a1", envoy.HeaderAttempt, "1", envoy.HeaderObserve, envoy.ObserveAll)
	last := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseBody{
		ResponseBody: &extprocv3.HttpBody{Body: []byte("a private answer"), EndOfStream: true},
	}}
	for name, w := range map[string]*testServer{
		"at its beginning": serve(t, func() *Snapshot { panic("a private fault") }),
		"at its end": newTestServer(t, fixedPlan{}, func(i *Instance) {
			i.Targets["a1"] = &Target{Payloads: true} // without a mask
		}),
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			answers, err := w.talk([]string{envoy.RoleObserve}, head, last)
			require.NoError(t, err)
			require.Empty(t, answers)
			w.requirePanics(1)
		})
	}
}

// openStream is a stream that nothing is read from.
type openStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s openStream) Context() context.Context { return s.ctx }

// What nothing else has caught ends its stream, and not the process.
func TestAPanicOutsideOfRolesEndsItsStream(t *testing.T) {
	w := newTestServer(t, fixedPlan{})
	contained := panics{log: slog.New(slog.NewTextHandler(w.log, nil)), metrics: w.metrics}
	err := contained.intercept(nil, openStream{ctx: t.Context()}, nil, func(any, grpc.ServerStream) error { panic("a private fault") })
	require.Equal(t, codes.Internal, status.Code(err))
	w.requirePanics(1)
	w.requireGood()
}
