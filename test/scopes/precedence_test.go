package scopes_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// levels are the scopes in the order of their precedence.
func levels() []string {
	return []string{
		"consumer: anna, route: chat, service: llm",
		"consumer_group: gold, route: chat, service: llm",
		"consumer: anna, route: chat",
		"consumer: anna, service: llm",
		"consumer_group: gold, route: chat",
		"consumer_group: gold, service: llm",
		"route: chat, service: llm",
		"consumer: anna",
		"consumer_group: gold",
		"route: chat",
		"service: llm",
		"",
	}
}

// plugins writes an instance for each level from first on, in reverse order, so that
// the order of the file does not matter.
func plugins(first int) string {
	text := "_format_version: \"3.0\"\nplugins:\n"
	all := levels()
	for i := len(all) - 1; i >= first; i-- {
		scope := all[i]
		if scope != "" {
			scope = ", " + scope
		}
		text += fmt.Sprintf("- {name: ai-proxy-advanced%s, config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: level-%d}}]}}\n", scope, i+1)
	}
	if first == len(all) {
		return "_format_version: \"3.0\"\nplugins: []\n"
	}
	return text
}

// TestTwelveLevelsOfPrecedence has an instance of every scope that a request is in.
// They are taken away one by one, and each time the next one answers.
func TestTwelveLevelsOfPrecedence(t *testing.T) {
	openAI := harness.NewStub(t, "openai")
	file := filepath.Join(t.TempDir(), "plugins.yaml")
	require.NoError(t, os.WriteFile(file, []byte(plugins(0)), 0o600))
	names := map[string]string{"service": "llm", "route": "chat", "consumer": "anna", "consumer_group": "gold"}
	s := start(t, entities("", names), openAI, "-c", file)
	c := harness.NewClient(t, harness.HTTP1)
	require.Len(t, levels(), 12)
	for i, scope := range levels() {
		answer := ask(s, c, "/in", insidersKey)
		require.Equal(t, http.StatusOK, answer.Status, "level %d: %s", i+1, answer.Body)
		require.Equal(t, fmt.Sprintf("openai/level-%d", i+1), answer.Header.Get("X-Kong-Llm-Model"), "%q", scope)
		replace(t, s, file, plugins(i+1))
	}
	require.Equal(t, http.StatusNotFound, ask(s, c, "/in", insidersKey).Status)
}

// TestRequestsOutsideOfALevelAreServedByTheNextWiderOne asks as others, at other places,
// while all twelve are in force.
func TestRequestsOutsideOfALevelAreServedByTheNextWiderOne(t *testing.T) {
	openAI := harness.NewStub(t, "openai")
	names := map[string]string{"service": "llm", "route": "chat", "consumer": "anna", "consumer_group": "gold"}
	more := strings.Replace(entities("", names), `  - {name: "chat", paths: [/in]}`, `  - {name: "chat", paths: [/in]}
  - {name: second, paths: [/second]}`, 1)
	more = strings.Replace(more, "consumer_groups:\n", "- username: bob\n  groups: [{name: gold}]\n  keyauth_credentials: [{key: key-of-bob}]\nconsumer_groups:\n", 1)
	s := start(t, more, openAI, "-c", harness.WriteConfig(t, plugins(0)))
	c := harness.NewClient(t, harness.HTTP1)
	for _, tt := range []struct {
		path, key string
		level     int
	}{
		{"/in", insidersKey, 1},
		{"/in", "key-of-bob", 2},
		{"/second", insidersKey, 4},
		{"/second", "key-of-bob", 6},
		{"/in", outsidersKey, 7},
		{"/in", "", 7},
		{"/out", insidersKey, 8},
		{"/out", "key-of-bob", 9},
		{"/second", outsidersKey, 11},
		{"/out", outsidersKey, 12},
		{"/out", "", 12},
	} {
		answer := ask(s, c, tt.path, tt.key)
		require.Equal(t, fmt.Sprintf("openai/level-%d", tt.level), answer.Header.Get("X-Kong-Llm-Model"), "%s as %q: %s", tt.path, tt.key, answer.Body)
	}
}

// replace replaces a file and waits until it is in force.
func replace(t *testing.T, s *harness.Semlb, file, text string) {
	t.Helper()
	before := s.Metric("semlb_reloads_total", "result", "applied")
	require.NoError(t, os.WriteFile(file+".new", []byte(text), 0o600))
	require.NoError(t, os.Rename(file+".new", file))
	require.Eventually(t, func() bool { return s.Metric("semlb_reloads_total", "result", "applied") > before }, time.Minute, 20*time.Millisecond)
}
