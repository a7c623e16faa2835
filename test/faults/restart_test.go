package faults_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"semlb/test/harness"
)

func TestFault17RollingRestart(t *testing.T) {
	r := begin(t, "SIGTERM to one semlb under load, one decision hanging: readiness, drain window, graceful stop, hard deadline")
	const drain, grace = 8 * time.Second, 5 * time.Second
	e := newEmbedder(t)
	d := deploy(t, options{embedder: e, flags: []string{"--drain", drain.String(), "--decision-budget", "30s"}})
	d.survives(func() {
		e.Do(harness.Hang())
		hanging := make(chan harness.Answer, 1)
		request, client := d.request(t.Context(), strings.NewReader(chat("a program that hangs"))), harness.NewClient(t, harness.HTTP1)
		go func() {
			answer, err := harness.Send(client, request)
			answer.Err = errors.Join(answer.Err, err)
			hanging <- answer
		}()
		e.Await(t, 2) // the descriptions were the first
		begun := time.Now()
		d.serve.Signal(syscall.SIGTERM)
		require.Eventually(t, func() bool { return d.Page("/readyz").Status == http.StatusServiceUnavailable },
			drain, waitStep, "readiness is off before anything else")
		served := d.loadUntil(begun.Add(drain / 2))
		require.Positive(t, served, "served while Envoys look elsewhere")
		require.Zero(t, d.serve.Await(drain+grace+20*time.Second), "exit status")
		took := time.Since(begun)
		require.Greater(t, took, drain)
		// The deadline ends the decision; the client is served by the default route.
		answer := <-hanging
		require.NoError(t, answer.Err)
		require.Equal(t, http.StatusOK, answer.Status, answer.Body)
		requireAttempt(t, d.cook1.Only(t), d.cook1, "a program that hangs")
		d.awaitLog("level=WARN msg=routed", "plan.reason=degraded", "plan.error=")
		d.requireRefused(d.post(chat(code)), http.StatusServiceUnavailable, "router_unavailable")
		r.saw("not ready at once, %d requests of 8 clients served in the drain window, the hanging one by the default route, exit status 0 after %s", served, took.Round(100*time.Millisecond))
		e.recover()
		d.startServe()
	})
	d.survives(func() {
		took := timed(func() {
			d.serve.Signal(syscall.SIGTERM)
			require.Zero(t, d.serve.Await(drain+grace+20*time.Second), "exit status")
		})
		require.Less(t, took, drain+grace)
		r.saw("idle: after %s", took.Round(100*time.Millisecond))
		d.startServe()
		d.awaitGood()
	})
}

// loadUntil has eight clients send good requests, each one served as it should be,
// and returns how many there were.
func (w *world) loadUntil(end time.Time) int {
	w.t.Helper()
	var all errgroup.Group
	var served atomic.Int64
	for i := range 8 {
		client := harness.NewClient(w.t, harness.Protocols()[i%2])
		all.Go(func() error {
			for time.Now().Before(end) {
				answer, err := harness.Send(client, w.request(w.t.Context(), strings.NewReader(chat(code))))
				if err != nil {
					return err
				}
				if answer.Status != http.StatusOK || answer.Header.Get("X-Kong-Llm-Model") != "openai/"+codeModel {
					return fmt.Errorf("status %d: %s", answer.Status, answer.Body)
				}
				served.Add(1)
			}
			return nil
		})
	}
	require.NoError(w.t, all.Wait())
	for _, got := range w.code.Requests() {
		requireAttempt(w.t, got, w.code, code)
	}
	return int(served.Load())
}
