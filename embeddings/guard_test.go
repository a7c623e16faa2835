package embeddings_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/embeddings"
	"semlb/test/clock"
)

// fakeEmbedder returns the vector (1, 0), or that of a function, for every text after a
// delay, or fails. It counts calls.
type fakeEmbedder struct {
	delay      time.Duration
	calls      atomic.Int64
	now        atomic.Int64
	peak       atomic.Int64
	mu         sync.Mutex
	err        error
	calledWith [][]string
	vector     func(text string) []float32
}

func (*fakeEmbedder) Info() embeddings.Info {
	return embeddings.Info{Model: "fake", Dimensions: 2, DistanceScale: 1}
}

func (f *fakeEmbedder) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fakeEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	f.calls.Add(1)
	now := f.now.Add(1)
	defer f.now.Add(-1)
	for peak := f.peak.Load(); now > peak && !f.peak.CompareAndSwap(peak, now); peak = f.peak.Load() {
	}
	f.mu.Lock()
	err := f.err
	f.calledWith = append(f.calledWith, texts)
	f.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-time.After(f.delay):
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		vectors[i] = []float32{1, 0}
		if f.vector != nil {
			vectors[i] = f.vector(text)
		}
	}
	return vectors, nil
}

func embedOne(ctx context.Context, e embeddings.Embedder) error {
	_, err := e.Embed(ctx, []string{"text"})
	return err
}

func TestGuardOpensAfterFailuresInARowAndProbesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeEmbedder{}
		g := embeddings.NewGuard(fake, embeddings.GuardOptions{Failures: 3, CoolDown: 10 * time.Second})
		broken := errors.New("broken")

		fake.fail(broken)
		require.ErrorIs(t, embedOne(t.Context(), g), broken)
		require.ErrorIs(t, embedOne(t.Context(), g), broken)
		fake.fail(nil)
		require.NoError(t, embedOne(t.Context(), g), "a success resets the count")
		fake.fail(broken)
		for range 3 {
			require.False(t, g.Open())
			require.ErrorIs(t, embedOne(t.Context(), g), broken)
		}
		require.True(t, g.Open())

		calls := fake.calls.Load()
		time.Sleep(9 * time.Second)
		err := embedOne(t.Context(), g)
		require.ErrorIs(t, err, embeddings.ErrOpen)
		var e *embeddings.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, embeddings.KindUnavailable, e.Kind)
		require.Equal(t, time.Second, e.RetryAfter)
		require.Equal(t, calls, fake.calls.Load())

		time.Sleep(2 * time.Second)
		require.ErrorIs(t, embedOne(t.Context(), g), broken, "the probe")
		require.ErrorIs(t, embedOne(t.Context(), g), embeddings.ErrOpen, "a failed probe reopens at once")

		time.Sleep(11 * time.Second)
		fake.fail(nil)
		fake.delay = time.Second
		probes := make(chan error, 10)
		for range 10 {
			go func() { probes <- embedOne(t.Context(), g) }()
		}
		var served int
		for range 10 {
			if err := <-probes; err == nil {
				served++
			} else {
				require.ErrorIs(t, err, embeddings.ErrOpen)
			}
		}
		require.Equal(t, 1, served)
		require.NoError(t, embedOne(t.Context(), g), "a successful probe closes")
	})
}

func TestGuardPausesForRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		status             int
		retryAfter, paused time.Duration
	}{
		{429, time.Second, time.Second},
		{503, 20 * time.Second, 20 * time.Second},
		{429, time.Hour, 30 * time.Second},
		{500, 20 * time.Second, 0},
		{429, 0, 0},
	} {
		t.Run(fmt.Sprint(tt.status, tt.retryAfter), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := &fakeEmbedder{err: &embeddings.Error{Kind: embeddings.KindStatus, Status: tt.status, RetryAfter: tt.retryAfter}}
				g := embeddings.NewGuard(fake, embeddings.GuardOptions{CoolDown: 5 * time.Second, MaxRetryAfter: 30 * time.Second})
				require.Error(t, embedOne(t.Context(), g))
				fake.fail(nil)
				if tt.paused == 0 {
					require.NoError(t, embedOne(t.Context(), g))
					return
				}
				time.Sleep(tt.paused - time.Millisecond)
				require.ErrorIs(t, embedOne(t.Context(), g), embeddings.ErrOpen)
				time.Sleep(2 * time.Millisecond)
				require.NoError(t, embedOne(t.Context(), g))
			})
		})
	}
}

func TestGuardDoesNotCountCallersAndTexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeEmbedder{delay: time.Second}
		g := embeddings.NewGuard(fake, embeddings.GuardOptions{Failures: 1})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		require.ErrorIs(t, embedOne(ctx, g), context.Canceled)
		require.False(t, g.Open())

		for _, status := range []int{400, 413, 422} {
			fake.fail(&embeddings.Error{Kind: embeddings.KindStatus, Status: status})
			require.Error(t, embedOne(t.Context(), g))
			require.False(t, g.Open(), "status %d is about the text", status)
		}
		fake.fail(&embeddings.Error{Kind: embeddings.KindInvalid})
		require.Error(t, embedOne(t.Context(), g))
		require.True(t, g.Open(), "a useless answer is a failure")
	})
}

func TestGuardBoundsACallThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := embeddings.NewGuard(&fakeEmbedder{delay: time.Hour}, embeddings.GuardOptions{Failures: 1, Timeout: 3 * time.Second})
		start := time.Now()
		require.ErrorIs(t, embedOne(t.Context(), g), context.DeadlineExceeded)
		require.Equal(t, 3*time.Second, time.Since(start))
		require.True(t, g.Open())
	})
}

func TestGuardShedsCallsBeyondTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slow = time.Second
		fake := &fakeEmbedder{delay: slow}
		g := embeddings.NewGuard(fake, embeddings.GuardOptions{MaxConcurrent: 8, MaxQueue: 24, Timeout: 10 * slow})
		errs := make(chan error, 1000)
		start := time.Now()
		for range 1000 {
			go func() { errs <- embedOne(t.Context(), g) }()
		}
		synctest.Wait()
		require.Len(t, errs, 1000-32, "all calls beyond the queue fail at once")
		require.Zero(t, time.Since(start))
		for range 1000 - 32 {
			err := <-errs
			require.ErrorIs(t, err, embeddings.ErrOverloaded)
			var e *embeddings.Error
			require.ErrorAs(t, err, &e)
		}
		for range 32 {
			require.NoError(t, <-errs)
		}
		require.Equal(t, 4*slow, time.Since(start))
		require.Equal(t, int64(8), fake.peak.Load())
		require.False(t, g.Open())
	})
}

func TestGuardQueueEndsWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeEmbedder{delay: 2 * time.Second}
		g := embeddings.NewGuard(fake, embeddings.GuardOptions{MaxConcurrent: 1, MaxQueue: 2, Timeout: time.Second})
		go func() { _ = embedOne(context.Background(), g) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		require.ErrorIs(t, embedOne(ctx, g), context.Canceled, "a cancelled caller leaves the queue")
		ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		require.ErrorIs(t, embedOne(ctx, g), context.DeadlineExceeded)
		require.Equal(t, int64(1), fake.calls.Load())
		time.Sleep(2 * time.Second)
	})
}

func TestGuardQueueIsEmptiedWhenTheBreakerOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeEmbedder{delay: time.Second, err: errors.New("broken")}
		g := embeddings.NewGuard(fake, embeddings.GuardOptions{Failures: 1, MaxConcurrent: 1, MaxQueue: 10})
		errs := make(chan error, 5)
		for range 5 {
			go func() { errs <- embedOne(t.Context(), g) }()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, errs, 5)
		require.Equal(t, int64(1), fake.calls.Load())
	})
}

// A wall clock that is set by a day in either direction ends no pause, and prolongs none. A
// bubble of synctest has no monotonic time.
func TestGuardPausesByTheMonotonicClock(t *testing.T) {
	for _, jump := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			t.Parallel()
			wall := new(clock.Clock)
			fake := &fakeEmbedder{err: &embeddings.Error{Kind: embeddings.KindStatus, Status: 429, RetryAfter: 3 * time.Second}}
			g := embeddings.NewGuard(fake, embeddings.GuardOptions{Failures: 2, CoolDown: time.Minute, Now: wall.Now})
			require.Error(t, embedOne(t.Context(), g))
			wall.Jump(jump)
			require.True(t, g.Open())
			require.Eventually(t, func() bool { return !g.Open() }, time.Minute, 10*time.Millisecond, "the Retry-After is over")
			require.Error(t, embedOne(t.Context(), g))
			wall.Jump(-jump)
			var refused *embeddings.Error
			require.ErrorAs(t, embedOne(t.Context(), g), &refused)
			require.ErrorIs(t, refused, embeddings.ErrOpen, "two failures in a row")
			require.LessOrEqual(t, refused.RetryAfter, time.Minute)
			require.Greater(t, refused.RetryAfter, 3*time.Second)
		})
	}
}
