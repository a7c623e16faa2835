package kubernetes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/tree"
)

func TestPatchesFollowTheRulesOfAdd(t *testing.T) {
	base, faults := tree.NewDocument("test.json", []byte(`{"a": [1, 2], "b": {"c/d": 3}}`)).ParseJSON()
	require.Empty(t, faults)
	value := &tree.Node{Kind: tree.Int, Text: "9"}
	for pointer, want := range map[string]any{
		"n":      map[string]any{"a": []any{1.0, 2.0}, "b": map[string]any{"c/d": 3.0}, "n": 9.0},
		"a":      map[string]any{"a": 9.0, "b": map[string]any{"c/d": 3.0}},
		"a/0":    map[string]any{"a": []any{9.0, 1.0, 2.0}, "b": map[string]any{"c/d": 3.0}},
		"a/2":    map[string]any{"a": []any{1.0, 2.0, 9.0}, "b": map[string]any{"c/d": 3.0}},
		"a/-":    map[string]any{"a": []any{1.0, 2.0, 9.0}, "b": map[string]any{"c/d": 3.0}},
		"b/c~1d": map[string]any{"a": []any{1.0, 2.0}, "b": map[string]any{"c/d": 9.0}},
		"a/3":    nil, "a/x": nil, "a/0/x": nil, "n/x": nil, "a/-/x": nil, "a/-1": nil,
	} {
		got, ok := add(base, strings.Split(pointer, "/"), value)
		require.Equal(t, want != nil, ok, pointer)
		if ok {
			require.Equal(t, want, got.Value(), pointer)
		}
	}
}

func TestNamesOfSecretsDoNotLeaveTheirDirectory(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "one", "..data"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "one", "key"), []byte("x"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "one", "..data", "key"), []byte("x"), 0o600))
	found, err := mountedSecrets(dir).find(objectKey{"kong", "one"})
	require.NoError(t, err)
	require.NotNil(t, found)
	for _, name := range []string{"../" + filepath.Base(dir) + "/one", "..", ".", "one/..data", filepath.Join(filepath.Dir(dir), "one")} {
		found, err := mountedSecrets(dir).find(objectKey{"kong", name})
		require.NoError(t, err)
		require.Nil(t, found, name)
		found, err = mountedSecrets(dir).find(objectKey{name, "one-is-not-there"})
		require.NoError(t, err)
		require.Nil(t, found, name)
	}
}
