package load

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/regular"
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
	return new(Reader).Read(ctx, paths...)
}

// Reader reads the same files again and again, but pipes and devices once: what they said
// stays. The zero Reader has read nothing. It is not safe for concurrent use.
type Reader struct {
	said map[string][]byte
}

// Read is [ReadFiles].
func (r *Reader) Read(ctx context.Context, paths ...string) ([]Source, error) {
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
			data, err := r.readFile(ctx, file, file != path)
			if err != nil {
				return nil, fmt.Errorf("read configuration: %w", err)
			}
			sources = append(sources, Source{Name: file, Data: data, Listed: file != path, Files: os.DirFS(filepath.Dir(file))})
		}
	}
	return sources, nil
}

// readFile reads as much of a file as shows that it is too large. Pipes and devices are read
// where they are named themselves: in a directory nobody expects one.
func (r *Reader) readFile(ctx context.Context, path string, listed bool) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if listed || info.Mode().IsRegular() {
		return regular.Read(path, tree.MaxBytes)
	}
	if said, ok := r.said[path]; ok {
		return said, nil
	}
	said, err := pipePatience.read(ctx, path)
	if err == nil {
		if r.said == nil {
			r.said = make(map[string][]byte)
		}
		r.said[path] = said
	}
	return said, err
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
		files, err := filesBelow(path)
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
func SecretFiles(dir string) ([]string, error) { return filesBelow(dir) }

// mostFiles bounds what is looked at in and below a directory.
const mostFiles = 10_000

// filesBelow returns the files in a directory and below it, links followed.
func filesBelow(dir string) ([]string, error) {
	w := walk{left: mostFiles, seen: map[string]bool{}}
	err := w.add(dir)
	if w.left < 0 {
		err = fmt.Errorf("%s: more than %d files and directories in it", dir, mostFiles)
	}
	return w.files, err
}

// walk gathers files.
type walk struct {
	files []string
	left  int // entries that may still be looked at
	// seen are the directories, without links. Each is looked at once, however many links
	// lead to it: a few links make more ways than there is time for.
	seen map[string]bool
}

// add gathers the files in a directory and below it.
func (w *walk) add(dir string) error {
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil || w.seen[resolved] {
		return err
	}
	w.seen[resolved] = true
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if w.left--; w.left < 0 {
			return nil
		}
		at := filepath.Join(dir, entry.Name())
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		// A link to nothing is a file that cannot be read, which is an error when it is.
		if info, err := os.Stat(at); err != nil || !info.IsDir() {
			w.files = append(w.files, at)
			continue
		}
		if err := w.add(at); err != nil {
			return err
		}
	}
	return nil
}
