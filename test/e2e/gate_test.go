package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// gateProvider is a provider of the gate's tests: what is configured for it, and what
// an attempt at it must look like, whichever attempts came before.
type gateProvider struct {
	stub   *harness.Stub
	target harness.Target
	// served is its value of X-Kong-Llm-Model.
	served string
	// uri, body and credentials are what it is sent. The body is that for gateBody.
	uri, body   string
	credentials http.Header
}

// Whatever a template is filled with comes in these headers of the client.
const (
	gateBody    = `{"model":"the client's","max_tokens":7,"messages":[{"role":"user","content":%q}]}`
	gatePath    = harness.ChatPath + "?keep=1"
	gateWritten = `"messages":[{"role":"user","content":%q}]`
)

func gateHeaders() http.Header {
	return http.Header{
		"X-Deployment": {"my-deployment"}, "X-Size": {"large"},
		"Authorization": {"Bearer client-secret"}, "Api-Key": {"client-secret"},
	}
}

// gateProviders are Azure, Mistral and OpenAI. With templates, the first two can be
// written from the client's own request only.
func gateProviders(t *testing.T, templates bool) []*gateProvider {
	t.Helper()
	deployment, size := "my-deployment", "large"
	if templates {
		deployment, size = "$(headers.x-deployment)", "$(headers.x-size)"
	}
	all := oncePerConnection(stubs(t, 3))
	return []*gateProvider{
		{
			stub: all[0], served: "azure/gpt-5-azure",
			target: harness.Target{
				Provider: "azure", Model: "gpt-5-azure",
				Auth:    map[string]any{"header_name": "api-key", "header_value": "azure-secret"},
				Options: map[string]any{"azure_instance": "mine", "azure_deployment_id": deployment, "azure_api_version": "2024-10-21"},
			},
			uri:         "/openai/deployments/my-deployment/chat/completions?keep=1&api-version=2024-10-21",
			body:        `{"model":"gpt-5-azure","max_completion_tokens":7,` + gateWritten + `}`,
			credentials: http.Header{"Api-Key": {"azure-secret"}},
		},
		{
			stub: all[1], served: "mistral/mistral-large",
			target: harness.Target{
				Provider: "mistral", Model: "mistral-" + size, Authorization: "Bearer mistral-secret",
				Options: map[string]any{"mistral_format": "openai", "temperature": harness.Number("0.50")},
			},
			uri:         gatePath,
			body:        `{"model":"mistral-large","max_tokens":7,"temperature":0.50,` + gateWritten + `}`,
			credentials: http.Header{"Authorization": {"Bearer mistral-secret"}},
		},
		{
			stub: all[2], served: "openai/gpt-4o",
			target: harness.Target{
				Model: "gpt-4o", Authorization: "Bearer openai-secret",
				Auth:    map[string]any{"param_name": "openai-param", "param_value": "openai-param-secret", "param_location": "query"},
				Options: map[string]any{"top_p": harness.Number("0.25")},
			},
			uri:         gatePath + "&openai-param=openai-param-secret",
			body:        `{"model":"gpt-4o","max_tokens":7,"top_p":0.25,` + gateWritten + `}`,
			credentials: http.Header{"Authorization": {"Bearer openai-secret"}},
		},
	}
}

// startGate has one group for each order of the providers; its prompt is the one of
// the same number. It returns the orders.
func startGate(t *testing.T, providers []*gateProvider) (*harness.Semlb, [][]*gateProvider) {
	t.Helper()
	var orders [][]*gateProvider
	for _, o := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		orders = append(orders, []*gateProvider{providers[o[0]], providers[o[1]], providers[o[2]]})
	}
	p := harness.Plugin{Failover: harness.SeedCriteria()}
	for i, order := range orders {
		for j, provider := range order {
			target := provider.target
			target.Description, target.Weight = prompts()[i], 100-j
			p.Targets = append(p.Targets, target)
		}
	}
	var flags []string
	for i, name := range []string{"azure", "mistral", "openai"} {
		flags = append(flags, "--provider-url", name+"="+providers[i].stub.URL)
	}
	return harness.Start(t, harness.Options{Config: harness.Config(p), Flags: flags}), orders
}

// requireSent checks that the provider saw one request and that it is its own through
// and through: no header is there beside those listed, so nothing of another target.
func (p *gateProvider) requireSent(t *testing.T, prompt string) {
	t.Helper()
	got := p.stub.Only(t)
	require.Equal(t, http.MethodPost, got.Method)
	require.Equal(t, p.uri, got.URI)
	require.Equal(t, p.stub.Authority, got.Host)
	require.JSONEq(t, fmt.Sprintf(p.body, prompt), string(got.Body))
	require.EqualValues(t, len(got.Body), got.ContentLength)
	names := slices.AppendSeq([]string{"Content-Length", "Content-Type", "User-Agent", "X-Deployment", "X-Request-Id", "X-Size"}, maps.Keys(p.credentials))
	require.ElementsMatch(t, names, slices.Collect(maps.Keys(got.Header)))
	for name, values := range p.credentials {
		require.Equal(t, values, got.Header[name])
	}
	own := p.uri + fmt.Sprint(p.credentials)
	for _, secret := range []string{"client-secret", "azure-secret", "mistral-secret", "openai-secret", "openai-param-secret"} {
		require.Equal(t, strings.Contains(own, secret), strings.Contains(everything(got), secret), "%s at %s", secret, p.served)
	}
}

