package seed_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

func TestLoadEmbedsBothDescriptionsInOneCall(t *testing.T) {
	startRedis(t)
	o := newOpenAI(t)
	start(t, o, seed()).RequireReady()

	r := o.Only(t)
	require.Equal(t, http.MethodPost, r.Method)
	require.Equal(t, embeddingsPath, r.URI)
	require.Equal(t, o.Authority, r.Host)
	require.Equal(t, []string{"Bearer " + key}, r.Header["Authorization"])
	require.Equal(t, "application/json", r.Header.Get("Content-Type"))
	require.EqualValues(t, len(r.Body), r.ContentLength)
	e := embedRequestOf(t, r)
	require.ElementsMatch(t, []string{realLife, programming}, e.Input)
	require.Equal(t, "text-embedding-3-small", e.Model)
	require.Equal(t, width, e.Dimensions)
}

func TestPromptsGoToTheNearestDescription(t *testing.T) {
	startRedis(t)
	o := newOpenAI(t)
	g := start(t, o, seed())
	o.refuse("gpt-4o", http.StatusTooManyRequests)
	for _, tt := range []struct {
		prompt, group, reason string
	}{
		{"about programming", ofProgramming, "matched"},
		{"about real life", ofRealLife, "matched"},
		// The threshold of 0.7 is a distance: similarities down to 0.3 are within it.
		{"programming similarity=0.3001", ofProgramming, "matched"},
		{"programming similarity=0.2999", ofProgramming, "beyond_threshold"},
		{"real life similarity=0.3001", ofRealLife, "matched"},
		{"real life similarity=0.2999", ofRealLife, "beyond_threshold"},
		{"real life similarity=-0.1", ofProgramming, "beyond_threshold"},
	} {
		t.Run(tt.prompt, func(t *testing.T) {
			before := g.decided(tt.reason)
			require.Equal(t, tt.group, g.group(tt.prompt))
			require.Equal(t, before+1, g.decided(tt.reason))
		})
	}
}

func TestANewPromptIsEmbeddedOnceAndARepeatedOneIsCached(t *testing.T) {
	startRedis(t)
	o := newOpenAI(t)
	g := start(t, o, seed())
	for range 3 {
		g.served("about programming")
	}
	require.Len(t, o.embeddings(), 2, "one at load, one for the prompt")
	r := o.embeddings()[1]
	require.Equal(t, []string{"about programming"}, embedRequestOf(t, r).Input)
	require.Equal(t, width, embedRequestOf(t, r).Dimensions)
	require.Equal(t, []string{"Bearer " + key}, r.Header["Authorization"])

	g.served("about something else")
	require.Len(t, o.embeddings(), 3)
	g.served("about programming")
	require.Len(t, o.embeddings(), 3)
	require.Len(t, o.chatRequests(), 5)
}

func TestAPromptOfManyConcurrentRequestsIsEmbeddedOnce(t *testing.T) {
	startRedis(t)
	o := newOpenAI(t)
	g := start(t, o, seed())
	var group sync.WaitGroup
	errs := make([]error, 32)
	for i := range errs {
		r := g.Request(t.Context(), harness.ChatPath, strings.NewReader(harness.Chat("programming, by many")))
		group.Go(func() {
			answer, err := harness.Send(g.client, r)
			if err == nil && answer.Status != http.StatusOK {
				err = fmt.Errorf("status %d: %s", answer.Status, answer.Body)
			}
			errs[i] = err
		})
	}
	group.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Len(t, o.embeddings(), 2, "one at load, one for the prompt")
}

func TestChatReachesOpenAIAsConfigured(t *testing.T) {
	startRedis(t)
	o := newOpenAI(t)
	g := start(t, o, seed())
	o.refuse("gpt-4o", http.StatusServiceUnavailable)

	const rest = `"messages":[{"role":"user","content":"programming, in bytes"}],"seed":12345678901234567890,"top_p":1e-1,"x":{"b":1,"a":[1.50]}}`
	answer := g.Post(g.client, `{"model":"gpt-4","temperature":0.2,"max_tokens":7,`+rest,
		http.Header{"Authorization": {"Bearer sk-of-the-client"}})
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	require.Equal(t, "openai/gpt-4o-mini", answer.Header.Get("X-Kong-Llm-Model"))

	attempts := o.chatRequests()
	require.Len(t, attempts, 2)
	for i, model := range []string{"gpt-4o", "gpt-4o-mini"} {
		r := attempts[i]
		require.Equal(t, `{"model":"`+model+`","temperature":1.0,"max_tokens":1024,`+rest, string(r.Body))
		require.Equal(t, harness.ChatPath, r.URI)
		require.Equal(t, http.MethodPost, r.Method)
		require.Equal(t, o.Authority, r.Host)
		require.EqualValues(t, len(r.Body), r.ContentLength)
		require.Equal(t, []string{"Bearer " + key}, r.Header["Authorization"])
		require.Equal(t, "application/json", r.Header.Get("Content-Type"))
		requireNothingOfOurs(t, r.Header)
	}
}

// requireNothingOfOurs makes sure that a provider sees no header of the hops'.
func requireNothingOfOurs(t *testing.T, h http.Header) {
	t.Helper()
	for name := range h {
		lower := strings.ToLower(name)
		require.False(t, strings.HasPrefix(lower, "x-semlb") || strings.HasPrefix(lower, "x-envoy"), "header %s: %v", name, h[name])
	}
}

func TestOptionsThatTheClientLeavesOutAreAdded(t *testing.T) {
	startRedis(t)
	o := newOpenAI(t)
	start(t, o, seed()).served("about programming")
	body := string(o.chatRequests()[0].Body)
	for _, member := range []string{`"model":"gpt-4o"`, `"max_tokens":1024`, `"temperature":1.0`} {
		require.Contains(t, body, member)
	}
}

func TestAFailingEmbedderDegradesToTheDefaultGroup(t *testing.T) {
	startRedis(t)
	o := newOpenAI(t)
	// OpenAI's own answer to a wrong key repeats a part of it; this one all of it.
	o.embedsWith(func(x *harness.Exchange) {
		x.Writer.WriteHeader(http.StatusUnauthorized)
		_, _ = x.Writer.Write([]byte(`{"error":{"message":"Incorrect API key provided: ` + key + `","code":"invalid_api_key"}}`))
	})
	g := start(t, o, seed())
	g.RequireReady()
	require.Equal(t, "openai/gpt-4o", g.served("about real life"))
	o.refuse("gpt-4o", http.StatusTooManyRequests)
	require.Equal(t, ofProgramming, g.group("about real life"), "the default group has the largest weight")
	require.Equal(t, 2, g.decided("degraded"))
	require.NotContains(t, g.Log(), key)
}

func TestAnEmbedderThatRecoversIsUsedAgain(t *testing.T) {
	startRedis(t)
	o := newOpenAI(t)
	o.embedsWith(harness.Status(http.StatusInternalServerError))
	g := start(t, o, seed())
	o.refuse("gpt-4o", http.StatusTooManyRequests)
	require.Equal(t, ofProgramming, g.group("about real life"))
	o.embedsWith(embed)
	require.Eventually(t, func() bool { return g.group("about real life") == ofRealLife }, waitLimit, pause)
}
