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

// TestPluginsThatGuardAreInForceWhenTheAdminAPIAnswers: the very next request is checked,
// and those after a restart are.
func TestPluginsThatGuardAreInForceWhenTheAdminAPIAnswers(t *testing.T) {
	t.Parallel()
	provider := stubs(t, 1)[0]
	config := harness.Config(harness.Plugin{Targets: []harness.Target{{URL: provider.URL, Model: "m"}}})
	state := filepath.Join(t.TempDir(), "state.json")
	start := func() (*harness.Semlb, string) {
		admin := harness.FreeAddress(t)
		return harness.Start(t, harness.Options{Config: config, Flags: []string{"--admin", admin, "--state", state}}), "http://" + admin
	}
	s, admin := start()
	write := func(method, path, body string) {
		answer := harness.Call(t, method, admin+path, body)
		require.Contains(t, []int{200, 201, 204}, answer.Status, "%s: %s", path, answer.Body)
	}
	chat := func(want int, header ...string) {
		t.Helper()
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		answer := s.Do(harness.NewClient(t, harness.HTTP1), s.Request(t.Context(), harness.ChatPath, strings.NewReader(harness.Chat("hello")), h))
		require.Equal(t, want, answer.Status, answer.Body)
	}

	chat(http.StatusOK)
	write("POST", "/plugins", `{"name": "key-auth", "instance_name": "keys", "config": {"key_names": ["x-key"]}}`)
	chat(http.StatusUnauthorized)
	write("POST", "/consumers", `{"username": "anna"}`)
	write("POST", "/consumers/anna/key-auth", `{"key": "annas-key"}`)
	chat(http.StatusOK, "x-key", "annas-key")
	write("POST", "/plugins", `{"name": "acl", "instance_name": "staff", "config": {"allow": ["staff"]}}`)
	chat(http.StatusForbidden, "x-key", "annas-key")
	s.Stop()
	s, admin = start()
	chat(http.StatusUnauthorized)
	chat(http.StatusForbidden, "x-key", "annas-key")
	write("POST", "/consumers/anna/acls", `{"group": "staff"}`)
	chat(http.StatusOK, "x-key", "annas-key")
	write("POST", "/consumers/anna/plugins", `{"name": "request-termination", "instance_name": "closed", "config": {"status_code": 451}}`)
	chat(http.StatusUnavailableForLegalReasons, "x-key", "annas-key")
	write("DELETE", "/plugins/closed", "")
	write("PATCH", "/plugins/keys", `{"config": {"key_names": ["apikey"]}}`)
	chat(http.StatusUnauthorized, "x-key", "annas-key")
	chat(http.StatusOK, "apikey", "annas-key")
	write("DELETE", "/plugins/staff", "")
	write("DELETE", "/plugins/keys", "")
	chat(http.StatusOK)
	require.NotContains(t, s.Log(), "annas-key")
}
