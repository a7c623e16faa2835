package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/wire"
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

	client := http.Header{"x-own-key": {"clients-secret"}}
	byWord := []string{"Kong-Admin-Token", "X-Client-Secret", "X-Auth-Request-Groups", "Set-Cookie", "api_key", "Token"}
	for _, name := range slices.Concat(wire.CredentialHeaders(), wire.AccountHeaders(), byWord) {
		client[strings.ToUpper(name)] = []string{"clients-secret"}
	}
	for answering := range all {
		for _, p := range harness.Protocols() {
			reset(all...)
			for _, stub := range all[:answering] {
				stub.Do(harness.Status(429))
			}
			body := harness.Chat("hello", `"token":"clients-secret"`)
			answer := s.Do(harness.NewClient(t, p), s.Request(t.Context(),
				harness.ChatPath+"?key=clients-secret&keep=1&token=clients-secret", strings.NewReader(body), client))
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
				for name, value := range map[string]string{
					"OpenAI-Organization": "org-the-clients", "OpenAI-Project": "proj-the-clients", "Cookie": "session=the-clients", "api-key": "the-clients-azure",
				} {
					header.Set(name, value)
				}
				reset(all...)
				all[0].Do(harness.Status(429))
				all[1].Do(harness.Reset())
				all[2].Do(harness.Status(503))
				answer := s.Post(harness.NewClient(t, p), harness.Chat("hello", `"max_tokens":7`), header)
				require.Equal(t, http.StatusOK, answer.Status, answer.Body)
				for i, stub := range all {
					got := stub.Only(t)
					want, account := []string{keyOf(0, i)}, []string(nil)
					if name == "with" && i != 1 {
						want, account = header["Authorization"], header.Values("OpenAI-Organization")
					}
					require.Equal(t, want, got.Header["Authorization"], "target %d", i)
					require.Equal(t, account, got.Header["Openai-Organization"], "target %d", i)
					require.Equal(t, account != nil, got.Header.Get("OpenAI-Project") != "", "target %d", i)
					require.NotContains(t, got.Header, "Cookie")
					require.NotContains(t, got.Header, "Api-Key")
					body := harness.Chat("hello", fmt.Sprintf(`"max_tokens":%d`, 100+i))
					body = strings.TrimSuffix(body, "}") + `,"model":"` + modelOf(0, i) + `"}`
					require.Equal(t, body, string(got.Body))
					require.EqualValues(t, len(body), got.ContentLength)
				}
			})
		}
	}
}

// TestClientsGetNothingThatIsAboutTheProvidersHost: cookies of the shared account above
// all, on answers of the first attempt, of a later one, and on errors.
func TestClientsGetNothingThatIsAboutTheProvidersHost(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all...))))})
	head := http.Header{
		"Set-Cookie": {"__cf_bm=1", "session=2"}, "Alt-Svc": {`h3=":443"`}, "Strict-Transport-Security": {"max-age=1"},
		"Openai-Organization": {"ours"}, "X-Kept": {"kept"},
	}
	for _, statuses := range [][]int{{200, 0}, {400, 0}, {429, 200}, {429, 503}} {
		all[0].Do(harness.Status(statuses[0], head))
		all[1].Do(harness.Status(max(statuses[1], 200), head))
		answer := s.Post(harness.NewClient(t, harness.HTTP1), harness.Chat(prompts()[0]))
		require.Equal(t, "kept", answer.Header.Get("X-Kept"))
		for _, name := range []string{"Set-Cookie", "Alt-Svc", "Strict-Transport-Security", "Openai-Organization"} {
			require.NotContains(t, answer.Header, name, "statuses %v", statuses)
		}
	}
}
