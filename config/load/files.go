package load

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/tree"
)

// Files reads files and directories as [Sources] reads sources. Of a directory it takes
// what [List] does.
func Files(opts Options, paths ...string) (*config.Config, []config.Warning, error) {
	sources, err := ReadFiles(context.Background(), paths...)
	if err != nil {
		return nil, nil, err
	}
	return Sources(sources, opts)
}

// stdin is what the path "-" means.
const stdin = "/dev/stdin"

// ReadFiles returns the sources that [Files] loads. It waits for pipes until ctx ends; one
// that nothing is written to is an error.
func ReadFiles(ctx context.Context, paths ...string) ([]Source, error) {
	var sources []Source
	for _, path := range paths {
		if path == "-" {
			path = stdin
		}
		files, err := List(path)
		if err != nil {
			return nil, fmt.Errorf("read configuration: %w", err)
		}
		for _, file := range files {
			data, err := readFile(ctx, file)
			if err != nil {
				return nil, fmt.Errorf("read configuration: %w", err)
			}
			sources = append(sources, Source{Name: file, Data: data, Listed: file != path, Files: os.DirFS(filepath.Dir(file))})
		}
	}
	return sources, nil
}

// List returns the files that paths stand for: a file stands for itself, and a directory
// for those files in it and below it that have the ending of a format, in alphabetical
// order. Symbolic links are followed; names that start with a dot are left out.
func List(paths ...string) ([]string, error) {
	var all []string
	for _, path := range paths {
		if path == "-" {
			path = stdin
		}
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
		files = slices.DeleteFunc(files, func(file string) bool { return endingOf(file) == "" })
		if len(files) == 0 {
			known := slices.DeleteFunc(endings(), func(e string) bool { return filepath.Ext(e) != e })
			return nil, fmt.Errorf("%s: no %s file in it", path, alternatives(known))
		}
		all = append(all, files...)
	}
	return all, nil
}

// SecretFiles returns the files in and below a directory of mounted Secrets, for
// watching them.
func SecretFiles(dir string) ([]string, error) { return filesBelow(dir, nil) }

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
		// A link to nothing is a file that cannot be read, which is an error when it is.
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

// readFile reads as much of a file as shows that it is too large.
func readFile(ctx context.Context, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return pipePatience.read(ctx, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, tree.MaxBytes+1))
}
