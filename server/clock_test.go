package server

import (
	"log/slog"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	"semlb/envoy"
	"semlb/record"
)

// answers keeps the events of answers of semlb itself.
type answers []*record.Answered

func (a *answers) Wants(k record.Kind) bool { return k == (&record.Answered{}).Kind() }
func (a *answers) Consume(e record.Event)   { *a = append(*a, e.(*record.Answered)) }

func TestEventsHaveTheTimeOfTheClock(t *testing.T) {
	snapshot := &Snapshot{Find: func(Match) *Instance { return nil }}
	o := options(t, func() *Snapshot { return snapshot }, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	var seen answers
	o.Recorder = record.New(record.Options{Immediate: []record.Sink{&seen}})
	o.Now = func() time.Time { return time.Unix(1, 0) }
	require.NoError(t, NewProcessor(o).Process(&oneRequest{
		ctx:      metadata.NewIncomingContext(t.Context(), metadata.Pairs(envoy.RoleKey, envoy.RoleOuter)),
		messages: []*extprocv3.ProcessingRequest{headersMessage(true, ":path", "/")},
		send:     func(*extprocv3.ProcessingResponse) error { return nil },
	}))
	require.NoError(t, o.Recorder.Close(t.Context()))
	require.Len(t, seen, 1)
	require.Equal(t, o.Now(), seen[0].Time)
}
