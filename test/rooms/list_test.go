package rooms

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

// listed is a package as `go list` describes it.
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

// packages are the packages of the module.
func packages(t *testing.T) []listed {
	t.Helper()
	all, err := list()
	require.NoError(t, err)
	return all
}

var list = sync.OnceValues(func() ([]listed, error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

// folder is the folder of a package of this module, relative to its root; ok is false
// for packages of other modules.
func folder(importPath string) (path string, ok bool) {
	if importPath == "semlb" {
		return ".", true
	}
	return strings.CutPrefix(importPath, "semlb/")
}

// roomOf finds the row of a folder: the one with the longest path that is the folder
// or above it.
func roomOf(folder string) (Room, bool) {
	var best Room
	for _, r := range slices.Concat(Product(), Support()) {
		if (r.Path == folder || strings.HasPrefix(folder, r.Path+"/")) && len(r.Path) > len(best.Path) {
			best = r
		}
	}
	return best, best.Path != ""
}

func isSupport(path string) bool {
	return slices.ContainsFunc(Support(), func(r Room) bool { return r.Path == path })
}
