// Package shell reads the simple commands of a shell script. It executes nothing.
package shell

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Bounds of a shell script. The parser calls itself for most operators, so that they
// are counted before it is called.
const (
	// maxPieces bounds the words of a script and what they are made of.
	maxPieces    = 100_000
	maxOperators = 50_000
)

// Command is a simple command of a script.
type Command struct {
	Words []Word
	// Assigned are the variables that are assigned before the words, or that a command
	// such as export assigns.
	Assigned []Assignment
	// Input is the here-document or here-string of the command, if it has one.
	Input Word
	// InputFile and Output name the files that the command reads and writes, if it has
	// redirections to one.
	InputFile, Output Word
	// Appends is set where the command adds to what the file has.
	Appends bool
	// Loop is set for a loop, which has no words.
	Loop *Loop
	// Substituted are the commands of substitutions such as $(…) in the words, which run
	// before the command itself.
	Substituted []Command
	// Piped commands read what the one before them prints.
	Piped bool
	// Conditional commands may not run: those in functions, in conditions and in what
	// depends on one.
	Conditional bool
	// Offset is where the command starts, in bytes.
	Offset int
}

// Assignment is an assignment to a variable.
type Assignment struct {
	Name  string
	Value Word
}

// placeholderPattern matches names in braces, such as {serviceName|Id}, in the
// published examples. A shell would make pipes of some.
var placeholderPattern = regexp.MustCompile(`\{[A-Za-z0-9_]+(?:\|[A-Za-z0-9_]+)*\}`)

// operatorWords are the reserved words for which the parser calls itself.
var operatorWords = regexp.MustCompile(`\b(?:if|elif|else|while|until|for|case|select|function|time|coproc|do|then)\b`)

// reader turns the syntax tree of a script into simple commands. It executes
// nothing.
type reader struct {
	text     string
	commands []Command
	// pieces counts those of all words.
	pieces int
	// conditional is set while what is read may not run.
	conditional bool
}

// Read returns the simple commands of a script, those inside of loops and
// conditions included, up to the first error.
func Read(text string) ([]Command, *Error) {
	if tooManyOperators(text) {
		return nil, &Error{Problem: "too many values"}
	}
	r := reader{text: text}
	masked := placeholderPattern.ReplaceAllStringFunc(text, func(name string) string {
		return strings.ReplaceAll(name, "|", "_")
	})
	for stmt, err := range syntax.NewParser().StmtsSeq(strings.NewReader(masked)) {
		if err != nil {
			return r.commands, newError(err)
		}
		r.statement(stmt)
		if r.pieces > maxPieces {
			return r.commands, &Error{Problem: "too many values"}
		}
	}
	return r.commands, nil
}

func tooManyOperators(text string) bool {
	for _, c := range []byte("([{`!~+=?*|&") {
		if bytes.Count([]byte(text), []byte{c}) > maxOperators {
			return true
		}
	}
	return len(operatorWords.FindAllStringIndex(text, maxOperators+1)) > maxOperators
}

// statements reads the commands of a list.
func (r *reader) statements(list []*syntax.Stmt) {
	for _, s := range list {
		r.statement(s)
	}
}

// statement reads the commands of a statement.
func (r *reader) statement(s *syntax.Stmt) {
	if s == nil || r.pieces > maxPieces {
		return
	}
	substituted := r.substituted(s)
	if call, ok := s.Cmd.(*syntax.CallExpr); ok {
		r.call(call, s.Redirs, substituted)
		return
	}
	if len(substituted) > 0 {
		r.add(Command{Substituted: substituted, Offset: offsetOf(s)})
	}
	outside := r.conditional
	switch c := s.Cmd.(type) {
	case *syntax.BinaryCmd:
		r.binary(c)
	case *syntax.Block:
		r.statements(c.Stmts)
	case *syntax.Subshell:
		r.statements(c.Stmts)
	case *syntax.IfClause:
		for ; c != nil; c = c.Else {
			r.statements(c.Cond)
			r.conditional = true
			r.statements(c.Then)
		}
	case *syntax.WhileClause:
		r.statements(c.Cond)
		r.conditional = true
		r.statements(c.Do)
	case *syntax.ForClause:
		loopReader{r}.loop(c)
	case *syntax.CaseClause:
		r.conditional = true
		for _, item := range c.Items {
			r.statements(item.Stmts)
		}
	case *syntax.TimeClause:
		r.statement(c.Stmt)
	case *syntax.CoprocClause:
		r.statement(c.Stmt)
	case *syntax.FuncDecl:
		r.conditional = true
		r.statement(c.Body)
	case *syntax.DeclClause:
		r.add(Command{Assigned: r.assignments(c.Args), Offset: offsetOf(c)})
	}
	written := Command{Offset: offsetOf(s)} // into the file of a statement with others in it
	if r.redirect(&written, s.Redirs); written.Output.Pieces != nil {
		r.add(written)
	}
	r.conditional = outside
}

