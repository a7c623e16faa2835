package scopes_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/tools"
)

const (
	// apiKey stands for the key of OpenAI.
	apiKey = "sk-marker-0452-not-a-real-key"
	// prompt is nearest to "Specialist in programming problems".
	prompt = "Why does my Go program deadlock on an unbuffered channel?"
	// heaviest is the target of the examples that answers it.
	heaviest = "openai/gpt-4o"
)

// The consumers' keys.
const (
	insidersKey  = "key-of-the-insider"
	outsidersKey = "key-of-the-outsider"
)

// entities is a decK file with two of everything: those that an example is bound
// to, and others. If the example is global, a separate instance serves the other
// route.
func entities(scope string, name map[string]string) string {
	text := fmt.Sprintf(`_format_version: "3.0"
services:
- name: %q
  routes:
  - {name: %q, paths: [/in]}
- name: elsewhere
  routes:
  - {name: out, paths: [/out]}
consumers:
- username: %q
  groups: [{name: %q}]
  keyauth_credentials: [{key: %s}]
- username: outsider
  groups: [{name: others}]
  keyauth_credentials: [{key: %s}]
consumer_groups:
- name: %q
- name: others
`, name["service"], name["route"], name["consumer"], name["consumer_group"], insidersKey, outsidersKey, name["consumer_group"])
	if scope == "global" {
		text += `plugins:
- name: ai-proxy-advanced
  route: out
  config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: another-instance}}]}
`
	}
	return text
}

// ask sends the prompt to a path, as the consumer of a key.
func ask(s *harness.Semlb, c *http.Client, path, key string) harness.Answer {
	headers := http.Header{}
	if key != "" {
		headers.Set("Apikey", key)
	}
	return s.Do(c, s.Request(s.Context(), path+harness.ChatPath, strings.NewReader(harness.Chat(prompt)), headers))
}

// requireScope checks that an example is in force for the requests of its scope, and
// for no others.
func requireScope(t *testing.T, s *harness.Semlb, openAI *harness.Stub, scope string) {
	t.Helper()
	c := harness.NewClient(t, harness.HTTP1)
	openAI.Reset()
	answer := ask(s, c, "/in", insidersKey)
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	require.Equal(t, heaviest, answer.Header.Get("X-Kong-Llm-Model"))
	got := openAI.Only(t)
	require.Equal(t, "Bearer "+apiKey, got.Header.Get("Authorization"))
	require.Equal(t, harness.ChatPath, got.URI)
	require.Contains(t, string(got.Body), `"model":"gpt-4o"`)
	require.Contains(t, string(got.Body), `"temperature":1.0`)
	require.NotContains(t, fmt.Sprint(got.Header), insidersKey)

	openAI.Reset()
	switch scope {
	case "global":
		answer := ask(s, c, "/out", "")
		require.Equal(t, http.StatusOK, answer.Status, answer.Body)
		require.Equal(t, "openai/another-instance", answer.Header.Get("X-Kong-Llm-Model"))
		require.Equal(t, heaviest, ask(s, c, "/in", "").Header.Get("X-Kong-Llm-Model"), "anybody")
	case "service", "route":
		require.Equal(t, http.StatusNotFound, ask(s, c, "/out", insidersKey).Status)
		require.Empty(t, openAI.Requests())
		require.Equal(t, heaviest, ask(s, c, "/in", "").Header.Get("X-Kong-Llm-Model"), "anybody")
	default:
		require.Equal(t, http.StatusNotFound, ask(s, c, "/in", outsidersKey).Status)
		require.Equal(t, http.StatusUnauthorized, ask(s, c, "/in", "").Status)
		require.Equal(t, http.StatusUnauthorized, ask(s, c, "/in", "no-key").Status)
		require.Empty(t, openAI.Requests())
		require.Equal(t, heaviest, ask(s, c, "/out", insidersKey).Header.Get("X-Kong-Llm-Model"), "anywhere")
	}
}

// examples lists the examples of a format that match a pattern, with their scopes.
func examples(t *testing.T, format, extension string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(tools.Root(t), "examples", format, "*."+extension))
	require.NoError(t, err)
	require.Len(t, files, 5)
	scopes := make(map[string]string, len(files))
	for _, f := range files {
		scopes[f] = strings.TrimSuffix(filepath.Base(f), "."+extension)
	}
	return scopes
}

// start starts semlb with the text of a file and with flags.
func start(t *testing.T, text string, openAI *harness.Stub, flags ...string) *harness.Semlb {
	t.Helper()
	return harness.Start(t, harness.Options{
		Config: text,
		Flags:  append([]string{"--provider-url", "openai=" + openAI.URL}, flags...),
		Env: map[string]string{
			"DECK_OPENAI_API_KEY": apiKey, "OPENAI_API_KEY": apiKey, "TF_VAR_openai_api_key": apiKey,
			"KONNECT_TOKEN": konnectToken,
		},
	})
}
