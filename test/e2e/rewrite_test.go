package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/ca"
	"semlb/test/harness"
)

// TestEveryAttemptIsMadeFromTheClientsOwnRequest lets two attempts fail and
// compares all three bodies, byte for byte, with what each target makes of the
// client's body.
func TestEveryAttemptIsMadeFromTheClientsOwnRequest(t *testing.T) {
	t.Parallel()
	all := stubs(t, 3)
	options := []map[string]any{
		{"max_tokens": 1024, "temperature": harness.Number("1.0")},
		{},
		{"temperature": harness.Number("0.25"), "top_p": harness.Number("0.5")},
	}
	var targets []harness.Target
	for i, stub := range all {
		targets = append(targets, harness.Target{
			URL: stub.URL, Model: modelOf(0, i), Weight: 10 - i, Authorization: keyOf(0, i), Options: options[i],
		})
	}
	s := harness.Start(t, harness.Options{Config: harness.Config(harness.Plugin{Failover: harness.SeedCriteria(), Targets: targets})})

	// What surrounds the touched members has what a JSON library would change.
	const before, after = `{ "zeta" : 12345678901234567890.10 ,"model":`,
		"\n\t\"messages\": [{\"content\":\"\\u0041\\/\u00e9\\ud83d\\ude00 <&>\",\"role\":\"user\"}], \"n\":1E+2 ,\"alpha\":{\"b\":null,\"a\":-0.0}"
	for _, tt := range []struct {
		name, body string
		want       [3]string
	}{
		{
			"options that the client sets",
			before + `"gpt-x","max_tokens":7, "temperature":0.30,` + after + `}`,
			[3]string{
				before + `"model-0-0","max_tokens":1024, "temperature":1.0,` + after + `}`,
				before + `"model-0-1","max_tokens":7, "temperature":0.30,` + after + `}`,
				before + `"model-0-2","max_tokens":7, "temperature":0.25,` + after + `,"top_p":0.5}`,
			},
		},
		{
			"options that the client does not set",
			before + `"gpt-x",` + after + `}`,
			[3]string{
				before + `"model-0-0",` + after + `,"temperature":1.0,"max_tokens":1024}`,
				before + `"model-0-1",` + after + `}`,
				before + `"model-0-2",` + after + `,"temperature":0.25,"top_p":0.5}`,
			},
		},
		{
			"a null and a client's own top_p",
			before + `null,"top_p":0.990,"max_tokens":null,` + after + `}`,
			[3]string{
				before + `"model-0-0","top_p":0.990,"max_tokens":1024,` + after + `,"temperature":1.0}`,
				before + `"model-0-1","top_p":0.990,"max_tokens":null,` + after + `}`,
				before + `"model-0-2","top_p":0.5,"max_tokens":null,` + after + `,"temperature":0.25}`,
			},
		},
	} {
		for _, p := range harness.Protocols() {
			t.Run(tt.name+"/"+string(p), func(t *testing.T) {
				reset(all...)
				all[0].Do(harness.Status(429))
				all[1].Do(harness.Reset())
				answer := s.Post(harness.NewClient(t, p), tt.body)
				require.Equal(t, http.StatusOK, answer.Status, answer.Body)
				for i, stub := range all {
					got := stub.Only(t)
					require.Equal(t, tt.want[i], string(got.Body), "attempt %d", i+1)
					require.EqualValues(t, len(tt.want[i]), got.ContentLength)
				}
			})
		}
	}
}

func TestEachTargetHasItsOwnPath(t *testing.T) {
	t.Parallel()
	all := stubs(t, 3)
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(harness.Plugin{Failover: harness.SeedCriteria()}, lanes(
		[]string{all[0].URL + "/first/path", all[1].URL, all[2].URL + "/third?version=3"},
	)))})
	all[0].Do(harness.Status(429))
	all[1].Do(harness.Status(503))
	client := harness.NewClient(t, harness.HTTP1)
	answer := s.Do(client, s.Request(t.Context(), "/any/client/path?trace=a%20b", strings.NewReader(harness.Chat("x"))))
	require.Equal(t, http.StatusOK, answer.Status)
	for i, want := range []string{"/first/path?trace=a%20b", harness.ChatPath + "?trace=a%20b", "/third?trace=a%20b&version=3"} {
		got := all[i].Only(t)
		require.Equal(t, want, got.URI)
		require.Equal(t, all[i].Authority, got.Host)
	}
}

// TestProvidersSeeNoInternalHeaders lists every header that reaches a provider.
func TestProvidersSeeNoInternalHeaders(t *testing.T) {
	t.Parallel()
	authority := ca.New(t)
	all := []*harness.Stub{
		harness.NewStub(t, "a"), harness.NewTLSStub(t, "b", authority), harness.NewStub(t, "c"),
	}
	s := harness.Start(t, harness.Options{
		Config: harness.Config(withLanes(harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all...)))),
		Flags:  []string{"--trusted-ca", authority.File},
	})
	for _, p := range harness.Protocols() {
		reset(all...)
		all[0].Do(harness.Status(429))
		all[1].Do(harness.Status(429))
		answer := s.Post(harness.NewClient(t, p), harness.Chat(prompts()[0]), http.Header{"User-Agent": {"sdk/1.0"}, "X-Own": {"kept"}})
		require.Equal(t, http.StatusOK, answer.Status)
		for i, stub := range all {
			got := stub.Only(t)
			require.Equal(t, "kept", got.Header.Get("X-Own"))
			require.Equal(t, "sdk/1.0", got.Header.Get("User-Agent"))
			var names []string
			for name := range got.Header {
				names = append(names, name)
			}
			require.ElementsMatch(t, []string{
				"Authorization", "Content-Length", "Content-Type", "User-Agent", "X-Own", "X-Request-Id",
			}, names, "attempt %d", i+1)
		}
		require.Equal(t, "HTTP/2.0", all[1].Only(t).Proto)

		// One request ID, which the client receives.
		id := all[0].Only(t).Header.Get("X-Request-Id")
		require.NotEmpty(t, id)
		require.Equal(t, id, all[2].Only(t).Header.Get("X-Request-Id"))
		require.Equal(t, id, answer.Header.Get("X-Kong-Request-Id"))
	}
}

func TestClientsSeeNoInternalHeaders(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all...))))})
	for _, b := range []harness.Behaviour{harness.OK(), harness.Status(429), harness.Status(400), harness.Reset()} {
		reset(all...)
		all[0].Do(b)
		all[1].Do(b)
		answer := s.Post(harness.NewClient(t, harness.HTTP1), harness.Chat(prompts()[0]))
		for name := range answer.Header {
			lower := strings.ToLower(name)
			require.False(t, strings.HasPrefix(lower, "x-semlb-") || strings.HasPrefix(lower, "x-envoy-"), "%s in %v", name, answer.Header)
		}
	}
}

func TestModelHeaderCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	plugin := harness.Plugin{Failover: harness.SeedCriteria(), Extra: map[string]any{"model_name_header": false}}
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(plugin, lanes(urlsOf(all...))))})
	for _, first := range []harness.Behaviour{harness.OK(), harness.Status(429)} {
		all[0].Do(first)
		answer := s.Post(harness.NewClient(t, harness.HTTP1), harness.Chat(prompts()[0]))
		require.Equal(t, http.StatusOK, answer.Status)
		require.NotContains(t, answer.Header, "X-Kong-Llm-Model")
	}
}
