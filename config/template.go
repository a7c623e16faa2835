package config

import (
	"bytes"
	"errors"
	"sort"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
)

// The delimiters of decK's templates.
const (
	templateOpen  = "${{"
	templateClose = "}}"
)

// Bounds of a file's templates: faults of its syntax, each of which costs another
// parse; steps of the execution; bytes that functions make.
const (
	maxTemplateFaults = 20
	maxTemplateSteps  = 500_000
	maxTemplateText   = 64 << 20
)

// unset stands for a value that is not available while templates are executed. It is
// of Unicode's private use area, so that it stays recognizable inside longer texts.
const unset = "\uE002"

var errTemplateOutput = errors.New("the rendered file is too large")

// templates renders decK's templates with text/template, as decK does: ${{ env
// "DECK_KEY" }} and everything else that Go templates can do. Templates on comment
// lines are left alone.
//
// A value that is not available is a fault, and its place in the document is marked as
// broken. Errors of text/template may quote values, so they are never shown.
type templates struct {
	env func(string) (string, bool)
	// symbols, where set, stand for the templates in place of their values.
	symbols *symbols
	// allowUnset makes no fault of a variable without a value.
	allowUnset bool

	functions templateFunctions
	source    []byte
	actions   []action
	doc       *document
	out       strings.Builder
	faults    Faults
	// places are the nodes of the template, and place is the one being executed.
	places []templatePlace
	place  templatePlace
	// variable is the name last looked up for this place.
	variable string
	// missing reports that some value was replaced by unset.
	missing bool
	// steps counts the nodes that were executed.
	steps int
}

// templatePlace is the part of the file that a node of the template came from.
type templatePlace struct {
	start, end int
	// text places are copied to the output as they are.
	text bool
}

// render returns the document of a file with its templates executed. It returns no
// document where the templates cannot be executed as a whole.
func (r *templates) render(name string, source []byte) (*document, Faults) {
	if !bytes.Contains(source, []byte(templateOpen)) {
		return newDocument(name, source), nil
	}
	r.source, r.functions.templates = source, r
	r.doc = &document{name: name, sourceLines: lineStarts(source)}
	t := r.parse()
	if t == nil {
		return nil, r.faults
	}
	for _, t := range t.Templates() {
		if t.Tree != nil {
			r.trace(t.Root, templatePlace{})
		}
	}
	err := t.Funcs(template.FuncMap{traceFunction: r.step}).Execute(r, nil)
	if err != nil && !errors.Is(err, errTemplateOutput) {
		var known templateError
		if !errors.As(err, &known) {
			known = "got a value or an argument that does not fit"
		}
		r.fault(r.place.start, known)
		return nil, r.faults
	}
	r.doc.text = []byte(r.out.String())
	r.doc.lines = lineStarts(r.doc.text)
	return r.doc, r.faults
}

// parse returns the parsed file. Actions that cannot be parsed are faults and are
// taken out, so that one parse after the other finds all of them. It returns nil
// where that does not help.
func (r *templates) parse() *template.Template {
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
	for range max(1, min(maxTemplateFaults, 4*maxFileBytes/len(text))) {
		t, err := r.newTemplate(text)
		if err == nil {
			return t
		}
		line, problem := parseProblem(err)
		i := r.culprit(text, line, err)
		if i < 0 {
			r.fault(r.doc.sourceLines[min(line, len(r.doc.sourceLines))-1], problem)
			return nil
		}
		r.fault(r.actions[i].start, problem)
		r.actions[i].broken = true
		mask(text, r.actions[i])
	}
	return nil
}

func (r *templates) newTemplate(text []byte) (*template.Template, error) {
	return template.New(templateName).Delims(templateOpen, templateClose).Funcs(r.functions.all()).Parse(string(text))
}

// traceFunction is called before each node. It is added after parsing, so that no
// file can call it.
const traceFunction = "semlb_trace"

// trace puts a call of step before every node of a list, and below it. This is how
// the output's places in the file are known: text/template does not report them. The
// list belongs to the node at a place.
func (r *templates) trace(list *parse.ListNode, of templatePlace) {
	if list == nil {
		return
	}
	// An empty list gets one as well, so that an empty loop counts its steps.
	nodes := []parse.Node{r.traceNode(of)}
	for _, n := range list.Nodes {
		start := int(n.Position())
		place := templatePlace{start: start, end: start, text: true}
		if text, ok := n.(*parse.TextNode); ok {
			place.end += len(text.Text)
		} else {
			place = r.actionAt(start)
			r.convertible(n, place)
		}
		for _, below := range children(n) {
			r.trace(below, place)
		}
		nodes = append(nodes, r.traceNode(place), n)
	}
	list.Nodes = nodes
}

