package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestProvidersThatDifferInPathAndCredentials goes from Azure through Mistral to
// OpenAI: each sees its own path, credential and field names, and nothing of the
// ones before it.
func TestProvidersThatDifferInPathAndCredentials(t *testing.T) {
	t.Parallel()
	all := stubs(t, 3)
	header := func(name, value string) map[string]any {
		return map[string]any{"header_name": name, "header_value": value}
	}
	s := harness.Start(t, harness.Options{
		Config: harness.Config(harness.Plugin{
			Algorithm: "priority",
			Failover:  harness.SeedCriteria(),
			Targets: []harness.Target{
				{
					Provider: "azure", Model: "gpt-5-azure", Weight: 9, Auth: header("api-key", "azure-secret"),
					Options: map[string]any{"azure_instance": "mine", "azure_deployment_id": "deployed", "azure_api_version": "2024-10-21"},
				},
				{
					Provider: "mistral", Model: "mistral-large", Weight: 5, Auth: header("Authorization", "Bearer mistral-secret"),
					Options: map[string]any{"mistral_format": "openai", "temperature": harness.Number("0.50")},
				},
				{Provider: "openai", Model: "gpt-4o", Weight: 1, Auth: header("Authorization", "Bearer openai-secret")},
			},
		}),
		Flags: []string{
			"--provider-url", "azure=" + all[0].URL, "--provider-url", "mistral=" + all[1].URL, "--provider-url", "openai=" + all[2].URL,
		},
	})
	all[0].Do(harness.Status(429))
	all[1].Do(harness.Status(503))
	answer := s.Do(harness.NewClient(t, harness.Protocols()[0]), s.Request(t.Context(), harness.ChatPath+"?keep=1",
		strings.NewReader(`{"max_tokens":7,"messages":[{"role":"user","content":"hello"}]}`), http.Header{}))
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	require.Equal(t, "openai/gpt-4o", answer.Header.Get("X-Kong-Llm-Model"))

	for i, want := range []struct{ uri, body, header, value string }{
		{
			"/openai/deployments/deployed/chat/completions?keep=1&api-version=2024-10-21",
			`{"messages":[{"role":"user","content":"hello"}],"model":"gpt-5-azure","max_completion_tokens":7}`,
			"Api-Key", "azure-secret",
		},
		{
			"/v1/chat/completions?keep=1",
			`{"messages":[{"role":"user","content":"hello"}],"model":"mistral-large","max_tokens":7,"temperature":0.50}`,
			"Authorization", "Bearer mistral-secret",
		},
		{
			"/v1/chat/completions?keep=1",
			`{"messages":[{"role":"user","content":"hello"}],"model":"gpt-4o","max_tokens":7}`,
			"Authorization", "Bearer openai-secret",
		},
	} {
		got := all[i].Only(t)
		require.Equal(t, want.uri, got.URI)
		require.JSONEq(t, want.body, string(got.Body))
		require.Equal(t, want.value, got.Header.Get(want.header))
		for _, secret := range []string{"azure-secret", "mistral-secret", "openai-secret"} {
			require.Equal(t, strings.Contains(want.value, secret), strings.Contains(everything(got), secret), "%s at target %d", secret, i)
		}
	}
}
