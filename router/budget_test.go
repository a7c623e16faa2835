package router

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestABudgetEndsAtItsDeadlineWhetherOrNotItIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(t.Context(), 20*time.Millisecond)
		defer b.release()
		require.NoError(t, b.Err())
		deadline, ok := b.Deadline()
		require.True(t, ok)

		time.Sleep(time.Until(deadline))
		require.ErrorIs(t, b.Err(), context.DeadlineExceeded)
		require.Nil(t, b.started.Load(), "nobody waited, so there is no timer")

		<-b.Done()
		require.ErrorIs(t, b.Err(), context.DeadlineExceeded)
	})
}

func TestABudgetEndsWithItsRequest(t *testing.T) {
	cause := errors.New("the client has left")
	for name, wait := range map[string]bool{"waited for": true, "not waited for": false} {
		t.Run(name, func(t *testing.T) {
			ctx, leave := context.WithCancelCause(t.Context())
			b := newBudget(ctx, time.Hour)
			defer b.release()
			var done <-chan struct{}
			if wait {
				done = b.Done()
			}
			leave(cause)
			if wait {
				<-done
			}
			require.ErrorIs(t, b.Err(), context.Canceled)
		})
	}
}

func TestABudgetIsNoLongerThanTheRequests(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	want, _ := ctx.Deadline()
	got, _ := newBudget(ctx, time.Hour).Deadline()
	require.Equal(t, want, got)
}

func TestReleaseEndsWhatDescendsFromABudget(t *testing.T) {
	b := newBudget(t.Context(), time.Hour)
	child, cancel := context.WithTimeout(b, time.Hour)
	defer cancel()
	b.release()
	<-child.Done()
	require.ErrorIs(t, child.Err(), context.Canceled)
}