// children returns the lists inside a node.
func children(n parse.Node) []*parse.ListNode {
	switch n := n.(type) {
	case *parse.IfNode:
		return []*parse.ListNode{n.List, n.ElseList}
	case *parse.RangeNode:
		return []*parse.ListNode{n.List, n.ElseList}
	case *parse.WithNode:
		return []*parse.ListNode{n.List, n.ElseList}
	default:
		return nil
	}
}

// traceNode returns the call of step for a place.
func (r *templates) traceNode(p templatePlace) parse.Node {
	i := len(r.places)
	r.places = append(r.places, p)
	call := &parse.CommandNode{NodeType: parse.NodeCommand, Args: []parse.Node{
		parse.NewIdentifier(traceFunction),
		&parse.NumberNode{NodeType: parse.NodeNumber, IsInt: true, Int64: int64(i), Text: strconv.Itoa(i)},
	}}
	return &parse.ActionNode{NodeType: parse.NodeAction, Pipe: &parse.PipeNode{NodeType: parse.NodePipe, Cmds: []*parse.CommandNode{call}}}
}

// step notes which node is executed next. It prints nothing.
func (r *templates) step(i int) (string, error) {
	r.place, r.variable = r.places[i], ""
	if r.steps++; r.steps > maxTemplateSteps {
		return "", templateError("too many steps")
	}
	return "", nil
}

// convertible notes the fault of a node that a conversion cannot keep: only a single
// value can become a reference of another format.
func (r *templates) convertible(n parse.Node, at templatePlace) {
	a, ok := n.(*parse.ActionNode)
	if r.symbols != nil && (!ok || len(a.Pipe.Decl) > 0) {
		r.fault(at.start, templateError("a template with a variable or a control structure cannot be converted"))
	}
}

// Write takes the output of the node that is executed. text/template writes each
// node's output in one call.
func (r *templates) Write(b []byte) (int, error) {
	switch {
	case len(b) == 0: // of step, or an empty value
	case r.place.text:
		r.writeText(r.place.start, r.place.end)
	default:
		r.writeValue(string(b))
	}
	if r.out.Len() > maxFileBytes {
		return 0, errTemplateOutput
	}
	return len(b), nil
}

// writeText copies a part of the file. Broken actions in it are parsed as text; a
// placeholder stands for each.
func (r *templates) writeText(start, end int) {
	i := sort.Search(len(r.actions), func(i int) bool { return r.actions[i].start >= start })
	for ; i < len(r.actions) && r.actions[i].start < end; i++ {
		a := r.actions[i]
		if !a.broken {
			continue
		}
		r.copyText(start, a.start)
		r.add("unknown", span{sourceStart: a.start, sourceEnd: a.end, broken: true})
		start = a.end
	}
	r.copyText(start, end)
}

func (r *templates) copyText(start, end int) {
	r.doc.spans = append(r.doc.spans, span{start: r.out.Len(), end: r.out.Len(), sourceStart: start, sourceEnd: start, plain: true})
	r.out.Write(r.source[start:end])
}

func (r *templates) writeValue(value string) {
	s := span{sourceStart: r.place.start, sourceEnd: r.place.end}
	switch {
	case r.missing && strings.Contains(value, unset):
		value, s.broken = "unknown", true
	case r.symbols != nil && r.variable != "":
		text := string(r.source[r.place.start:r.place.end])
		value, s.broken = r.symbols.add(symbol{name: r.variable, template: text}), true
	}
	r.add(value, s)
}

// add writes what a span of the document holds.
func (r *templates) add(text string, s span) {
	s.start = r.out.Len()
	r.out.WriteString(text)
	s.end = r.out.Len()
	r.doc.spans = append(r.doc.spans, s)
}

// fault notes what is wrong at an offset of the file.
func (r *templates) fault(offset int, err error) {
	problem := "fill in template: " + err.Error()
	var unset errUnset
	if errors.As(err, &unset) {
		if r.allowUnset {
			return
		}
		problem = err.Error()
	}
	r.faults = append(r.faults, Fault{Position: r.doc.sourcePosition(offset), Problem: problem})
}

// errUnset is a variable that has no value.
type errUnset string

// Error says what to do.
func (e errUnset) Error() string { return notSet(string(e)) }
