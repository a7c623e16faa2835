// Package templates executes decK's templates, which files of YAML and JSON may have
// whatever their format.
package templates

import (
	"bytes"
	"errors"
	"sort"
	"strings"
	"text/template"

	"semlb/config"
	"semlb/config/placeholder"
	"semlb/config/report"
	"semlb/config/tree"
)

// The delimiters of decK's templates.
const (
	opening = "${{"
	closing = "}}"
)

// Bounds of a file's templates: faults of its syntax, each of which costs another
// parse; steps of the execution; bytes that functions make.
const (
	maxFaults = 20
	maxSteps  = 500_000
	maxText   = 64 << 20
)

// unset stands for a value that is missing while templates are executed. It is of
// Unicode's private use area, so that it stays recognizable inside longer texts.
const unset = "\uE002"

var errTooLarge = errors.New("the rendered file is too large")

// Options say what templates may use.
type Options struct {
	// Env looks a variable up, as os.LookupEnv does.
	Env func(name string) (value string, ok bool)
	// Placeholders, where set, stand for templates in place of their values.
	Placeholders *placeholder.Set
	// AllowUnset accepts variables that have no value.
	AllowUnset bool
}

// Render returns the document of a file with its templates executed by text/template, as
// decK does: ${{ env "DECK_KEY" }} and everything else that Go templates can do.
// Templates on comment lines are not executed.
//
// A value that is missing is a fault, and its part of the document is marked as broken.
// There is no document where the templates cannot be executed as a whole. Errors of
// text/template may quote values, so that none of its texts is ever shown.
func Render(name string, source []byte, opts Options) (*tree.Document, config.Faults) {
	if !bytes.Contains(source, []byte(opening)) {
		return tree.NewDocument(name, source), nil
	}
	r := &renderer{Options: opts, name: name, source: source, lines: tree.LineStarts(source)}
	r.functions.renderer = r
	t := r.parse()
	if t == nil {
		return nil, r.faults.Faults()
	}
	for _, t := range t.Templates() {
		if t.Tree != nil {
			r.trace(t.Root, segment{})
		}
	}
	err := t.Funcs(template.FuncMap{traceFunction: r.step}).Execute(r, nil)
	if err != nil && !errors.Is(err, errTooLarge) {
		var known problem
		if !errors.As(err, &known) {
			known = "got a value or an argument that does not fit"
		}
		r.fault(r.current.start, known)
		return nil, r.faults.Faults()
	}
	return tree.NewFilled(name, r.lines, []byte(r.out.String()), r.spans), r.faults.Faults()
}

// renderer executes the templates of one file.
type renderer struct {
	Options
	functions functions
	name      string
	source    []byte
	// lines are the offsets at which the lines of source start.
	lines   []int
	actions []action
	out     strings.Builder
	spans   []tree.Span
	faults  report.Report
	// segments are the nodes of the template, and current is the one being executed.
	segments []segment
	current  segment
	// variable is the name last looked up for this segment.
	variable string
	// missing is set when some value was replaced by unset.
	missing bool
	// steps counts the nodes that were executed.
	steps int
}

// segment is the part of the file that a node of the template came from.
type segment struct {
	start, end int
	// text segments are copied to the output as they are.
	text bool
}

// parse returns the parsed file. Actions that cannot be parsed are faults and are
// taken out, so that one parse after the other finds all of them. It returns nil
// where that does not help.
func (r *renderer) parse() *template.Template {
	var ok bool
	if r.actions, ok = r.findActions(); !ok {
		return nil
	}
	text := bytes.Clone(r.source)
	for _, a := range r.actions {
		if a.skipped() {
			mask(text, a)
		}
	}
	for range max(1, min(maxFaults, 4*tree.MaxBytes/len(text))) {
		t, err := r.newTemplate(text)
		if err == nil {
			return t
		}
		line, found := parseProblem(err)
		i := r.culprit(text, line, err)
		if i < 0 {
			r.fault(r.lines[min(line, len(r.lines))-1], found)
			return nil
		}
		r.fault(r.actions[i].start, found)
		r.actions[i].broken = true
		mask(text, r.actions[i])
	}
	return nil
}

func (r *renderer) newTemplate(text []byte) (*template.Template, error) {
	return template.New(templateName).Delims(opening, closing).Funcs(r.functions.all()).Parse(string(text))
}

// Write takes the output of the node that is executed. text/template writes each
// node's output in one call.
func (r *renderer) Write(b []byte) (int, error) {
	switch {
	case len(b) == 0: // of step, or an empty value
	case r.current.text:
		r.writeText(r.current.start, r.current.end)
	default:
		r.writeValue(string(b))
	}
	if r.out.Len() > tree.MaxBytes {
		return 0, errTooLarge
	}
	return len(b), nil
}

// writeText copies a part of the file. Broken actions in it are parsed as text; a
// placeholder stands for each.
func (r *renderer) writeText(start, end int) {
	i := sort.Search(len(r.actions), func(i int) bool { return r.actions[i].start >= start })
	for ; i < len(r.actions) && r.actions[i].start < end; i++ {
		a := r.actions[i]
		if !a.broken {
			continue
		}
		r.copyText(start, a.start)
		r.add("unknown", tree.Span{SourceStart: a.start, SourceEnd: a.end, Broken: true})
		start = a.end
	}
	r.copyText(start, end)
}

func (r *renderer) copyText(start, end int) {
	r.spans = append(r.spans, tree.Span{Start: r.out.Len(), End: r.out.Len(), SourceStart: start, SourceEnd: start, Plain: true})
	r.out.Write(r.source[start:end])
}

func (r *renderer) writeValue(value string) {
	s := tree.Span{SourceStart: r.current.start, SourceEnd: r.current.end}
	switch {
	case r.missing && strings.Contains(value, unset):
		value, s.Broken = "unknown", true
	case r.Placeholders != nil && r.variable != "":
		text := string(r.source[r.current.start:r.current.end])
		value, s.Broken = r.Placeholders.Add(placeholder.Placeholder{Variable: r.variable, Template: text}), true
	}
	r.add(value, s)
}

// add writes what a span of the document holds.
func (r *renderer) add(text string, s tree.Span) {
	s.Start = r.out.Len()
	r.out.WriteString(text)
	s.End = r.out.Len()
	r.spans = append(r.spans, s)
}

// fault notes what is wrong at an offset of the file.
func (r *renderer) fault(offset int, err error) {
	text := "render template: " + err.Error()
	var unset report.Unset
	if errors.As(err, &unset) {
		if r.AllowUnset {
			return
		}
		text = err.Error()
	}
	r.faults.Add(config.Fault{Position: tree.PositionAt(r.name, r.lines, offset), Problem: text})
}
