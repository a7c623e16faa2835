package tree_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/tree"
)

// parse returns the one value of a text.
func parse(t *testing.T, text string) *tree.Node {
	t.Helper()
	roots, faults := tree.NewDocument("f", []byte(text)).Parse()
	require.Empty(t, faults)
	require.Len(t, roots, 1)
	return roots[0]
}

func TestYAMLAndJSONGiveTheSameValues(t *testing.T) {
	yaml := parse(t, "a: [1, 2.5, yes, null]\nb: {c: text}\n")
	json := parse(t, `{"a": [1, 2.5, true, null], "b": {"c": "text"}}`)
	require.Equal(t, map[string]any{"a": []any{1.0, 2.5, true, nil}, "b": map[string]any{"c": "text"}}, json.Value())
	require.Equal(t, json.At("b", "c").Str(), yaml.At("b", "c").Str())
	b, ok := yaml.Get("a").Items[2].Bool()
	require.True(t, ok && b, "a word of YAML 1.1")
	require.Equal(t, config.Position{File: "f", Line: 2, Column: 8}, yaml.At("b", "c").Pos)
}

func TestPositionsAreThoseOfTheFileWhateverIsFilledIn(t *testing.T) {
	source, filled := "a: X\nb: 1\n", "a: |\n  one\n  two\nb: 1\n"
	span := tree.Span{Start: 3, End: 15, SourceStart: 3, SourceEnd: 4}
	roots, faults := tree.NewFilled("f", tree.LineStarts([]byte(source)), []byte(filled), []tree.Span{span}).Parse()
	require.Empty(t, faults)
	a, b := roots[0].Get("a"), roots[0].Get("b")
	require.True(t, a.Hidden)
	require.Equal(t, "[redacted]", a.Quoted())
	require.False(t, b.Hidden)
	require.Equal(t, 2, b.Pos.Line)
}

func TestNodesAreNotChanged(t *testing.T) {
	n := parse(t, "a: 1\nb: 2\n")
	require.Equal(t, map[string]any{"a": "x", "b": 2.0}, n.With("a", tree.NewString("x")).Value())
	require.Equal(t, map[string]any{"b": 2.0}, n.Without("a").Value())
	require.Equal(t, map[string]any{"a": 1.0, "b": 2.0, "c": "y"}, n.Merged(tree.NewObject("a", tree.NewString("no"), "c", tree.NewString("y"))).Value())
	concealed := n.Concealed(config.Position{File: "secret"})
	require.True(t, concealed.Get("a").Hidden)
	require.Equal(t, "secret", concealed.Get("b").Pos.File)
	require.Equal(t, map[string]any{"a": 1.0, "b": 2.0}, n.Value())
	require.Equal(t, "f", n.Pos.File)
}

func TestCursorsPointAtMissingValues(t *testing.T) {
	c := tree.NewCursor("root", parse(t, "a:\n  b: [x, '']\n"))
	missing := c.At("a", "c", "d")
	require.False(t, missing.Exists())
	require.Equal(t, "root.a.c.d", missing.Path)
	require.Equal(t, 2, missing.Pos.Line, "that of the nearest value around it")
	items := c.At("a", "b").Items()
	require.Equal(t, "root.a.b[1]", items[1].Path)
	require.True(t, items[0].Known() && items[0].Is("x"))
	require.False(t, items[1].Known())
}

func TestReferencesAreNamesOrObjectsWithOne(t *testing.T) {
	for text, want := range map[string]string{"x: n": "n", "x: {id: n}": "n", "x: {name: n}": "n", "x: {username: n}": "n"} {
		got, ok := parse(t, text).Get("x").Reference()
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"x: 1", "x: {id: 1}", "x: {other: n}", "x: {id: n, name: n}", "x: [n]"} {
		_, ok := parse(t, text).Get("x").Reference()
		require.False(t, ok, text)
	}
}
