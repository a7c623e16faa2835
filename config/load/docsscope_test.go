package load_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

// scopesShown are the scopes that docs/scopes.md shows, by the words of its headings.
func scopesShown(format string) map[string]config.Scope {
	namespace := ""
	if format == "Kubernetes" {
		namespace = "kong/"
	}
	shown := map[string]config.Scope{
		"global": {}, "service": {Service: namespace + "llm"}, "route": {Route: namespace + "chat"},
		"consumer": {Consumer: "anna"}, "consumer group": {ConsumerGroup: "gold"},
	}
	if format == "Kubernetes" {
		shown["route, by an Ingress"], shown["route, by an HTTPRoute"] = shown["route"], shown["route"]
		delete(shown, "route")
	}
	return shown
}

// TestEveryScopeIsShownInEveryFormat loads the block of each heading by itself and says
// that it is an instance of that scope, without warnings.
func TestEveryScopeIsShownInEveryFormat(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "scopes.md"))
	require.NoError(t, err)
	block := regexp.MustCompile("(?ms)^### ([^:\n]+): ([^\n]+)\n\n```[a-z]+\n# (\\S+)\n(.*?)^```$")
	shown := map[string]map[string]bool{}
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		format, scope := m[1], m[2]
		t.Run(format+" "+scope, func(t *testing.T) {
			want, known := scopesShown(format)[scope]
			require.True(t, known)
			c, warnings, err := load.Sources([]load.Source{{Name: m[3], Data: []byte(m[4])}}, load.Options{Env: configtest.AnyVariable})
			require.NoError(t, err)
			require.Empty(t, configtest.BesideReach(warnings))
			require.Equal(t, []config.Scope{want}, configtest.ScopesOf(c))
			require.Contains(t, c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal(), "sk-OPENAI_API_KEY")
		})
		if shown[format] == nil {
			shown[format] = map[string]bool{}
		}
		shown[format][scope] = true
	}
	for _, format := range []string{"decK", "Kubernetes", "Terraform", "Admin API", "Konnect"} {
		require.Len(t, shown[format], len(scopesShown(format)), format)
	}
	require.Equal(t, 26, strings.Count(string(text), "\n### "), "a heading without a block")
}