// TestGateRunsTheInnerRoleOnEveryAttempt goes through providers that differ in path
// and credentials, in every order and with none, one and two of them failing. With
// templates the inner role has to rewrite every attempt; the same targets without
// them are rewritten by the outer role first. What a provider sees is the same.
func TestGateRunsTheInnerRoleOnEveryAttempt(t *testing.T) {
	t.Parallel()
	fails := [][]harness.Behaviour{
		{}, {harness.Status(429)}, {harness.Reset()}, {harness.Status(503), harness.Reset()}, {harness.Reset(), harness.Status(429)},
	}
	for _, tt := range []struct {
		name      string
		templates bool
		// outer is how many attempts the outer role rewrites.
		outer int
	}{{"templates", true, 0}, {"the same without templates", false, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			providers := gateProviders(t, tt.templates)
			s, orders := startGate(t, providers)
			rewrites := func() int { return int(s.Metric("semlb_attempt_rewrites_total")) }
			for _, p := range harness.Protocols() {
				client := harness.NewClient(t, p)
				for i, order := range orders {
					for _, failing := range fails {
						resetGate(providers)
						for j, behaviour := range failing {
							order[j].stub.Do(behaviour)
						}
						before := rewrites()
						answer := s.Do(client, s.Request(t.Context(), gatePath, strings.NewReader(fmt.Sprintf(gateBody, prompts()[i])), gateHeaders()))
						require.Equal(t, http.StatusOK, answer.Status, answer.Body)
						attempts := len(failing) + 1
						require.Equal(t, order[attempts-1].served, answer.Header.Get("X-Kong-Llm-Model"))
						require.Equal(t, attempts-tt.outer, rewrites()-before, "attempts that the inner role rewrote")
						requireGateSent(t, order, attempts, prompts()[i])
					}
				}
			}
		})
	}
}

// requireGateSent checks that the first attempts of an order were made, and no others.
func requireGateSent(t *testing.T, order []*gateProvider, attempts int, prompt string) {
	t.Helper()
	for j, provider := range order {
		if j >= attempts {
			require.Empty(t, provider.stub.Requests(), provider.served)
			continue
		}
		provider.requireSent(t, prompt)
	}
}

func resetGate(providers []*gateProvider) {
	for _, p := range providers {
		p.stub.Reset()
	}
}

// TestGateLetsStreamsPass answers the last attempt of a gated plan with a stream.
func TestGateLetsStreamsPass(t *testing.T) {
	t.Parallel()
	const events = 5
	providers := gateProviders(t, true)
	s, orders := startGate(t, providers)
	for _, p := range harness.Protocols() {
		for i, order := range orders {
			resetGate(providers)
			order[0].stub.Do(harness.Status(503))
			order[1].stub.Do(harness.Reset())
			order[2].stub.Do(harness.SSE(events, 0))
			response, err := harness.NewClient(t, p).Do(s.Request(t.Context(), gatePath, strings.NewReader(fmt.Sprintf(gateBody, prompts()[i])), gateHeaders()))
			require.NoError(t, err)
			text, err := io.ReadAll(bufio.NewReader(response.Body))
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusOK, response.StatusCode)
			require.Equal(t, order[2].served, response.Header.Get("X-Kong-Llm-Model"))
			require.Equal(t, events, strings.Count(string(text), "data: {"))
			require.True(t, strings.HasSuffix(string(text), "data: [DONE]\n\n"), "%s", text)
			requireGateSent(t, order, 3, prompts()[i])
		}
	}
}

// A target whose template takes a value that the request lacks is no attempt: the others
// serve, and if all of them fail, the client gets the last provider's answer.
func TestGateLeavesOutTargetsWhoseTemplatesLackAValue(t *testing.T) {
	t.Parallel()
	providers := gateProviders(t, true)
	s, orders := startGate(t, providers)
	without := gateHeaders()
	delete(without, "X-Deployment")
	for i, order := range orders {
		resetGate(providers)
		failing := slices.Index(order, providers[0]) // those before Azure
		for _, p := range order[:failing] {
			p.stub.Do(harness.Status(429))
		}
		others := slices.DeleteFunc(slices.Clone(order), func(p *gateProvider) bool { return p == providers[0] })
		want, last := http.StatusOK, min(failing, len(others)-1)
		if failing == len(others) {
			want = http.StatusTooManyRequests
		}
		answer := s.Do(harness.NewClient(t, harness.HTTP1), s.Request(t.Context(), gatePath, strings.NewReader(fmt.Sprintf(gateBody, prompts()[i])), without))
		require.Equal(t, want, answer.Status, answer.Body)
		require.Equal(t, harness.ServedBy(want, others[last].served), answer.Header.Get("X-Kong-Llm-Model"))
		require.Empty(t, providers[0].stub.Requests())
		for j, p := range others {
			require.Len(t, p.stub.Requests(), map[bool]int{true: 1}[j <= last], "%s in order %d", p.served, i)
		}
	}
}
