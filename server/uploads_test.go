package server

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const mib = 1 << 20

func never(t *testing.T) func() {
	return func() { t.Error("displaced, though it grew") }
}

func TestABodyThatDoesNotGrowMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &uploads{limit: 3 * mib}
		displaced := make(chan string, 3)
		first := u.begin(mib, func() { displaced <- "first" })
		second := u.begin(mib, func() { displaced <- "second" })
		third := u.begin(mib, never(t))
		require.Nil(t, u.begin(mib, never(t)), "all have just begun")

		time.Sleep(stalled)
		first.grow(growth)
		third.grow(growth)
		fourth := u.begin(mib, never(t))
		require.NotNil(t, fourth)
		second.finish()
		require.Equal(t, "second", <-displaced)
		require.Nil(t, u.begin(mib, never(t)), "all grow")

		first.finish()
		fifth := u.begin(mib, never(t))
		require.NotNil(t, fifth, "one has ended")
		for _, one := range []*upload{third, fourth, fifth} {
			one.finish()
		}
		require.Zero(t, u.held)
		require.Zero(t, u.arriving.Len())
	})
}

func TestNoBodyIsEndedForOneThatFindsNoRoomAnyway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &uploads{limit: 3 * mib}
		stuck := u.begin(mib, never(t))
		time.Sleep(stalled)
		growing := u.begin(mib, never(t))
		require.Nil(t, u.begin(3*mib, never(t)))
		require.EqualValues(t, 2*mib, u.held)
		stuck.finish()
		growing.finish()
		require.Zero(t, u.held)
	})
}

func TestABodyThatComesAByteAtATimeMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &uploads{limit: 2 * mib}
		displaced := make(chan string, 2)
		trickle := u.begin(mib, func() { displaced <- "trickle" })
		slow := u.begin(mib, never(t))
		for range 20 {
			time.Sleep(stalled / 4)
			trickle.grow(1)
			slow.grow(growth / 4)
		}
		next := u.begin(mib, never(t))
		require.NotNil(t, next)
		trickle.finish()
		require.Equal(t, "trickle", <-displaced)
		require.Nil(t, u.begin(mib, never(t)), "8 KiB per second are enough")
		slow.finish()
		next.finish()
		require.Zero(t, u.held)
	})
}

func TestACompleteBodyIsHeldUntilItsRequestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &uploads{limit: mib}
		one := u.begin(mib, never(t))
		one.grow(mib)
		one.complete()
		time.Sleep(time.Hour)
		require.Nil(t, u.begin(1, never(t)))
		one.finish()
		require.Zero(t, u.held)
	})
}

func TestACompleteBodyOfUnknownLengthCountsWithItsLength(t *testing.T) {
	u := &uploads{limit: mib}
	one := u.begin(mib, never(t))
	require.EqualValues(t, 100, one.grow(100))
	require.Nil(t, u.begin(mib, never(t)), "it may still become as long as is accepted")
	one.complete()
	rest := u.begin(mib-smallestUpload, never(t))
	require.NotNil(t, rest)
	require.Nil(t, u.begin(1, never(t)))
	one.finish()
	rest.finish()
	require.Zero(t, u.held)
}

func TestABodyLargerThanTheBoundFitsAlone(t *testing.T) {
	u := &uploads{limit: mib}
	one := u.begin(9*mib, never(t))
	require.NotNil(t, one)
	require.Nil(t, u.begin(9*mib, never(t)))
	one.finish()
	require.Zero(t, u.held)
}