// substituted returns the commands of the substitutions in a statement, but not those in
// statements inside of it.
func (r *reader) substituted(s *syntax.Stmt) []Command {
	outside := r.commands
	r.commands = nil
	syntax.Walk(s, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Stmt:
			return n == s
		case *syntax.CmdSubst:
			r.statements(n.Stmts)
			return false
		case *syntax.ProcSubst:
			r.statements(n.Stmts)
			return false
		}
		return true
	})
	inside := r.commands
	r.commands = outside
	return inside
}

// assignments returns the assignments of values. One of an array, or to a part of a
// variable, has a value that is not read.
func (r *reader) assignments(list []*syntax.Assign) []Assignment {
	var all []Assignment
	for _, a := range list {
		switch {
		case a.Name == nil || a.Naked:
		case a.Value == nil && a.Array == nil:
			all = append(all, Assignment{Name: a.Name.Value})
		case a.Array != nil && !a.Append:
			var value Word
			r.unread(&value, offsetOf(a.Array), int(a.Array.End().Offset())) //nolint:gosec // files are smaller
			all = append(all, Assignment{a.Name.Value, value})
		case a.Value == nil || a.Append || a.Index != nil:
			all = append(all, Assignment{a.Name.Value, Word{[]Piece{{Unread: true}}}})
		default:
			all = append(all, Assignment{a.Name.Value, r.word(a.Value)})
		}
	}
	return all
}

func offsetOf(n syntax.Node) int { return int(n.Pos().Offset()) } //nolint:gosec // files are smaller

// call reads a simple command.
func (r *reader) call(c *syntax.CallExpr, redirects []*syntax.Redirect, substituted []Command) {
	command := r.simple(c, redirects)
	command.Substituted = substituted
	r.add(command)
}

// simple returns a simple command without those of its substitutions.
func (r *reader) simple(c *syntax.CallExpr, redirects []*syntax.Redirect) Command {
	command := Command{Offset: offsetOf(c), Assigned: r.assignments(c.Assigns)}
	for _, w := range c.Args {
		command.Words = append(command.Words, r.word(w))
	}
	r.redirect(&command, redirects)
	if len(command.Words) > 0 {
		command.Offset = offsetOf(c.Args[0])
	}
	return command
}

// writes are the redirections into a file: >, >|, >>, &> and &>>.
var writes = []syntax.RedirOperator{syntax.RdrOut, syntax.RdrClob, syntax.AppOut, syntax.RdrAll, syntax.AppAll}

// redirect notes what a command reads, and which file it writes.
func (r *reader) redirect(c *Command, redirects []*syntax.Redirect) {
	for _, redirect := range redirects {
		switch {
		case redirect.Op == syntax.WordHdoc:
			c.Input = r.word(redirect.Word)
		case redirect.Hdoc != nil:
			c.Input = r.hereDocument(redirect)
		case redirect.N != nil && redirect.N.Value != "1": // such as 2>/dev/null
		case redirect.Op == syntax.RdrIn:
			c.InputFile = r.word(redirect.Word)
		case slices.Contains(writes, redirect.Op):
			c.Output = r.word(redirect.Word)
			c.Appends = redirect.Op == syntax.AppOut || redirect.Op == syntax.AppAll
		}
	}
}

func (r *reader) add(c Command) {
	r.pieces++
	c.Conditional = r.conditional
	r.commands = append(r.commands, c)
}
