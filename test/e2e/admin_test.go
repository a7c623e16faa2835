package e2e_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestAdminAPIChangesWhatEnvoyDoes writes to the Admin API of a running semlb, and
// starts another one with the state that is left.
func TestAdminAPIChangesWhatEnvoyDoes(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	config := harness.Config(harness.Plugin{Targets: []harness.Target{{URL: all[0].URL, Model: "first", Authorization: "Bearer first-key"}}})
	state := filepath.Join(t.TempDir(), "state.json")
	start := func() (*harness.Semlb, string) {
		admin := harness.FreeAddress(t)
		return harness.Start(t, harness.Options{Config: config, Flags: []string{"--admin", admin, "--state", state}}), "http://" + admin
	}
	write := func(method, url, body string) {
		answer := harness.Call(t, method, url, body)
		require.Contains(t, []int{200, 201}, answer.Status, "%s: %s", url, answer.Body)
	}
	chat := func(s *harness.Semlb, key string) int {
		reset(all...)
		header := http.Header{}
		if key != "" {
			header.Set("apikey", key)
		}
		return s.Do(harness.NewClient(t, harness.HTTP1), s.Request(t.Context(), harness.ChatPath, strings.NewReader(harness.Chat("hello")), header)).Status
	}

	s, admin := start()
	require.Equal(t, http.StatusOK, chat(s, ""))
	all[0].Only(t)

	write("POST", admin+"/consumers", `{"username": "alice"}`)
	write("POST", admin+"/consumers/alice/key-auth", `{"key": "alices-key"}`)
	write("POST", admin+"/consumers/alice/plugins/", fmt.Sprintf(`{"name": "ai-proxy-advanced", "config": {"targets": [{
		"route_type": "llm/v1/chat", "model": {"provider": "openai", "name": "second", "options": {"upstream_url": %q}},
		"auth": {"header_name": "Authorization", "header_value": "Bearer second-key"}}]}}`, all[1].URL+harness.ChatPath))
	for range 2 {
		// Answered is in force: the very next request sees it.
		require.Equal(t, http.StatusOK, chat(s, "alices-key"))
		require.Equal(t, "Bearer second-key", all[1].Only(t).Header.Get("Authorization"))
		for _, secret := range []string{"first-key", "second-key", "alices-key"} {
			require.NotContains(t, s.Log(), secret)
		}
		s.Stop()
		s, admin = start()
	}
	write("PATCH", admin+"/consumers/alice", `{"custom_id": "a"}`)
}
