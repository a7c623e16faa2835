package load_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
	"semlb/test/golden"
)

// TestFaultsAreNamedAllAtOnce loads each file of testdata/faults and compares every
// message with the text file beside it. UPDATE_GOLDEN=1 writes them.
func TestFaultsAreNamedAllAtOnce(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.*ml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	env := configtest.Environment(map[string]string{
		"DECK_TEXT": configtest.Marker, "DECK_LINES": configtest.Marker + "\n" + configtest.Marker, "HOME": configtest.Marker,
	})
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			_, _, err = load.Sources([]load.Source{{Name: filepath.Base(file), Data: data}}, load.Options{Env: env})
			require.Error(t, err)
			require.NotContains(t, err.Error(), configtest.Marker)
			golden.Check(t, strings.TrimSuffix(file, filepath.Ext(file))+".txt", err.Error()+"\n")
		})
	}
}

func TestFaultsAreTyped(t *testing.T) {
	_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte("plugins: 3\nroutes: 4\n")}}, load.Options{})
	var faults config.Faults
	require.ErrorAs(t, err, &faults)
	require.Len(t, faults, 2)
	require.Equal(t, config.Fault{
		Position: config.Position{File: "kong.yaml", Line: 1, Column: 10},
		Path:     "plugins", Got: "an integer", Want: "a list",
	}, faults[0])
	var first config.Fault
	require.ErrorAs(t, errors.Join(err), &first)
	require.Equal(t, faults[0], first)
}

func TestFaultsFollowTheOrderOfFiles(t *testing.T) {
	_, _, err := load.Sources([]load.Source{
		{Name: "b.yaml", Data: []byte("plugins: [{name: ai-proxy-advanced}]")},
		{Name: "a.yaml", Data: []byte("plugins: 1")},
		{Name: "b.yaml2", Data: []byte("plugins: 1")},
	}, load.Options{})
	require.EqualError(t, err, `b.yaml:1: plugins[0].config: got nothing, want an object
a.yaml:1: plugins: got an integer, want a list
b.yaml2:1: plugins: got an integer, want a list`)
}

func TestNoFieldComesTwice(t *testing.T) {
	for text, want := range map[string]string{
		"plugins: []\nplugins: [1]\n":                                                "a:2: plugins: got the field twice, first on line 1",
		"_plugin_configs:\n  a: {}\n  a: {}\n":                                       "a:3: _plugin_configs.a: got the field twice, first on line 2",
		"{\"services\": [],\n\"services\": []}":                                      "a:2: services: got the field twice, first on line 1",
		"services:\n- name: a\n  name: b\n":                                          "a:3: services[0].name: got the field twice, first on line 2",
		"kind: Service\napiVersion: v1\nmetadata:\n  name: a\n  name: b\n":           "a:5: metadata.name: got the field twice, first on line 4",
		"kind: Secret\napiVersion: v1\nmetadata: {name: a}\ndata:\n  k: a\n  k: b\n": "a:6: data.k: got the field twice, first on line 5",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "a", Data: []byte(text)}}, load.Options{})
		require.EqualError(t, err, want)
	}
}

func TestASourceThatCannotBeParsedIsAFault(t *testing.T) {
	for _, tt := range []struct{ name, file, text, want string }{
		{"nothing", "a.yaml", "", "a.yaml: got nothing, want a configuration"},
		{"comments only", "a.yaml", "# hello\n", "a.yaml: got nothing, want a configuration"},
		{"a list", "a.yaml", "- a\n", "a.yaml:1: got a list, want an object"},
		{"open quote", "a.yaml", "plugins:\n- name: \"a\n", "a.yaml:2: read YAML: found unexpected end of stream"},
		{"unknown anchor", "a.yaml", "plugins: *" + configtest.Marker, "a.yaml: read YAML: unknown anchor"},
		{"broken JSON", "a.json", "{\"plugins\": [\n\"" + configtest.Marker + "\" 1]}", "a.json:2: read JSON: invalid syntax"},
		{"cut JSON", "a.json", "{\"plugins\": [\n", "a.json:2: read JSON: invalid syntax: the text ends too early"},
		{"two JSON values", "a.json", "{}\n{}", "a.json:2: read JSON: invalid syntax: text after the document"},
		{"not UTF-8", "a.yaml", "plugins: \xff", "a.yaml: got text that is not UTF-8, want UTF-8"},
		{"binary", "a.yaml", "plugins: !!binary aGk=", "a.yaml:1: got a value with a custom YAML tag, want a plain value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := load.Sources([]load.Source{{Name: tt.file, Data: []byte(tt.text)}}, load.Options{})
			require.EqualError(t, err, tt.want)
		})
	}
}
