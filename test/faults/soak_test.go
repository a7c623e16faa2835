package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"semlb/test/harness"
)

// TestFault26Soak is short; `make soak` is the long one.
func TestFault26Soak(t *testing.T) {
	length := 10 * time.Second
	if text := os.Getenv("SEMLB_FAULTS_SOAK"); text != "" {
		var err error
		length, err = time.ParseDuration(text)
		require.NoError(t, err)
	}
	r := begin(t, fmt.Sprintf("%s (SEMLB_FAULTS_SOAK) of targets and an embedder that fail in every way, clients that leave and send nonsense", length))
	e := newEmbedder(t)
	d := deploy(t, options{embedder: e, flags: append(withBudget(), "--log-level", "info"), plugin: func(p *harness.Plugin) { p.ReadTimeout = 2000 }})
	memory := func() float64 { return d.metric("process_resident_memory_bytes") / (1 << 20) }
	d.survives(func() {
		d.misbehave(e)
		sent := d.mixed(length / 4)
		early := memory()
		sent += d.mixed(length * 3 / 4)
		late := memory()
		require.Less(t, late-early, 32.0, "MiB of resident memory over the last three quarters")
		e.recover()
		require.Zero(t, d.metric("semlb_panics_total"))
		r.saw("%d requests; memory %.0f to %.0f MiB over the last three quarters", sent, early, late)
		d.client.CloseIdleConnections()
		d.reset()
		d.awaitMatched("a program after the soak")
	})
}

// misbehave has everyone fail now and then.
func (d *deployment) misbehave(e *embedder) {
	oneOf := func(all ...harness.Behaviour) harness.Behaviour {
		return func(x *harness.Exchange) { all[rand.IntN(len(all))](x) }
	}
	ok := harness.OK()
	for _, s := range d.stubs() {
		s.Do(oneOf(ok, ok, ok, harness.Status(429), harness.Status(503), harness.Status(500), harness.Reset(), harness.Garbage(),
			harness.Slow(50*time.Millisecond, ok), harness.SSE(5, 5*time.Millisecond), harness.SSECut(2), harness.Hang()))
	}
	e.Do(oneOf(embed, embed, embed, embed, harness.Status(500), harness.Reset(), allNumbers(width, "0"), harness.Slow(100*time.Millisecond, embed)))
}

// mixed sends requests of every kind for a while. Each has to be answered, in time
// and with a status that the fault explains.
func (d *deployment) mixed(length time.Duration) int {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), length)
	defer cancel()
	counts := make([]int, 8)
	var all errgroup.Group
	for i := range counts {
		client := harness.NewClient(d.t, harness.Protocols()[i%2])
		all.Go(func() error {
			for ; ctx.Err() == nil; counts[i]++ {
				if err := d.one(client); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(d.t, all.Wait())
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

func (d *deployment) one(client *http.Client) error {
	kinds := []string{cooking, code, fmt.Sprintf("program %d", rand.IntN(1_000_000)), "{", "leave"}
	kind := kinds[rand.IntN(len(kinds))]
	ctx, cancel := context.WithCancel(context.WithoutCancel(d.t.Context()))
	defer cancel()
	body := chat(kind)
	switch kind {
	case "{":
		body = kind
	case "leave":
		time.AfterFunc(time.Duration(rand.IntN(30))*time.Millisecond, cancel)
	}
	answer, err := harness.Send(client, d.request(ctx, strings.NewReader(body)))
	switch {
	case kind == "leave" && errors.Is(err, context.Canceled):
		return nil
	case err != nil:
		return err
	case kind == "{" && answer.Status != http.StatusBadRequest, answer.Took > 30*time.Second:
		return fmt.Errorf("%q: status %d after %s", kind, answer.Status, answer.Took)
	case kind != "{" && answer.Status == http.StatusBadRequest:
		return fmt.Errorf("%q: %s", kind, answer.Body)
	}
	return nil
}
