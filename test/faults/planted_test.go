package faults_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"semlb/test/harness"
	"semlb/test/tools"
)

// secretFields are the paths of all fields that hold credentials, by the tables of the
// schema.
func secretFields(t *testing.T) []string {
	t.Helper()
	var fields []string
	for _, file := range []string{"schema.json", "extensions.json", "entities.json"} {
		text, err := os.ReadFile(filepath.Join(tools.Root(t), "config", "schema", file))
		require.NoError(t, err)
		var parts map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(text, &parts))
		for _, part := range parts {
			var rows map[string]struct {
				Encrypted bool `json:"encrypted_at_rest"`
			}
			if json.Unmarshal(part, &rows) != nil {
				continue // none of the tables
			}
			for path, row := range rows {
				if row.Encrypted {
					fields = append(fields, path)
				}
			}
		}
	}
	slices.Sort(fields)
	require.Greater(t, len(fields), 20)
	return fields
}

// document is a decK file in which fields can be set by their paths.
type document map[string]any

// documentOf is a plugin with a consumer that has a credential of each kind. Fields
// that credentials need beside them are there.
func documentOf(t *testing.T, p harness.Plugin) document {
	t.Helper()
	var tree map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(harness.Config(p)), &tree))
	d := document(tree)
	d["consumers"] = []any{map[string]any{
		"username":              "alice",
		"basicauth_credentials": []any{map[string]any{"username": "al", "password": "x"}},
		"jwt_secrets":           []any{map[string]any{"key": "issuer", "secret": "x"}},
	}}
	auths := []string{"config.embeddings.auth"}
	for i := range p.Targets {
		auths = append(auths, at("config.targets[].auth", i))
	}
	for _, auth := range auths {
		for name, value := range map[string]string{
			"header_name": "Authorization", "header_value": "x", "param_name": "key", "param_value": "x", "param_location": "query",
		} {
			d.set(auth+"."+name, value)
		}
	}
	return d
}

// at is a path into a target's field; other paths stay.
func at(path string, target int) string {
	return strings.Replace(path, "targets[]", "targets["+string(rune('0'+target))+"]", 1)
}

// set gives a field a value. A list without an index means its first element.
func (d document) set(path string, value any) {
	entity, path, _ := strings.Cut(path, ".")
	node := map[string]any{"config": d["plugins"], "consumer": d["consumers"]}[entity].([]any)[0].(map[string]any)
	if entity == "config" {
		node = node["config"].(map[string]any)
	}
	steps := strings.Split(path, ".")
	for _, step := range steps[:len(steps)-1] {
		node = descend(node, step)
	}
	node[steps[len(steps)-1]] = value
}

func descend(node map[string]any, step string) map[string]any {
	name, index, list := strings.Cut(strings.TrimSuffix(step, "]"), "[")
	if !list {
		if node[name] == nil {
			node[name] = map[string]any{}
		}
		return node[name].(map[string]any)
	}
	if node[name] == nil {
		node[name] = []any{map[string]any{}}
	}
	i := 0
	if index != "" {
		i = int(index[0] - '0')
	}
	return node[name].([]any)[i].(map[string]any)
}

func (d document) text(t *testing.T) string {
	t.Helper()
	text, err := yaml.Marshal(map[string]any(d))
	require.NoError(t, err)
	return string(text)
}

// marker is a credential that other encodings of text show differently.
func marker(name string) string {
	return "sk+" + strings.NewReplacer("config.", "", "[", "", "]", "", "_", "-").Replace(name) + "/~planted"
}

// traces are the forms in which a marker may be found.
func traces(marker string) map[string]string {
	found := map[string]string{
		"in clear text": marker, "in a URL": url.QueryEscape(marker), "in a URL's path": url.PathEscape(marker), "in hex": hex.EncodeToString([]byte(marker)),
		"in JSON": strings.ReplaceAll(marker, "/", `\/`),
	}
	for shift := range 3 { // the marker may begin anywhere in a group of three bytes
		text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat(" ", shift) + marker))
		core := text[(8*shift+5)/6 : len(text)-2]
		found["in base64, shifted by "+string(rune('0'+shift))] = core
		found["in base64 for URLs, shifted by "+string(rune('0'+shift))] = strings.NewReplacer("+", "-", "/", "_").Replace(core)
	}
	return found
}

// requireNoTrace checks that a text has none of the markers.
func requireNoTrace(t *testing.T, place, text string, markers map[string]string) {
	t.Helper()
	for field, m := range markers {
		for form, trace := range traces(m) {
			if at := strings.Index(text, trace); at >= 0 {
				t.Errorf("%s is in %s %s: …%s…", field, place, form, text[max(0, at-200):min(len(text), at+len(trace)+100)])
			}
		}
	}
}

// TestTracesAreFound holds the search for markers against texts that have them.
func TestTracesAreFound(t *testing.T) {
	m := marker("config.targets[0].auth.header_value")
	found := func(text string) bool {
		for _, trace := range traces(m) {
			if strings.Contains(text, trace) {
				return true
			}
		}
		return false
	}
	require.False(t, found("sk+another/~planted"))
	require.True(t, found("?key="+url.QueryEscape(m)))
	for before := range 7 {
		for after := range 4 {
			text := []byte(strings.Repeat("x", before) + m + strings.Repeat("y", after))
			for _, form := range []string{string(text), hex.EncodeToString(text), base64.StdEncoding.EncodeToString(text), base64.RawURLEncoding.EncodeToString(text)} {
				require.True(t, found(form), form)
			}
		}
	}
}
