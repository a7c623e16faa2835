package e2e_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// lane is a group of targets that a prompt can be sent to: its prompt is its
// description. Targets are in the order of their weight.
type lane struct {
	prompt string
	urls   []string
}

// prompts are sentences far from each other.
func prompts() []string {
	return []string{
		"How do I cook fresh pasta at home?",
		"Why does my program crash with a segmentation fault?",
		"When did the Roman empire fall?",
		"How often should I water my tomato plants?",
		"Which chords belong to the key of G major?",
		"What is the offside rule in football?",
		"How does a vaccine train the immune system?",
		"Where can I see penguins in the wild?",
	}
}

// lanes makes one lane for each list of URLs.
func lanes(urls ...[]string) []lane {
	all := make([]lane, len(urls))
	for i, u := range urls {
		all[i] = lane{prompt: prompts()[i], urls: u}
	}
	return all
}

// modelOf is the model of a target of a lane.
func modelOf(lane, target int) string { return fmt.Sprintf("model-%d-%d", lane, target) }

// keyOf is the credential of a target of a lane.
func keyOf(lane, target int) string { return fmt.Sprintf("Bearer key-%d-%d", lane, target) }

// withLanes gives a plugin the targets of lanes.
func withLanes(p harness.Plugin, all []lane) harness.Plugin {
	for i, l := range all {
		for j, url := range l.urls {
			p.Targets = append(p.Targets, harness.Target{
				URL: url, Model: modelOf(i, j), Weight: 100 - j,
				Description: l.prompt, Authorization: keyOf(i, j),
			})
		}
	}
	return p
}

// requireAttempt checks that a stub's request is an attempt at a target of a lane,
// rewritten for it.
func requireAttempt(t *testing.T, got harness.Received, stub *harness.Stub, lane, target int, prompt string) {
	t.Helper()
	want := harness.Chat(prompt, `"model":"`+modelOf(lane, target)+`"`)
	require.Equal(t, want, string(got.Body))
	require.EqualValues(t, len(want), got.ContentLength)
	require.Equal(t, http.MethodPost, got.Method)
	require.Equal(t, harness.ChatPath, got.URI)
	require.Equal(t, stub.Authority, got.Host)
	require.Equal(t, []string{keyOf(lane, target)}, got.Header["Authorization"])
}

// clientModel is the model in the requests of these tests; no target has it.
const clientModel = `"model":"the-client's"`

func stubs(t *testing.T, n int) []*harness.Stub {
	t.Helper()
	all := make([]*harness.Stub, n)
	for i := range all {
		all[i] = harness.NewStub(t, fmt.Sprintf("stub-%d", i))
	}
	return all
}

// oncePerConnection makes the connections of stubs end with their first request.
func oncePerConnection(all []*harness.Stub) []*harness.Stub {
	for _, s := range all {
		s.OncePerConnection()
	}
	return all
}

func urlsOf(all ...*harness.Stub) []string {
	urls := make([]string, len(all))
	for i, s := range all {
		urls[i] = s.URL
	}
	return urls
}

func reset(all ...*harness.Stub) {
	for _, s := range all {
		s.Reset()
	}
}

func counts(all ...*harness.Stub) []int {
	n := make([]int, len(all))
	for i, s := range all {
		n[i] = len(s.Requests())
	}
	return n
}
