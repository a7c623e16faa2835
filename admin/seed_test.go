package admin

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/wire"
)

// seedScope creates the entity that an example applies to, and returns its name, for the
// Admin API, and its id, for Konnect.
func seedScope(s *served, file string) (scope, name, id string) {
	scope = strings.TrimSuffix(filepath.Base(file), ".sh")
	body := map[string]string{
		"consumer": `{"username": "seed-consumer"}`, "consumer_group": `{"name": "seed-group"}`,
		"service": `{"name": "seed-service", "host": "a.test"}`, "route": `{"name": "seed-route", "paths": ["/"]}`,
	}[scope]
	if body == "" {
		return scope, "", ""
	}
	e := s.call("POST", "/"+scope+"s", body).is(201).object()
	return scope, firstText(e, "name", "username"), text(e, "id")
}

// TestExampleScriptsWork runs every shell file of the examples with sh and curl. It
// replaces only the address of the server and the placeholders in braces.
func TestExampleScriptsWork(t *testing.T) {
	files, err := filepath.Glob("../examples/*/*.sh")
	require.NoError(t, err)
	files = slices.DeleteFunc(files, func(f string) bool { return strings.Contains(f, "kubernetes") })
	require.Len(t, files, 10)
	for _, file := range files {
		t.Run(strings.TrimPrefix(file, "../examples/"), func(t *testing.T) {
			s := serve(t, Options{KonnectToken: wire.NewSecret("konnect-token")})
			scope, name, id := seedScope(s, file)
			script, err := os.ReadFile(file)
			require.NoError(t, err)
			u, err := url.Parse(s.url)
			require.NoError(t, err)
			filled := strings.NewReplacer(
				"http://localhost:8001", "http://localhost:"+u.Port(),
				"https://{region}.api.konghq.com", "http://localhost:"+u.Port(),
				"{controlPlaneId}", "9524ec7d-36d9-465d-a8c5-83a3c9390458",
				"{serviceName|Id}", name, "{routeName|Id}", name, "{consumerName|Id}", name, "{consumerGroupName|Id}", name,
				"{serviceId}", id, "{routeId}", id, "{consumerId}", id, "{consumerGroupId}", id,
			).Replace(string(script))
			require.NotContains(t, filled, "{region}")

			cmd := exec.CommandContext(t.Context(), "sh", "-c", filled)
			cmd.Env = append(os.Environ(), "OPENAI_API_KEY=sk-seed-key", "KONNECT_TOKEN=konnect-token", "no_proxy=*")
			out, err := cmd.Output()
			require.NoError(t, err, string(out))
			if strings.Contains(file, "admin-api") {
				require.Contains(t, string(out), "201 Created")
			}
			require.NotContains(t, string(out), "sk-seed-key")
			_, body, _ := strings.Cut("\n"+string(out), "\n{")
			created := reply{t: t, raw: "{" + body}.object()
			require.Equal(t, id, referencedID(created, scope))

			p := s.inForce().Plugins
			require.Len(t, p, 1)
			require.Equal(t, config.Semantic, p[0].Settings.Balancer.Algorithm)
			require.Equal(t, "Bearer sk-seed-key", p[0].Settings.Embeddings.Auth.HeaderValue.Reveal())
			require.Len(t, p[0].Settings.Targets, 3)
			require.Equal(t, scope == "global", p[0].Scope.Global())

			out, err = exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(filled, "curl ", "curl -s -o /dev/null -w '%{http_code}' ")).Output()
			require.NoError(t, err)
			if strings.Contains(file, "admin-api") {
				require.Contains(t, string(out), "409", "sent a second time")
			}
			require.Len(t, reopen(t, s, Options{}).api.Config().Plugins, 1)
		})
	}
}
