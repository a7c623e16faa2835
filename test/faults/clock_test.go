package faults_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"semlb/test/clock"
	"semlb/test/harness"
)

// day is by how much the wall clock is set, in either direction.
const day = 24 * time.Hour

// clockWorld is a world whose wall clock can be set.
type clockWorld struct {
	*world
	wall     *clock.Clock
	embedder *embedder
	prompts  int
}

// startClock starts a world in which every pause lasts for a number of seconds, at most a
// minute for those that a server asks for, and whose consumer has tokens.
func startClock(t *testing.T, seconds int) *clockWorld {
	t.Helper()
	w := &clockWorld{wall: new(clock.Clock), embedder: newEmbedder(t)}
	o := options{embedder: w.embedder, plugin: func(p *harness.Plugin) {
		p.Balancer = map[string]any{"max_fails": 1, "fail_timeout": seconds * 1000}
	}}
	targets := newTargets(t)
	text := targets.configuration(o) + fmt.Sprintf("consumers:\n- username: alice\n  jwt_secrets: [{key: alice, secret: %q}]\n", tokenSecret)
	w.world = start(t, options{embedder: w.embedder, config: text, now: w.wall.Now, flags: withBudget()})
	w.cook1, w.cook2, w.code = targets.cook1, targets.cook2, targets.code
	w.requireGood()
	return w
}

// pause pauses a target by its circuit breaker, another one and the embedding model by a
// Retry-After, and waits until that is in force.
func (w *clockWorld) pause(retryAfter func() string) {
	w.t.Helper()
	busy := func(x *harness.Exchange) {
		harness.Status(http.StatusTooManyRequests, http.Header{"Retry-After": {retryAfter()}})(x)
	}
	w.embedder.Do(busy)
	require.Eventually(w.t, func() bool { return !w.embeds() }, waitLimit, waitStep)
	w.embedder.recover()
	w.cook1.Do(busy)
	require.Eventually(w.t, func() bool { return w.avoids(w.cook1, cooking) }, waitLimit, waitStep)
	w.code.Do(harness.Reset())
	require.Eventually(w.t, func() bool { return w.avoids(w.code, code) }, waitLimit, waitStep)
	w.reset()
}

// avoids sends a request and reports whether a target got none.
func (w *clockWorld) avoids(s *harness.Stub, prompt string) bool {
	w.t.Helper()
	before := len(s.Requests())
	_ = w.post(chat(prompt))
	return len(s.Requests()) == before
}

// embeds sends a prompt about programs that was not sent before, and reports whether the
// embedding model was called for it.
func (w *clockWorld) embeds() bool {
	w.t.Helper()
	w.prompts++
	before := len(w.embedder.Requests())
	_ = w.post(chat(fmt.Sprint("program ", w.prompts)))
	return len(w.embedder.Requests()) > before
}

const tokenSecret = "the secret of alice's tokens, which is long enough"

// status is that of a request with a token that expires an hour after the test began.
func (w *clockWorld) status(token string) int {
	w.t.Helper()
	return w.post(chat(cooking), http.Header{"Authorization": {"Bearer " + token}}).Status
}

func TestFault43Clock(t *testing.T) {
	r := begin(t, "semlb's wall clock set forward by a day, and back: open circuit breaker, Retry-After by seconds and by date, paused embedding model, cached vectors, tokens")
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": "alice", "exp": time.Now().Add(time.Hour).Unix()}).SignedString([]byte(tokenSecret))
	require.NoError(t, err)

	w := startClock(t, 3600)
	w.pause(func() string { return "60" })
	w.wall.Jump(day)
	require.True(t, w.avoids(w.code, code), "its circuit breaker is open for an hour, and its vector is cached")
	require.True(t, w.avoids(w.cook1, cooking), "it cools down for a minute")
	require.False(t, w.embeds(), "the embedding model is paused for a minute")
	require.Equal(t, http.StatusUnauthorized, w.status(token))
	w.wall.Jump(-day)
	require.Equal(t, http.StatusOK, w.status(token))
	r.saw("forward: all pauses go on; a token is expired, and good again when the clock is set back")

	w = startClock(t, 3)
	w.wall.Jump(day)
	w.pause(func() string { return time.Now().Add(4 * time.Second).UTC().Format(http.TimeFormat) })
	r.saw("a Retry-After with a date of a provider whose clock is right pauses, though semlb's is a day ahead")
	w.wall.Jump(-2 * day)
	require.Eventually(t, func() bool { return !w.avoids(w.code, code) }, waitLimit, waitStep)
	require.Eventually(t, func() bool { return !w.avoids(w.cook1, cooking) }, waitLimit, waitStep)
	require.Eventually(t, func() bool { return w.embeds() }, waitLimit, waitStep)
	w.reset()
	w.requireGood()
	r.saw("back: each ends in time")
}
