package load

import (
	"bytes"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/templates"
	"semlb/config/tree"
)

// byteOrderMark is what editors on Windows begin files with.
const byteOrderMark = "\uFEFF"

// read gives a source to the reader of its format.
func (l *loader) read(source Source) {
	source.Data = bytes.TrimPrefix(source.Data, []byte(byteOrderMark))
	if source.Listed {
		if what := foreign(source); what != "" {
			l.Inform(source.Name, "skipped: "+what)
			return
		}
	}
	if faults := tree.CheckSize(source.Name, source.Data); faults != nil {
		l.Add(faults...)
		return
	}
	if i := languageOf(source); i >= 0 {
		l.readers[i].Read(format.Document{Name: source.Name, Text: source.Data, Scope: source.Scope, Files: source.Files})
		return
	}
	for _, root := range l.parse(source) {
		l.dispatch(format.Document{Name: source.Name, Root: root, Scope: source.Scope})
	}
}

// parse returns the values of a file of YAML or JSON.
func (l *loader) parse(source Source) []*tree.Node {
	doc, faults := templates.Render(source.Name, source.Data, templates.Options{
		Env: l.Env, Placeholders: l.Placeholders, AllowUnset: l.AllowUnset,
	})
	l.Add(faults...)
	if doc == nil {
		return nil
	}
	roots, faults := doc.Parse()
	switch {
	case faults != nil && !looksLikeYAML(source):
		l.Problem(config.Position{File: source.Name}, "", "%s", noFormat())
	case faults != nil:
		l.Add(faults...)
	case len(roots) == 0:
		l.Want(config.Position{File: source.Name}, "", "nothing", "a configuration")
	}
	return roots
}

// dispatch gives a value of a YAML or JSON file to the reader of its format.
func (l *loader) dispatch(d format.Document) {
	for i, f := range slices.Backward(formats) {
		if f.Recognise != nil && f.Recognise(d.Root) {
			l.readers[i].Read(d)
			return
		}
	}
	l.Problem(d.Root.Pos, "", "%s", noFormat())
}

// languageOf returns the index of the format, with a language of its own, that a source
// is in, or -1. If the name does not say it, the text does.
func languageOf(source Source) int {
	ending := endingOf(source.Name)
	return slices.IndexFunc(formats, func(f format.Format) bool {
		switch {
		case f.Detect == nil:
			return false
		case ending != "":
			return slices.Contains(f.Endings, ending)
		default:
			return f.Detect(source.Data)
		}
	})
}

// endingOf returns the longest ending of a format that a name has, or "".
func endingOf(name string) string {
	longest := ""
	for _, ending := range endings() {
		if strings.HasSuffix(name, ending) && len(ending) > len(longest) {
			longest = ending
		}
	}
	return longest
}

// endings returns the ends of the names of files in all formats.
func endings() []string {
	var all []string
	for _, f := range formats {
		for _, ending := range f.Endings {
			if !slices.Contains(all, ending) {
				all = append(all, ending)
			}
		}
	}
	return all
}

// ownStart matches the start of files in the formats of YAML and JSON.
var ownStart = regexp.MustCompile(`(?m)^\s*([{]|(_format_version|apiVersion|kind|plugins|services|routes|consumers|consumer_groups|name|config)\s*:)`)

// looksLikeYAML reports whether a file's name says that it is YAML or JSON or, where the
// name says nothing, its text does.
func looksLikeYAML(source Source) bool {
	if filepath.Ext(source.Name) != "" {
		ending := endingOf(source.Name)
		return slices.ContainsFunc(formats, func(f format.Format) bool { return f.Recognise != nil && slices.Contains(f.Endings, ending) })
	}
	return ownStart.Match(source.Data)
}
