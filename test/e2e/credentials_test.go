package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// everything of a request that a secret could be in.
func everything(r harness.Received) string {
	var all strings.Builder
	all.WriteString(r.URI + "\n" + r.Host + "\n" + string(r.Body) + "\n")
	_ = r.Header.Write(&all) // to a strings.Builder
	return all.String()
}

// TestCredentialsReachTheirOwnTargetOnly uses a credential of each kind, and a
// client that sends its own of every kind.
func TestCredentialsReachTheirOwnTargetOnly(t *testing.T) {
	t.Parallel()
	all := stubs(t, 5)
	secrets := []string{"secret-0", "secret-1", "secret-2", "secret-3"}
	auths := []map[string]any{
		{"header_name": "Authorization", "header_value": "Bearer secret-0"},
		{"header_name": "X-Own-Key", "header_value": "secret-1"},
		{"param_name": "key", "param_value": "secret-2", "param_location": "query"},
		{"param_name": "token", "param_value": "secret-3", "param_location": "body"},
		{}, // a target that needs none
	}
	var targets []harness.Target
	for i, stub := range all {
		targets = append(targets, harness.Target{URL: stub.URL, Model: modelOf(0, i), Weight: 10 - i, Auth: auths[i]})
	}
	s := harness.Start(t, harness.Options{Config: harness.Config(harness.Plugin{Failover: harness.SeedCriteria(), Targets: targets})})

	client := http.Header{
		"Authorization": {"Bearer clients-secret"}, "api-key": {"clients-secret"}, "X-API-KEY": {"clients-secret"},
		"x-own-key": {"clients-secret"}, "X-Goog-Api-Key": {"clients-secret"},
	}
	for answering := range all {
		for _, p := range harness.Protocols() {
			reset(all...)
			for _, stub := range all[:answering] {
				stub.Do(harness.Status(429))
			}
			body := harness.Chat("hello", `"token":"clients-secret"`)
			answer := s.Do(harness.NewClient(t, p), s.Request(t.Context(),
				harness.ChatPath+"?key=clients-secret&keep=1", strings.NewReader(body), client))
			require.Equal(t, http.StatusOK, answer.Status, answer.Body)
			for i, stub := range all[:answering+1] {
				got := everything(stub.Only(t))
				require.NotContains(t, got, "clients-secret", "target %d", i)
				require.Contains(t, got, "keep=1")
				for j, secret := range secrets {
					require.Equal(t, i == j, strings.Contains(got, secret), "%s at target %d:\n%s", secret, i, got)
				}
			}
		}
	}
	require.Equal(t, "Bearer secret-0", all[0].Only(t).Header.Get("Authorization"))
	require.Equal(t, "secret-1", all[1].Only(t).Header.Get("X-Own-Key"))
	require.Equal(t, harness.ChatPath+"?keep=1&key=secret-2", all[2].Only(t).URI)
	require.Contains(t, string(all[3].Only(t).Body), `"token":"secret-3"`)
	for _, secret := range append(secrets, "clients-secret") {
		require.NotContains(t, s.Log(), secret)
	}
}

// TestAllowedOverrideKeepsTheClientsCredentialOnEveryAttempt: the request is then
// rewritten from the client's own on each attempt.
func TestAllowedOverrideKeepsTheClientsCredentialOnEveryAttempt(t *testing.T) {
	t.Parallel()
	all := stubs(t, 4)
	var targets []harness.Target
	for i, stub := range all {
		targets = append(targets, harness.Target{
			URL: stub.URL, Model: modelOf(0, i), Weight: 10 - i, Authorization: keyOf(0, i),
			Auth:    map[string]any{"allow_override": i != 1},
			Options: map[string]any{"max_tokens": 100 + i},
		})
	}
	s := harness.Start(t, harness.Options{Config: harness.Config(harness.Plugin{Failover: harness.SeedCriteria(), Targets: targets})})
	for _, p := range harness.Protocols() {
		for name, header := range map[string]http.Header{"with": {"Authorization": {"Bearer the-clients"}}, "without": {}} {
			t.Run(string(p)+"/"+name, func(t *testing.T) {
				reset(all...)
				all[0].Do(harness.Status(429))
				all[1].Do(harness.Reset())
				all[2].Do(harness.Status(503))
				answer := s.Post(harness.NewClient(t, p), harness.Chat("hello", `"max_tokens":7`), header)
				require.Equal(t, http.StatusOK, answer.Status, answer.Body)
				for i, stub := range all {
					got := stub.Only(t)
					want := keyOf(0, i)
					if name == "with" && i != 1 {
						want = "Bearer the-clients"
					}
					require.Equal(t, []string{want}, got.Header["Authorization"], "target %d", i)
					body := harness.Chat("hello", fmt.Sprintf(`"max_tokens":%d`, 100+i))
					body = strings.TrimSuffix(body, "}") + `,"model":"` + modelOf(0, i) + `"}`
					require.Equal(t, body, string(got.Body))
					require.EqualValues(t, len(body), got.ContentLength)
				}
			})
		}
	}
}
