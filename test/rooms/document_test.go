package rooms

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/golden"
)

const (
	tableBegin = "<!-- Made from test/rooms/rooms.go by make generate. -->\n"
	tableEnd   = "<!-- end -->\n"
)

// ARCHITECTURE.md shows the rooms as they are listed. UPDATE_GOLDEN=1 writes the table.
func TestTheTableOfRoomsIsUpToDate(t *testing.T) {
	file := filepath.Join(root, "ARCHITECTURE.md")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(data), tableBegin)
	require.True(t, found, "ARCHITECTURE.md has no line %q", tableBegin)
	shown, after, found := strings.Cut(rest, tableEnd)
	require.True(t, found, "ARCHITECTURE.md has no line %q", tableEnd)
	if golden.Updates() {
		require.NoError(t, os.WriteFile(file, []byte(before+tableBegin+table()+tableEnd+after), 0o644))
		return
	}
	if shown != table() { // no diff: the lines are long
		t.Error("ARCHITECTURE.md is not what test/rooms/rooms.go lists: run make generate")
	}
}

// table is the list of rooms in Markdown, empty lines around it included.
func table() string {
	var b strings.Builder
	b.WriteString("\n| room | what it does | may import |\n|---|---|---|\n")
	for _, r := range slices.Concat(Product(), Support()) {
		link := "[" + r.Path + "/](" + r.Path + "/)"
		if r.Path == "." {
			link = "[main.go](main.go)"
		}
		b.WriteString("| " + link + " | " + r.Does + " | " + importsOf(r) + " |\n")
	}
	b.WriteString("\n")
	return b.String()
}

func importsOf(r Room) string {
	imports := strings.Join(r.Imports, ", ")
	switch {
	case slices.Contains(r.Imports, Any):
		imports = "all"
	case len(r.Imports) == 0:
		imports = "–"
	}
	if isSupport(r.Path) {
		imports += "; only tests import it"
	}
	return imports
}
