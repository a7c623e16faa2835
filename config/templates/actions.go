package templates

import (
	"bytes"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"semlb/config/report"
	"semlb/config/tree"
)

// action is a template in a file, from its opening up to behind its closing.
type action struct {
	start, end int
	// comment actions stand on a comment line, and are text.
	comment bool
	// broken actions cannot be parsed.
	broken bool
}

func (a action) skipped() bool { return a.comment || a.broken }

// templateName is what text/template calls the file in its errors. The file's own name
// may hold anything, and no file defines a template of this one.
const templateName = unset

var (
	// closedAction matches a whole action: comments, strings, character constants, and
	// anything else up to the closing. An opening inside it means that it is not closed.
	closedAction = regexp.MustCompile("^\\$\\{\\{(?:/\\*(?:[^*]|\\*[^/])*\\*/|\"(?:[^\"\\\\\n]|\\\\.)*\"|`[^`]*`|'(?:[^'\\\\\n]|\\\\.)*'" +
		"|[^\"'`}$]|\\}[^}\"'`]|\\$[^{\"'`]|\\$\\{[^{\"'`])*?\\}\\}")
	actionKeyword = regexp.MustCompile(`^\$\{\{(?:- )?\s*(\w+)`)
	parseError    = regexp.MustCompile(`(?s)^template: ` + templateName + `:(\d+):(?:\d+:)? (.*)$`)
	actionStart   = regexp.MustCompile(` (?:in action )?started at ` + templateName + `:(\d+)`)
	undefined     = regexp.MustCompile(`^function "(\w+)" not defined$`)
)

// findActions returns the actions of the file, in order. Those that would cost the
// parser too much and those that are not closed are faults. It returns false where
// nothing of the file can be executed.
func (r *renderer) findActions() ([]action, bool) {
	var all []action
	var depth blockDepth
	for at := 0; ; {
		next := bytes.Index(r.source[at:], []byte(opening))
		if next < 0 {
			return all, r.allClosed(depth)
		}
		a := r.actionFrom(at + next)
		switch text := r.source[a.start:a.end]; {
		case a.comment:
		case bytes.Count(text, []byte("(")) > tree.MaxHeight:
			r.fault(a.start, problem("too many parentheses"))
			a.broken = true
		case a.broken:
			r.fault(a.start, problem("want "+closing+" on the same line"))
		case depth.enter(a.start, text) > tree.MaxHeight:
			r.fault(a.start, problem("blocks are nested too deep"))
			return nil, false
		}
		if all = append(all, a); r.faults.Full() {
			return nil, false
		}
		at = a.end
	}
}

// allClosed notes the faults of blocks that are open where the file ends.
func (r *renderer) allClosed(depth blockDepth) bool {
	for _, b := range depth.open {
		r.fault(b.start, problem("want "+opening+" end "+closing+" behind it"))
	}
	return len(depth.open) == 0
}

// maxActionBytes is the longest action.
const maxActionBytes = 64 << 10

// actionFrom returns the action that opens at an offset. One that is not closed ends
// at the next closing, or where the line ends.
func (r *renderer) actionFrom(start int) action {
	rest := r.source[start:]
	line := r.source[r.lines[tree.LineAt(r.lines, start)]:start]
	if bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("#")) {
		return action{start: start, end: start + len(opening), comment: true}
	}
	if m := closedAction.Find(rest[:min(len(rest), maxActionBytes)]); m != nil {
		return action{start: start, end: start + len(m)}
	}
	end := len(rest)
	if i := bytes.Index(rest, []byte(closing)); i >= 0 {
		end = i + len(closing)
	}
	if i := bytes.IndexAny(rest[:end], "\r\n"); i >= 0 {
		end = i
	}
	return action{start: start, end: start + end, broken: true}
}

// blockDepth counts the blocks that are open, each with its alternatives: the parser
// calls itself for both.
type blockDepth struct {
	open []block
	all  int
}

// block is where a block starts, and how many levels it adds.
type block struct{ start, levels int }

// enter takes the keyword of an action into account, and returns the depth.
func (d *blockDepth) enter(start int, text []byte) int {
	m := actionKeyword.FindSubmatch(text)
	if m == nil {
		return d.all
	}
	switch last := len(d.open) - 1; string(m[1]) {
	case "if", "range", "with", "block", "define":
		d.open = append(d.open, block{start, 1})
		d.all++
	case "else":
		if last >= 0 {
			d.open[last].levels++
			d.all++
		}
	case "end":
		if last >= 0 {
			d.all -= d.open[last].levels
			d.open = d.open[:last]
		}
	}
	return d.all
}

// mask makes the parser take an action as text, with the openings in it where it is not
// closed. The text keeps its length, so that offsets stay those of the file.
func mask(text []byte, a action) {
	for at := a.start; at < a.end; {
		next := bytes.Index(text[at:a.end], []byte(opening))
		if next < 0 {
			return
		}
		copy(text[at+next:], unset[:len(opening)])
		at += next + len(opening)
	}
}

// actionAt returns the segment of the action that holds an offset.
func (r *renderer) actionAt(offset int) segment {
	i := sort.Search(len(r.actions), func(i int) bool { return r.actions[i].start > offset }) - 1
	return segment{start: r.actions[i].start, end: r.actions[i].end}
}

// maxCandidates bounds the actions of one line that are parsed on their own.
const maxCandidates = 100

// culprit returns the action that an error of the parser is about, or -1. The parser
// reports only lines; of several actions on the line it is the one whose own error is
// the same.
func (r *renderer) culprit(text []byte, line int, err error) int {
	found, tried := -1, 0
	want := parseError.ReplaceAllString(err.Error(), "$2")
	for i, a := range r.actions {
		if a.skipped() || tree.LineAt(r.lines, a.start)+1 != line {
			continue
		}
		if found < 0 {
			found = i
		}
		if tried++; tried > maxCandidates {
			break
		}
		if _, err := r.newTemplate(text[a.start:a.end]); err != nil && parseError.ReplaceAllString(err.Error(), "$2") == want {
			return i
		}
	}
	return found
}

// parseProblem returns the line of an error of the parser, and what is wrong. Of what
// the parser quotes only the names of functions are kept.
func parseProblem(err error) (line int, found problem) {
	line, found = 1, `want a form like env "DECK_NAME"`
	m := parseError.FindStringSubmatch(err.Error())
	if m == nil {
		return line, found
	}
	number, text := m[1], m[2]
	if start := actionStart.FindStringSubmatch(text); start != nil {
		number = start[1]
	}
	if n, err := strconv.Atoi(number); err == nil && n > 0 {
		line = n
	}
	switch function := undefined.FindStringSubmatch(text); {
	case function != nil && !strings.HasPrefix(function[1], "DECK_"):
		found = problem("unknown function " + report.Quote(function[1]))
	case strings.Contains(text, "unexpected {{"):
		found = "an end or an else without a block"
	case strings.Contains(text, "undefined variable"):
		found = "a variable that is not declared"
	}
	return line, found
}
