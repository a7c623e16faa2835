package faults_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

func TestFault14ClientResets(t *testing.T) {
	r := begin(t, "client goes away in the middle of its body, while its prompt is embedded, while the model thinks, in the middle of a stream")
	e := newEmbedder(t)
	w := start(t, options{embedder: e, flags: []string{"--decision-budget", "30s"}})
	w.survives(func() {
		for _, p := range harness.Protocols() {
			w.reset()
			body, leave := io.Pipe()
			left := w.sendAway(t.Context(), p, body)
			_, err := leave.Write([]byte(chat(cooking)[:20]))
			require.NoError(t, err)
			require.NoError(t, leave.CloseWithError(errors.New("the client leaves")))
			require.Error(t, <-left)

			e.Reset()
			e.Do(harness.Hang())
			w.requireGrowth(1, w.refusals("client_gone"), func() {
				w.leave(p, fmt.Sprintf("a program over %s", p), func() { e.Await(t, 1) })
			})
			e.AwaitGone(t)
			e.recover()
			require.Equal(t, [3]int{}, w.counts(), "requests without a client")

			w.cook1.Do(harness.Hang())
			w.requireGrowth(1, w.attempted("abandoned", "none"), func() {
				w.leave(p, cooking, func() { w.cook1.Await(t, 1) })
			})
			w.cook1.AwaitGone(t)
			w.requireSeen(cooking, w.cook1)

			w.cook1.Reset()
			w.cook1.Do(harness.SSEStall(1))
			w.requireGrowth(1, w.attempted("answered", "2xx"), func() { w.leaveStream(p) })
			w.cook1.AwaitGone(t)
			w.requireSeen(cooking, w.cook1) // no other target is tried
		}
		r.saw("embedder's and target's connections closed, no further attempt for anybody; counted as client_gone, abandoned, answered")
	})
	w.awaitLog("msg=request", "client_gone=true")
}

// leave sends a prompt and goes away when arrived returns.
func (w *world) leave(p harness.Protocol, prompt string, arrived func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	left := w.sendAway(ctx, p, strings.NewReader(chat(prompt)))
	arrived()
	cancel()
	require.ErrorIs(w.t, <-left, context.Canceled)
}

// leaveStream goes away after the first event of a stream.
func (w *world) leaveStream(p harness.Protocol) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	response, err := harness.NewClient(w.t, p).Do(w.request(ctx, strings.NewReader(chat(cooking))))
	require.NoError(w.t, err)
	defer response.Body.Close()
	require.Equal(w.t, http.StatusOK, response.StatusCode)
	_, err = io.ReadFull(response.Body, make([]byte, len("data: ")))
	require.NoError(w.t, err)
}

// sendAway sends a request and returns its outcome.
func (w *world) sendAway(ctx context.Context, p harness.Protocol, body io.Reader) <-chan error {
	w.t.Helper()
	r, client := w.request(ctx, body), harness.NewClient(w.t, p)
	left := make(chan error, 1)
	go func() {
		answer, err := harness.Send(client, r)
		left <- errors.Join(err, answer.Err)
	}()
	return left
}
