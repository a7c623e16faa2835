package script

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/script/shell"
	"semlb/config/tree"
)

// fileReader knows the files that a script writes, and those beside it.
type fileReader struct{ *scriptReader }

// write notes what a command writes into a file, and reports whether that is all it does.
func (s fileReader) write(c shell.Command, name string, input shell.Word) bool {
	if name == "tee" {
		s.tee(c.Words[1:], input)
	}
	if c.Output.Pieces == nil {
		return false
	}
	output := c.Output
	c.Output = shell.Word{}
	if len(c.Words) == 1 && c.Words[0].Plain() == "cat" && c.Input.Pieces == nil {
		c.Input = input
	}
	text, ok := c.Printed()
	s.writeFile(output, text, c.Appends)
	return ok
}

// tee notes the files of the command tee, which are behind its flags.
func (s fileReader) tee(words []shell.Word, input shell.Word) {
	r, appends := newFlagReader("tee"), false
	r.set.BoolVarP(&appends, "append", "a", false, "")
	r.switches("ignore-interrupts,i", "output-error,p")
	for _, w := range r.parse(words) {
		s.writeFile(w, input, appends)
	}
}

// writeFile notes the text of a file that the script writes. One without pieces is known
// to a shell only.
func (s fileReader) writeFile(name, text shell.Word, appends bool) {
	plain, _ := s.plain(name)
	plain = path.Clean(plain)
	if text.Pieces == nil {
		text = shell.Word{Pieces: []shell.Piece{{Unread: true}}}
	}
	text = s.fixed(text)
	if appends {
		before, ok := s.written[plain]
		if !ok {
			before = shell.Word{Pieces: []shell.Piece{{Unread: true}}}
			s.written[plain] = before
		}
		if isUnread(before) {
			return
		}
		text.Pieces = slices.Concat(before.Pieces, []shell.Piece{{Text: "\n", Fixed: true}}, text.Pieces)
	}
	if len(text.Pieces) > maxFixed {
		text = shell.Word{Pieces: []shell.Piece{{Unread: true}}}
	}
	s.written[plain] = text
}

// file returns the text of the file that a piece stands for: one that the script wrote, or
// one in the directory of the script. It is the piece where there is none.
func (s fileReader) file(p shell.Piece) shell.Word {
	name, _ := s.plain(*p.File)
	if text, ok := s.written[path.Clean(name)]; ok {
		return text
	}
	text, ok := s.open(name)
	if !ok {
		return shell.Word{Pieces: []shell.Piece{p}}
	}
	return shell.Word{Pieces: []shell.Piece{{Text: string(text), Start: p.Start, End: p.Start, Fixed: true}}}
}

// shells are the commands that run a script.
var shells = []string{".", "bash", "dash", "ksh", "sh", "source", "zsh"}

// run returns the texts of the files that a command runs and the script has written.
func (s fileReader) run(name string, words []shell.Word) []shell.Word {
	if !slices.Contains(shells, name) {
		words = words[:min(1, len(words))]
	}
	var texts []shell.Word
	for _, w := range words {
		plain, _ := s.plain(w)
		if text, ok := s.written[path.Clean(plain)]; ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// open returns the text of a file in or below the directory of the script.
func (s fileReader) open(name string) ([]byte, bool) {
	name = path.Clean(name)
	if s.files == nil || !fs.ValidPath(name) {
		return nil, false
	}
	s.Opened(s.pathOf(name))
	info, err := fs.Stat(s.files, name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, false
	}
	f, err := s.files.Open(name)
	if err != nil {
		return nil, false
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, tree.MaxBytes+1))
	return bytes.TrimPrefix(text, []byte("\uFEFF")), err == nil
}

// mostFiles bounds what is looked at in and below a directory that a command names.
const mostFiles = 10_000

var errTooMany = errors.New("too many files")

// configuration returns the files that a name stands for: the file in or below the
// directory of the script, or those of a directory that have an ending of YAML or JSON, also
// those below it if deep is set. There are none where a directory cannot be read, or has too
// many.
func (s fileReader) configuration(name string, deep bool) []string {
	name = path.Clean(name)
	if s.files == nil || !fs.ValidPath(name) {
		return nil
	}
	s.Opened(s.pathOf(name))
	info, err := fs.Stat(s.files, name)
	switch {
	case err != nil:
		return nil
	case !info.IsDir():
		return []string{name}
	}
	var all []string
	left := mostFiles
	err = fs.WalkDir(s.files, name, func(file string, entry fs.DirEntry, err error) error {
		switch left--; {
		case left < 0:
			return errTooMany
		case err != nil:
			return err
		case entry.IsDir() && file != name && !deep:
			return fs.SkipDir
		case entry.IsDir():
			s.Opened(s.pathOf(file)) // a new file changes it
		case !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(path.Ext(file))):
			all = append(all, file)
		}
		return nil
	})
	if err != nil {
		return nil
	}
	return all
}

// beside returns the files that a command applies and that are not read yet. One that is
// not beside the script is a fault, unless one of that name is given. Of a directory the
// command applies those below it too if deep is set.
func (s fileReader) beside(pos config.Position, command, name string, deep bool) []string {
	files := s.configuration(name, deep)
	isGiven := func(file string) bool { return !s.applied[file] && path.Base(file) == path.Base(name) }
	if files == nil && !slices.ContainsFunc(s.Given, isGiven) {
		s.Problem(pos, "", "%s applies a file that is not beside the script: give it as well, with -c", command)
	}
	files = slices.DeleteFunc(files, func(file string) bool { return slices.ContainsFunc(s.Given, s.isAt(file)) })
	for _, file := range files {
		if _, ok := s.open(file); !ok {
			s.Problem(pos, "", "%s applies %s, which cannot be read, or is no file", command, s.pathOf(file))
		}
		s.Given, s.applied[s.pathOf(file)] = append(s.Given, s.pathOf(file)), true
	}
	return files
}

// isAt returns a function that reports whether a path is that of a file beside the script.
func (s fileReader) isAt(file string) func(string) bool {
	want, err := filepath.Abs(s.pathOf(file))
	return func(given string) bool {
		got, err2 := filepath.Abs(given)
		return err == nil && err2 == nil && got == want
	}
}

// pathOf returns the path of a file beside the script.
func (s fileReader) pathOf(file string) string { return path.Join(path.Dir(s.name), file) }

// isAddress reports whether a name of a file is an address.
func isAddress(name string) bool {
	return strings.Contains(name, "://") || strings.HasPrefix(name, "github.com/")
}

// documentOf returns a file beside the script as a document.
func (s fileReader) documentOf(name string) *tree.Document {
	text, ok := s.open(name)
	if !ok {
		return nil
	}
	return tree.NewDocument(s.pathOf(name), text)
}
