package scopes_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/tools"
)

const (
	konnectToken = "kpat_not-a-real-token"
	controlPlane = "9524ec7d-36d9-465d-a8c5-83a3c9390458"
)

// TestAdminAPIScripts and the test below run each script, unchanged, with sh and curl
// against a running semlb, with only host, ids and keys filled in. Its
// entities are in force on Envoy when the command has ended.
func TestAdminAPIScripts(t *testing.T) {
	for file, scope := range examples(t, "admin-api", "sh") {
		t.Run("admin-api/"+filepath.Base(file), func(t *testing.T) { requireScript(t, file, scope) })
	}
}

func TestKonnectScripts(t *testing.T) {
	for file, scope := range examples(t, "konnect", "sh") {
		t.Run("konnect/"+filepath.Base(file), func(t *testing.T) { requireScript(t, file, scope) })
	}
}

func requireScript(t *testing.T, file, scope string) {
	t.Helper()
	names := map[string]string{"service": "llm", "route": "chat", "consumer": "anna", "consumer_group": "gold"}
	openAI := harness.NewStub(t, "openai")
	address := harness.FreeAddress(t)
	state := filepath.Join(t.TempDir(), "state.json")
	s := start(t, entities(scope, names), openAI, "--admin", address, "--state", state)
	before := ask(s, harness.NewClient(t, harness.HTTP1), "/in", insidersKey)
	require.Equal(t, http.StatusNotFound, before.Status, "nothing is in force yet: %s", before.Body)

	script, err := os.ReadFile(file)
	require.NoError(t, err)
	filled := strings.NewReplacer(
		"http://localhost:8001", "http://"+address,
		"https://{region}.api.konghq.com", "http://"+address, "{controlPlaneId}", controlPlane,
		"{serviceName|Id}", names["service"], "{routeName|Id}", names["route"],
		"{consumerName|Id}", names["consumer"], "{consumerGroupName|Id}", names["consumer_group"],
		"{"+strings.ReplaceAll(scope, "consumer_group", "consumerGroup")+"Id}", idOf(t, address, scope, names[scope]),
	).Replace(string(script))
	out := runScript(t, filled)
	require.Contains(t, out, `"name":"ai-proxy-advanced"`, out)
	requireScope(t, s, openAI, scope)
}

// runScript runs a script with the keys in its environment; it must not print them.
func runScript(t *testing.T, script string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
	cmd.Env = append(os.Environ(), "OPENAI_API_KEY="+apiKey, "KONNECT_TOKEN="+konnectToken, "no_proxy=*")
	out, err := cmd.Output()
	require.NoError(t, err, string(out))
	require.NotContains(t, string(out), apiKey)
	return string(out)
}

// TestConvertedScriptsMakeEverything converts entities and an example to the requests
// of both APIs, and runs them against a semlb that has nothing.
func TestConvertedScriptsMakeEverything(t *testing.T) {
	names := map[string]string{"service": "llm", "route": "chat", "consumer": "anna", "consumer_group": "gold"}
	example, err := os.ReadFile(filepath.Join(tools.Root(t), "examples", "deck", "consumer_group.yaml"))
	require.NoError(t, err)
	bound := strings.ReplaceAll(string(example), "consumerGroupName|Id", "gold")
	for _, api := range []string{"admin-api", "konnect"} {
		t.Run(api, func(t *testing.T) {
			file := harness.WriteConfig(t, entities("consumer_group", names))
			r := harness.Command(t, nil, "convert", "--to", api, file, harness.WriteConfig(t, bound))
			require.Zero(t, r.Code, r.Stderr)
			require.NotContains(t, r.Stdout, apiKey)
			openAI := harness.NewStub(t, "openai")
			address := harness.FreeAddress(t)
			s := start(t, "_format_version: \"3.0\"\n", openAI, "--admin", address, "--state", filepath.Join(t.TempDir(), "state.json"))
			runScript(t, strings.NewReplacer(
				"http://localhost:8001", "http://"+address,
				"https://{region}.api.konghq.com", "http://"+address, "{controlPlaneId}", controlPlane,
			).Replace(r.Stdout))
			requireScope(t, s, openAI, "consumer_group")
		})
	}
}

// idOf is the id that the Admin API gave an entity.
func idOf(t *testing.T, address, scope, name string) string {
	t.Helper()
	if name == "" {
		return ""
	}
	var entity struct {
		ID    string
		Group struct{ ID string } `json:"consumer_group"` // Kong wraps groups
	}
	require.NoError(t, json.Unmarshal([]byte(harness.Get(t, "http://"+address+"/"+scope+"s/"+name).Body), &entity))
	require.NotEmpty(t, entity.ID+entity.Group.ID)
	return entity.ID + entity.Group.ID
}
