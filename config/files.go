package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// LoadFiles reads files and directories as [Load] reads sources. Of a directory it
// takes what [Files] does.
func LoadFiles(opts Options, paths ...string) (*Config, []Warning, error) {
	sources, err := ReadFiles(paths...)
	if err != nil {
		return nil, nil, err
	}
	return Load(sources, opts)
}

// ReadFiles returns the sources that [LoadFiles] loads.
func ReadFiles(paths ...string) ([]Source, error) {
	files, err := Files(paths...)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	var sources []Source
	for _, file := range files {
		data, err := readFile(file, maxFileBytes)
		if err != nil {
			return nil, fmt.Errorf("read configuration: %w", err)
		}
		sources = append(sources, Source{Name: file, Data: data})
	}
	return sources, nil
}

// Files returns the files that paths stand for: a file stands for itself, and a
// directory for what lies in it and below it and ends in .yaml, .yml, .json, .tf,
// .tfvars or .sh, in alphabetical order. Symbolic links are followed; names that
// start with a dot are left out.
func Files(paths ...string) ([]string, error) {
	var all []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			all = append(all, path)
			continue
		}
		files, err := filesBelow(path, nil)
		if err != nil {
			return nil, err
		}
		files = slices.DeleteFunc(files, func(file string) bool { return !readInFolders(file) })
		if len(files) == 0 {
			return nil, fmt.Errorf("%s: no .yaml, .yml, .json, .tf or .sh file in it", path)
		}
		all = append(all, files...)
	}
	return all, nil
}

// readInFolders reports whether a file is read where only its directory is named.
func readInFolders(file string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json", ".tf", ".tfvars", ".sh"}, filepath.Ext(file))
}

// filesBelow returns the files in a directory and below it, links followed. The
// directories around it end a circle of links.
func filesBelow(dir string, around []string) ([]string, error) {
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil || slices.Contains(around, resolved) {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		at := filepath.Join(dir, entry.Name())
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		// A link to nothing is a file that cannot be read, which is told when it is.
		if info, err := os.Stat(at); err != nil || !info.IsDir() {
			files = append(files, at)
			continue
		}
		below, err := filesBelow(at, append(slices.Clone(around), resolved))
		if err != nil {
			return nil, err
		}
		files = append(files, below...)
	}
	return files, nil
}

// readFile reads as much of a file as shows that it has more than limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}
