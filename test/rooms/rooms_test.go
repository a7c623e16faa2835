// Package rooms holds the import directions of the project (ARCHITECTURE.md).
package rooms

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// allowed lists, for every room, the other rooms its code may import.
var allowed = map[string][]string{
	"main":       {"cli"},
	"cli":        {"admin", "config", "demo", "embeddings", "envoy", "examples", "provider", "router", "server", "vectordb"},
	"server":     {"envoy", "provider", "router"},
	"router":     {"vectordb"},
	"admin":      {"config", "router"},
	"config":     {},
	"demo":       {},
	"embeddings": {},
	"envoy":      {},
	"examples":   {},
	"provider":   {},
	"vectordb":   {},
}

type listed struct {
	ImportPath   string
	Dir          string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// room is the top-level folder of a package of this module; "" for foreign ones.
func room(path string) string {
	if path == "semlb" {
		return "main"
	}
	rest, own := strings.CutPrefix(path, "semlb/")
	if !own {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func TestImportsGoOneWay(t *testing.T) {
	for _, p := range packages(t) {
		here := room(p.ImportPath)
		if here == "test" {
			continue // tests may look at everything
		}
		rooms, known := allowed[here]
		require.True(t, known, "%s: a new room: say in this test and in ARCHITECTURE.md what it may import", p.ImportPath)
		for _, i := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			there := room(i)
			if there != "" && there != here {
				require.Contains(t, rooms, there, "%s must not import %s", p.ImportPath, i)
			}
		}
	}
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports", "semlb/...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	require.NoError(t, err)
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, p)
	}
}
