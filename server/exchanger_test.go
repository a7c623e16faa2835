package server

import (
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	"semlb/envoy"
	"semlb/provider"
)

// withoutBody is the stream of a request whose body does not arrive. It ends when the request is
// answered.
type withoutBody struct {
	oneRequest
	answered chan struct{}
}

func (s *withoutBody) Recv() (*extprocv3.ProcessingRequest, error) {
	if m, err := s.oneRequest.Recv(); err == nil {
		return m, nil
	}
	<-s.answered
	return nil, io.EOF
}

// TestASmallBodyThatDoesNotArriveMakesRoom: Envoy holds what it has of it.
func TestASmallBodyThatDoesNotArriveMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		targets := map[string]*Target{"a1": targetOf(t, "a1"), "b2": targetOf(t, "b2")}
		instance := &Instance{ID: "i", Router: fixedPlan{}, Targets: targets, RouteTypes: []string{"llm/v1/chat"}, BodyLimit: 100, Streaming: provider.StreamingAllow}
		snapshot := &Snapshot{Find: func(Match) *Instance { return instance }}
		o := options(t, func() *Snapshot { return snapshot }, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		o.MaxUploads = smallestUpload
		p := NewProcessor(o)
		ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(envoy.RoleKey, envoy.RoleOuter))
		begin := func(told *[]*extprocv3.ProcessingResponse, head ...string) oneRequest {
			return oneRequest{
				ctx: ctx, messages: []*extprocv3.ProcessingRequest{headersMessage(false, append(head, ":path", "/")...)},
				send: func(r *extprocv3.ProcessingResponse) error { *told = append(*told, r); return nil },
			}
		}
		whole := func(head ...string) (told []*extprocv3.ProcessingResponse) {
			one := begin(&told, head...)
			one.messages = append(one.messages, bodyMessage(goodBody))
			require.NoError(t, p.Process(&one))
			return told
		}

		var told []*extprocv3.ProcessingResponse
		stuck := &withoutBody{answered: make(chan struct{})}
		stuck.oneRequest = begin(&told)
		send := stuck.send
		stuck.send = func(r *extprocv3.ProcessingResponse) error {
			if r.GetImmediateResponse() != nil {
				defer close(stuck.answered)
			}
			return send(r)
		}
		ended := make(chan error)
		go func() { ended <- p.Process(stuck) }()
		synctest.Wait()
		require.EqualValues(t, 503, whole()[0].GetImmediateResponse().GetStatus().GetCode(), "it has just begun")
		require.NotNil(t, whole(envoy.HeaderAdmitted, "1")[1].GetRequestBody(), "a body that was admitted has its room")

		time.Sleep(stalled)
		require.NotNil(t, whole()[1].GetRequestBody())
		require.NoError(t, <-ended)
		require.Len(t, told, 2)
		require.EqualValues(t, 503, told[1].GetImmediateResponse().GetStatus().GetCode())
	})
}
