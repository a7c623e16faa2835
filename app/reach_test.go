package app

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// reaching is a reach whose connections fail with err, with its log.
type reaching struct {
	*reach
	err   error
	seen  bool
	tries int
	log   bytes.Buffer
}

func newReaching() *reaching {
	r := &reaching{}
	r.reach = newReach(reachOptions{
		Unreachable: func() error { r.tries++; return r.err }, EnvoySeen: func() bool { return r.seen },
		Addresses: []string{"/run/s", "127.0.0.1:8081"}, Log: slog.New(slog.NewTextHandler(&r.log, nil)),
	})
	return r
}

// lookFor looks as often as readiness does.
func (r *reaching) lookFor(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(readyPoll) {
		_ = r.look(time.Now())
	}
}

func TestThatNoEnvoyHasConnectedIsLoggedOnceAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReaching()
		r.lookFor(noEnvoyAfter)
		require.Empty(t, r.log.String())
		require.Equal(t, "; no Envoy has connected yet", r.note())
		r.lookFor(10 * noEnvoyAfter)
		require.Equal(t, 1, strings.Count(r.log.String(), "no Envoy has connected yet"))
		require.Contains(t, r.log.String(), `addresses="/run/s 127.0.0.1:8081"`)
		r.seen = true
		require.Empty(t, r.note())

		r = newReaching()
		r.lookFor(noEnvoyAfter / 2)
		r.seen = true
		r.lookFor(10 * noEnvoyAfter)
		require.Empty(t, r.log.String())
	})
}

func TestAConnectionIsTriedNowAndThenAndChangesAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReaching()
		r.seen = true
		r.lookFor(10*reachEvery - 1)
		require.Equal(t, 10, r.tries)
		r.err = errors.New("refused")
		r.lookFor(3 * reachEvery)
		require.Equal(t, ", but no more Envoys can connect: refused", r.note())
		require.Equal(t, "refused", r.status().Unreachable)
		r.err = nil
		r.lookFor(3 * reachEvery)
		require.Empty(t, r.note())
		require.Equal(t, 1, strings.Count(r.log.String(), "level=ERROR msg=\"Envoys cannot connect\" error=refused"))
		require.Equal(t, 1, strings.Count(r.log.String(), "Envoys can connect again"))
	})
}
