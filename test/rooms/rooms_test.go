package rooms

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPackagesImportOnlyWhatTheirRoomMay(t *testing.T) {
	used := make(map[string]bool) // "from to" of the arrows that code uses
	for _, p := range packages(t) {
		here := roomOfPackage(t, p.ImportPath)
		for _, there := range roomsOf(t, p.Imports) {
			if there == here.Path {
				continue
			}
			used[here.Path+" "+there] = true
			require.True(t, mayImport(here, there),
				"%s imports %s: reverse the dependency, or add it to the room's row in test/rooms/rooms.go", p.ImportPath, there)
		}
		for _, there := range roomsOf(t, slices.Concat(p.TestImports, p.XTestImports)) {
			require.True(t, there == here.Path || isSupport(there) || reaches(here, there, nil) || besideAnImport(here, there),
				"%s: its tests import %s, which the room does not reach", p.ImportPath, there)
		}
	}
	for _, r := range slices.Concat(Product(), Support()) {
		for _, there := range r.Imports {
			require.True(t, there == Any || used[r.Path+" "+there], "%s does not import %s any more: remove it from the row in test/rooms/rooms.go", r.Path, there)
		}
	}
}

// TestLeafImportsLittle: every room imports the leaf, so it must not bring modules along.
func TestLeafImportsLittle(t *testing.T) {
	for _, p := range packages(t) {
		if roomOfPackage(t, p.ImportPath).Path != Leaf {
			continue
		}
		for _, i := range p.Imports {
			host, _, _ := strings.Cut(i, "/")
			require.True(t, !strings.Contains(host, ".") || strings.HasPrefix(i, "golang.org/x/"), "%s must not import %s", p.ImportPath, i)
		}
	}
}

func TestEveryRowHasAPackage(t *testing.T) {
	seen := make(map[string]bool)
	for _, p := range packages(t) {
		seen[roomOfPackage(t, p.ImportPath).Path] = true
	}
	for _, r := range slices.Concat(Product(), Support()) {
		require.True(t, seen[r.Path], "%s has a row in test/rooms/rooms.go and no package", r.Path)
	}
}

func roomOfPackage(t *testing.T, importPath string) Room {
	t.Helper()
	path, ok := folder(importPath)
	require.True(t, ok, "%s is not of this module", importPath)
	r, known := roomOf(path)
	require.True(t, known, "%s is a new room: add a row to test/rooms/rooms.go and run make generate", path)
	return r
}

// roomsOf are the rooms of those imports that belong to this module.
func roomsOf(t *testing.T, imports []string) []string {
	t.Helper()
	var rooms []string
	for _, i := range imports {
		if _, own := folder(i); own {
			rooms = append(rooms, roomOfPackage(t, i).Path)
		}
	}
	return rooms
}

// mayImport reports whether the code of a room may import a package of another one.
func mayImport(here Room, there string) bool {
	if isSupport(there) {
		return isSupport(here.Path)
	}
	return there == Leaf || slices.Contains(here.Imports, there) || slices.Contains(here.Imports, Any)
}

// besideAnImport reports whether a room is in the folder of one that may be imported:
// tests use real implementations of the interfaces that a room imports.
func besideAnImport(here Room, there string) bool {
	return slices.ContainsFunc(here.Imports, func(i string) bool { return strings.HasPrefix(there, i+"/") })
}

// reaches reports whether a chain of permitted imports leads to a room.
func reaches(here Room, there string, via []string) bool {
	if mayImport(here, there) {
		return true
	}
	return slices.ContainsFunc(here.Imports, func(next string) bool {
		r, _ := roomOf(next)
		return !slices.Contains(via, next) && reaches(r, there, append(via, next))
	})
}
