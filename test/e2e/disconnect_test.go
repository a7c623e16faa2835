package e2e_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/stretchr/testify/require"

	"semlb/envoy"
	"semlb/test/ca"
	"semlb/test/harness"
)

// TestAClientThatDisconnectsEndsItsAttempt leaves while the first, second or third
// target thinks. Its upstream connection is closed and no other target is tried.
func TestAClientThatDisconnectsEndsItsAttempt(t *testing.T) {
	t.Parallel()
	authority := ca.New(t)
	all := []*harness.Stub{harness.NewStub(t, "a"), harness.NewTLSStub(t, "b", authority), harness.NewStub(t, "c"), harness.NewStub(t, "d")}
	s := harness.Start(t, harness.Options{
		Config: harness.Config(withLanes(harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all...)))),
		Flags:  []string{"--trusted-ca", authority.File},
	})
	for _, p := range harness.Protocols() {
		for attempt := range 3 {
			reset(all...)
			for _, stub := range all[:attempt] {
				stub.Do(harness.Status(429))
			}
			all[attempt].Do(harness.Hang())
			ctx, leave := context.WithCancel(t.Context())
			left := make(chan error, 1)
			client := harness.NewClient(t, p)
			go func() {
				_, err := harness.Send(client, s.Request(ctx, harness.ChatPath, strings.NewReader(harness.Chat("hello"))))
				left <- err
			}()
			all[attempt].Await(t, 1)
			leave()
			require.ErrorIs(t, <-left, context.Canceled)
			all[attempt].AwaitGone(t)
			// Long enough for a further attempt, which takes a few milliseconds.
			time.Sleep(100 * time.Millisecond)
			for i, stub := range all {
				if i <= attempt {
					require.Len(t, stub.Requests(), 1)
				} else {
					require.Empty(t, stub.Requests(), "%s, attempt %d: target %d was tried without a client", p, attempt+1, i)
				}
			}
		}
	}
}

// TestAClientThatDisconnectsDuringARewrite: the question is taken back, and the
// second target is not asked.
func TestAClientThatDisconnectsDuringARewrite(t *testing.T) {
	t.Parallel()
	asked, takenBack := make(chan struct{}, 1), make(chan struct{}, 1)
	m := &mistaken{
		t: t, stubs: stubs(t, 3), inner: right,
		outer: func(r *extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error) { return r, nil },
		thinks: func(ctx context.Context, role string) {
			if role == envoy.RoleInner {
				asked <- struct{}{}
				<-ctx.Done()
				takenBack <- struct{}{}
			}
		},
	}
	url := m.start(t)
	for _, p := range harness.Protocols() {
		reset(m.stubs...)
		m.stubs[0].Do(harness.Status(429))
		ctx, leave := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(harness.Chat("hello")))
		require.NoError(t, err)
		left := make(chan error, 1)
		client := harness.NewClient(t, p)
		go func() {
			_, err := harness.Send(client, r)
			left <- err
		}()
		<-asked
		leave()
		require.ErrorIs(t, <-left, context.Canceled)
		select {
		case <-takenBack:
		case <-time.After(20 * time.Second): // Envoy's message_timeout is later
			t.Fatal("the inner role was left thinking")
		}
		time.Sleep(100 * time.Millisecond) // long enough for a further attempt
		require.Equal(t, []int{1, 0, 0}, counts(m.stubs...))
		reset(m.stubs...)
		require.Equal(t, http.StatusOK, ask(t, p, url).Status, "the next good request")
	}
}

func TestAClientThatDisconnectsEndsItsStream(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, harness.Plugin{})
	s.each(t, func(t *testing.T, p harness.Protocol, lane int) {
		s.first[lane].Do(harness.SSE(100_000, 10*time.Millisecond))
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		response := s.open(ctx, t, p, lane)
		_, err := bufio.NewReader(response.Body).ReadString('\n')
		require.NoError(t, err)
		require.Zero(t, s.first[lane].Only(t).Gone)
		leave()
		s.first[lane].AwaitGone(t)
		require.Empty(t, s.next.Requests())
	})
}

// TestAClientThatDisconnectsMidBodyReachesNoTarget sends half of its request.
func TestAClientThatDisconnectsMidBodyReachesNoTarget(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(
		harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all...))))})
	for _, p := range harness.Protocols() {
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		body := &halfBody{text: harness.Chat("hello"), reached: make(chan struct{}), leave: ctx.Done()}
		client := harness.NewClient(t, p)
		go func() {
			_, err := harness.Send(client, s.Request(ctx, harness.ChatPath, body))
			left <- err
		}()
		<-body.reached
		time.Sleep(50 * time.Millisecond) // for what was sent to arrive
		leave()
		require.Error(t, <-left)
		require.Equal(t, 200, s.Post(client, harness.Chat("hello")).Status)
		require.Equal(t, []int{1, 0}, counts(all...), "only the whole request")
		reset(all...)
	}
}

// halfBody gives half of its text and then nothing until the client leaves.
type halfBody struct {
	text    string
	sent    bool
	reached chan struct{}
	leave   <-chan struct{}
}

func (b *halfBody) Read(p []byte) (int, error) {
	if !b.sent {
		b.sent = true
		return copy(p, b.text[:len(b.text)/2]), nil
	}
	close(b.reached)
	<-b.leave
	return 0, context.Canceled
}
