package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// configMap is a folder in which Kubernetes has mounted a ConfigMap: the file is a
// link through the link ..data to another folder, and a change swaps ..data.
type configMap struct {
	t    *testing.T
	dir  string
	name string
	// folders counts those that ..data has led to.
	folders int
}

// mount turns a file into one of a ConfigMap.
func mount(t *testing.T, file string) *configMap {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	m := &configMap{t: t, dir: filepath.Dir(file), name: filepath.Base(file)}
	m.swap(string(text))
	link := filepath.Join(m.dir, "link")
	require.NoError(t, os.Symlink(filepath.Join("..data", m.name), link))
	require.NoError(t, os.Rename(link, file))
	return m
}

// swap changes the file as the kubelet does: a new folder, a rename, and the old
// folder goes.
func (m *configMap) swap(text string) {
	m.t.Helper()
	folder := m.next()
	require.NoError(m.t, os.Mkdir(folder, 0o700))
	require.NoError(m.t, os.WriteFile(filepath.Join(folder, m.name), []byte(text), 0o600))
	m.lead(folder)
}

// lose swaps to a folder that is not there.
func (m *configMap) lose() {
	m.t.Helper()
	m.lead(m.next())
}

func (m *configMap) next() string {
	m.folders++
	return filepath.Join(m.dir, fmt.Sprintf("..2026_11_26_%d", m.folders))
}

// lead lets ..data lead to a folder.
func (m *configMap) lead(folder string) {
	m.t.Helper()
	link := filepath.Join(m.dir, "..data_tmp")
	old, err := os.Readlink(filepath.Join(m.dir, "..data"))
	require.NoError(m.t, os.Symlink(filepath.Base(folder), link))
	require.NoError(m.t, os.Rename(link, filepath.Join(m.dir, "..data")))
	if err == nil {
		require.NoError(m.t, os.RemoveAll(filepath.Join(m.dir, old)))
	}
}

// write writes the file in place, first its beginning and then the rest.
func (m *configMap) write(text string) {
	m.t.Helper()
	m.ensure()
	require.NoError(m.t, os.WriteFile(filepath.Join(m.dir, "..data", m.name), []byte(text), 0o600))
}

// replace renames another file over the file.
func (m *configMap) replace(text string) {
	m.t.Helper()
	m.ensure()
	file := filepath.Join(m.dir, "..data", m.name)
	require.NoError(m.t, os.WriteFile(file+".new", []byte(text), 0o600))
	require.NoError(m.t, os.Rename(file+".new", file))
}

// ensure creates the folder again if it was lost.
func (m *configMap) ensure() {
	m.t.Helper()
	require.NoError(m.t, os.MkdirAll(filepath.Join(m.dir, fmt.Sprintf("..2026_11_26_%d", m.folders)), 0o700))
}
