package record

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// keeper is a sink that keeps the events of some kinds, and blocks while gate is held.
type keeper struct {
	kinds []Kind
	gate  sync.Mutex
	mu    sync.Mutex
	kept  []Event
}

func (k *keeper) Wants(kind Kind) bool {
	for _, wanted := range k.kinds {
		if wanted == kind {
			return true
		}
	}
	return false
}

func (k *keeper) Consume(e Event) {
	k.gate.Lock()
	defer k.gate.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = append(k.kept, e)
}

func (k *keeper) events() []Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kept
}

func start(t *testing.T, o Options) *Recorder {
	t.Helper()
	r := New(o)
	t.Cleanup(func() { require.NoError(t, r.Close(context.Background())) })
	return r
}

func TestSinksGetTheEventsThatTheyWantInOrder(t *testing.T) {
	all, decided := &keeper{kinds: Kinds()}, &keeper{kinds: []Kind{KindDecided}}
	r := start(t, Options{Queued: []Sink{all, decided}})
	events := []Event{&Decided{Reason: "a"}, &Answered{}, &Attempted{}, &Observed{}, &Decided{Reason: "b"}, &Finished{}}
	for _, e := range events {
		r.Record(e)
	}
	require.NoError(t, r.flush(t.Context()))
	require.Equal(t, events, all.events())
	require.Equal(t, []Event{events[0], events[4]}, decided.events())
}

func TestWhatNoSinkWantsIsNotQueued(t *testing.T) {
	now, later := &keeper{kinds: []Kind{KindAnswered}}, &keeper{kinds: []Kind{KindDecided}}
	r := start(t, Options{Immediate: []Sink{now}, Queued: []Sink{later}, QueueLength: 1, Dropped: func(Kind) { t.Error("dropped") }})
	for range 100 {
		r.Record(&Finished{})
		r.Record(&Answered{})
	}
	require.Len(t, now.events(), 100)
}

// While a sink blocks, events are dropped and counted; recording does not block.
func TestASinkThatBlocksDropsEventsBeyondTheQueue(t *testing.T) {
	for name, tt := range map[string]struct {
		options Options
		event   func() Event
	}{
		"by number": {Options{QueueLength: 10}, func() Event { return &Finished{} }},
		"by memory": {Options{QueueBytes: 10_000}, func() Event {
			return &Observed{Payload: &Payload{Request: strings.Repeat("x", 900-smallEvent), Response: "yyyy"}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			counted, slow := &keeper{kinds: Kinds()}, &keeper{kinds: Kinds()}
			var dropped atomic.Int64
			o := tt.options
			o.Immediate, o.Queued, o.Dropped = []Sink{counted}, []Sink{slow}, func(Kind) { dropped.Add(1) }
			r := start(t, o)
			slow.gate.Lock()
			for range 100 {
				r.Record(tt.event())
			}
			slow.gate.Unlock()
			require.NoError(t, r.flush(t.Context()))
			require.Len(t, counted.events(), 100, "an immediate sink misses nothing")
			require.EqualValues(t, 100, int64(len(slow.events()))+dropped.Load())
			require.GreaterOrEqual(t, len(slow.events()), 10)
			require.LessOrEqual(t, len(slow.events()), 13, "one may be in the sink already")
			require.Zero(t, r.waiting.Load())
		})
	}
}

func TestCloseDeliversWhatWaits(t *testing.T) {
	k := &keeper{kinds: Kinds()}
	r := New(Options{Queued: []Sink{k}})
	k.gate.Lock()
	for range 50 {
		r.Record(&Attempted{})
	}
	expired, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorIs(t, r.Close(expired), context.DeadlineExceeded)
	k.gate.Unlock()
	require.NoError(t, r.Close(t.Context()))
	require.Len(t, k.events(), 50)
	r.Record(&Attempted{}) // goes nowhere, and harms nothing
	require.NoError(t, r.flush(t.Context()))
}

// closing is a keeper that must be closed.
type closing struct {
	keeper
	atClose int // events that it had by then
	err     error
}

func (c *closing) Close() error {
	c.atClose = len(c.events())
	return c.err
}

func TestCloseClosesTheSinksAfterTheLastEvent(t *testing.T) {
	sink := &closing{keeper: keeper{kinds: Kinds()}, err: errors.New("disk full")}
	r := New(Options{Queued: []Sink{&keeper{}, sink}})
	for range 100 {
		r.Record(&Finished{})
	}
	for range 2 {
		require.EqualError(t, r.Close(t.Context()), "close sink: disk full")
	}
	require.Equal(t, 100, sink.atClose)
}

func TestFlushEndsWithItsContext(t *testing.T) {
	k := &keeper{kinds: Kinds()}
	r := start(t, Options{Queued: []Sink{k}})
	k.gate.Lock()
	defer k.gate.Unlock()
	r.Record(&Attempted{})
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	require.ErrorIs(t, r.flush(ctx), context.Canceled)
}

func TestRecordingIsSafeForConcurrentUse(t *testing.T) {
	k := &keeper{kinds: Kinds()}
	var dropped atomic.Int64
	r := start(t, Options{Queued: []Sink{k}, QueueLength: 16, Dropped: func(Kind) { dropped.Add(1) }})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				r.Record(&Decided{Targets: []string{"a"}})
			}
		})
	}
	all.Wait()
	require.NoError(t, r.flush(t.Context()))
	require.EqualValues(t, 8000, int64(len(k.events()))+dropped.Load())
}

func TestEveryKindHasAName(t *testing.T) {
	for _, k := range Kinds() {
		require.NotEmpty(t, k.String())
	}
	require.Len(t, Kinds(), int(kinds))
}
