package config

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// LoadFiles reads files and directories as [Load] reads sources. Of a directory it
// takes what lies in it and below it and ends in .yaml, .yml, .json, .tf or
// .tfvars, in alphabetical order; names that start with a dot are left out.
func LoadFiles(opts Options, paths ...string) (*Config, []Warning, error) {
	sources, err := ReadFiles(paths...)
	if err != nil {
		return nil, nil, err
	}
	return Load(sources, opts)
}

// ReadFiles returns the sources that [LoadFiles] loads.
func ReadFiles(paths ...string) ([]Source, error) {
	var sources []Source
	for _, path := range paths {
		files, err := filesAt(path)
		if err != nil {
			return nil, fmt.Errorf("read configuration: %w", err)
		}
		for _, file := range files {
			data, err := readFile(file)
			if err != nil {
				return nil, fmt.Errorf("read configuration: %w", err)
			}
			sources = append(sources, Source{Name: file, Data: data})
		}
	}
	return sources, nil
}

// filesAt returns a file itself, or the files of a directory.
func filesAt(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case at != path && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
		case !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json", ".tf", ".tfvars"}, filepath.Ext(at)):
			files = append(files, at)
		}
		return nil
	})
	if err == nil && files == nil {
		err = fmt.Errorf("%s: no .yaml, .yml, .json or .tf file in it", path)
	}
	return files, err
}

// readFile reads as much of a file as shows that it is too large.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	return data, nil
}
