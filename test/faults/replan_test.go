package faults_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"semlb/envoy"
	"semlb/test/harness"
)

// outdated is a change that is rolled out while a client sends its request. The old
// configuration has one target, whose cluster Envoy does not have any more when it plans the
// request.
type outdated struct {
	change
	// status is that of the answer, and attempts who is asked for it.
	status   int
	attempts []*harness.Stub
}

func (w *replicas) allOutdated() []outdated {
	seed, connections := harness.SeedCriteria(), []string{"error"}
	idle, two, three := []*harness.Stub{w.idle}, []*harness.Stub{w.failing, w.alsoFailing}, []*harness.Stub{w.failing, w.alsoFailing, w.well}
	return []outdated{
		{w.outdated("targets", seed, seed, three), http.StatusOK, three},
		{w.outdated("criteria-added", connections, seed, three), http.StatusOK, three},
		{w.outdated("criteria-removed", seed, connections, three), http.StatusTooManyRequests, three[:1]},
		{w.outdated("idle-connection-ends", seed, seed, idle), http.StatusOK, idle},
		{w.outdated("no-target-works", seed, seed, two), http.StatusServiceUnavailable, two},
	}
}

// outdated is a change of criteria and of all targets.
func (w *replicas) outdated(name string, before, after []string, targets []*harness.Stub) change {
	odd := harness.Target{URL: w.other.URL, Model: "only", Auth: map[string]any{"header_name": oddHeader, "header_value": "odd"}}
	c := change{
		name: name,
		old:  &harness.Plugin{Failover: before, Targets: []harness.Target{odd}},
		new:  &harness.Plugin{Algorithm: "priority", Failover: after},
	}
	for i, s := range targets {
		c.new.Targets = append(c.new.Targets, target(s, fmt.Sprintf("%s-%d", name, i), 75-i))
	}
	return c
}

// upload is a request whose body is on its way.
type upload struct {
	outdated
	body *io.PipeWriter
	rest string
}

// begin sends the first part of a request's body, in chunks.
func (w *replicas) begin(o outdated, all *errgroup.Group) upload {
	r, body := io.Pipe()
	const begun = len(`{"messages"`)
	text := harness.Chat(strings.Repeat("hello ", 20<<10))
	all.Go(func() error {
		answer, err := harness.Send(w.client, w.gateway.Request(w.t.Context(), "/"+o.name, r))
		by := answer.Header.Get("X-Stub")
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", o.name, err)
		case answer.Status != o.status || by != o.attempts[len(o.attempts)-1].Name || answer.Header.Get(envoy.HeaderReplan) != "":
			return fmt.Errorf("%s: %d by %q: %v %s", o.name, answer.Status, by, answer.Header, answer.Body)
		default:
			return nil
		}
	})
	_, err := io.WriteString(body, text[:begun])
	require.NoError(w.t, err)
	return upload{o, body, text[begun:]}
}

func (u upload) end(t *testing.T) {
	t.Helper()
	_, err := io.WriteString(u.body, u.rest)
	require.NoError(t, err)
	require.NoError(t, u.body.Close())
}

// awaitLogged waits until a request to a route is logged with the targets that were tried.
func (w *replicas) awaitLogged(o outdated) {
	w.t.Helper()
	pattern := fmt.Sprintf(`msg=request .* status=%d attempts=%d .* ai\.proxy\.tried_targets="\[`, o.status, len(o.attempts))
	for i := range o.attempts {
		pattern += `[^}]* Model:` + o.new.Targets[i].Model + ` [^}]*}`
	}
	logged := regexp.MustCompile(pattern + `\]"`)
	require.Eventually(w.t, func() bool { return logged.MatchString(w.new.Log()) }, waitLimit, waitStep, "%s\n%s", pattern, lazily(w.new.Log))
}

func TestFault31PlannedByAnOutdatedConfiguration(t *testing.T) {
	r := begin(t, "two replicas; while clients send bodies, Envoy takes over the configuration of the new one, and the old one plans: one target, whose cluster is gone")
	w := newReplicas(t)
	all := w.allOutdated()
	usual := w.outdated("usual", harness.SeedCriteria(), harness.SeedCriteria(), []*harness.Stub{w.idle})
	w.changes = []change{usual}
	for _, o := range all {
		w.changes = append(w.changes, o.change)
	}
	w.configure()
	w.start(w.old, w.new)
	var answers errgroup.Group
	var uploads []upload
	for _, o := range all {
		uploads = append(uploads, w.begin(o, &answers))
	}
	require.Eventually(t, func() bool { // each is admitted, and its first part may be passed on
		return harness.EnvoyStat(t, w.admin, `^http\.semlb_outer\.ext_proc\.stream_msgs_received$`) == 2*len(uploads)
	}, waitLimit, waitStep)
	w.old.Kill()
	w.awaitHealthy(1)
	w.awaitConfigured(w.failing)
	require.NoError(t, w.ask(usual)) // Envoy begins the stream of the log, and has a connection to an idle target
	w.reset()
	w.idle.Do(harness.OnReused(harness.Close(), harness.OK()))
	w.run(w.old)
	w.awaitHealthy(2)
	for _, u := range uploads {
		u.end(t)
	}
	require.NoError(t, answers.Wait())
	require.Empty(t, w.other.Requests(), "its cluster is gone")
	require.Equal(t, len(uploads), w.substitutes(w.new, "other_target"))
	attempts := make(map[*harness.Stub]int)
	for _, o := range all {
		for _, s := range o.attempts {
			attempts[s]++
		}
		w.awaitLogged(o)
	}
	seen := 0
	attempts[w.idle]++ // on the connection that ends
	for s, n := range attempts {
		require.Len(t, s.Requests(), n, s.Name)
		for _, got := range s.Requests() {
			require.Equal(t, keyOf(s.Name), got.Header.Get("Authorization"))
			require.Empty(t, got.Header.Get(oddHeader), "the key of the target that was planned")
		}
		seen += n
	}
	r.saw("%d requests, each answered as the new configuration says, after all of its targets that may be tried: %d attempts with the right key, and all of them in the log", len(uploads), seen)
}
