package foreign_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"semlb/test/harness"
	"semlb/test/tools"
)

// object is a map of YAML or JSON.
type object = map[string]any

var block = regexp.MustCompile("(?s)```yaml\n# ([^\n]*)\n(.*?)```")

// documented is the YAML of docs/own-envoy.md that begins with a comment.
func documented(t *testing.T, comment string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(tools.Root(t), "docs", "own-envoy.md"))
	require.NoError(t, err)
	for _, m := range block.FindAllStringSubmatch(string(page), -1) {
		if m[1] == comment {
			return m[2]
		}
	}
	require.Fail(t, "no such block", comment)
	return ""
}

// read reads an object of YAML or JSON.
func read(t *testing.T, text string) object {
	t.Helper()
	var o object
	require.NoError(t, yaml.Unmarshal([]byte(text), &o))
	return o
}

// listener is the one that a configuration has under a name.
func listener(t *testing.T, configuration object, name string) object {
	t.Helper()
	for _, l := range configuration["static_resources"].(object)["listeners"].([]any) {
		if l.(object)["name"] == name {
			return l.(object)
		}
	}
	require.Fail(t, "no such listener", name)
	return nil
}

// manager is the connection manager of a listener.
func manager(l object) object {
	chain := l["filter_chains"].([]any)[0].(object)
	return chain["filters"].([]any)[0].(object)["typed_config"].(object)
}

const processorName = "envoy.filters.http.ext_proc"

// processor is the ext_proc filter of a connection manager, and its place.
func processor(t *testing.T, m object) (object, int) {
	t.Helper()
	filters := m["http_filters"].([]any)
	i := slices.IndexFunc(filters, func(f any) bool { return f.(object)["name"] == processorName })
	require.GreaterOrEqual(t, i, 0)
	return filters[i].(object)["typed_config"].(object), i
}

// hopOnly is what semlb envoy --static prints, without the listener for clients.
func hopOnly(t *testing.T, printed string) string {
	t.Helper()
	configuration := read(t, printed)
	resources := configuration["static_resources"].(object)
	resources["listeners"] = slices.DeleteFunc(resources["listeners"].([]any), func(l any) bool {
		return l.(object)["name"] == "semlb_outer"
	})
	require.Len(t, resources["listeners"], 1)
	text, err := json.Marshal(configuration)
	require.NoError(t, err)
	return string(text)
}

func printStatic(t *testing.T, flags ...string) string {
	t.Helper()
	r := harness.Command(t, nil, append([]string{"envoy", "--static", "--hop", harness.Hop()}, flags...)...)
	require.Zero(t, r.Code, r.Stderr)
	return r.Stdout
}

func TestEnvoyAcceptsTheListenerOfThePage(t *testing.T) {
	hop := hopOnly(t, printStatic(t, "-c", harness.WriteConfig(t, kong("route: chat"))))
	tools.ValidateEnvoy(t, harness.EnvoyVersion(), hop, "--config-yaml", documented(t, "listener.yaml"))
}
