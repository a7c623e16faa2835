package config

import (
	"bytes"
	"errors"
	"regexp"
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

// shellCommand is a simple command of a script.
type shellCommand struct {
	words []shellWord
	// assigned are the names of variables that are assigned before the words.
	assigned []string
	// input is the here-document or here-string of the command, if it has one.
	input shellWord
	// piped commands read what the one before them prints.
	piped bool
	// offset is where the command starts.
	offset int
}

// shellWord is a word of a command.
type shellWord struct{ pieces []shellPiece }

// shellPiece is a part of a word: literal text, a variable, or what is not read.
type shellPiece struct {
	text     string
	variable string
	// start and end are its place in the script.
	start, end int
	// placeholder pieces are names that the reader of an example has to put in.
	placeholder bool
	// unread pieces are substitutions whose value only a shell knows.
	unread bool
}

// plain returns a word with its variables as they are written.
func (w shellWord) plain() string {
	var b strings.Builder
	for _, p := range w.pieces {
		b.WriteString(p.text)
	}
	return b.String()
}

// suffix returns the last n bytes of a word.
func (w shellWord) suffix(n int) shellWord {
	for i := len(w.pieces) - 1; i >= 0; i-- {
		p := w.pieces[i]
		if n < len(p.text) {
			if n == 0 {
				return shellWord{w.pieces[i+1:]}
			}
			p.start += len(p.text) - n
			p.text = p.text[len(p.text)-n:]
			return shellWord{append([]shellPiece{p}, w.pieces[i+1:]...)}
		}
		n -= len(p.text)
	}
	return w
}

// placeholderPattern matches names in braces, such as {serviceName|Id}, in the
// published examples. A shell would make pipes of some.
var placeholderPattern = regexp.MustCompile(`\{[A-Za-z0-9_]+(?:\|[A-Za-z0-9_]+)*\}`)

// operatorWords are the reserved words for which the parser calls itself.
var operatorWords = regexp.MustCompile(`\b(?:if|elif|else|while|until|for|case|select|function|time|coproc|do|then)\b`)

// shellReader turns the syntax tree of a script into simple commands. It executes
// nothing.
type shellReader struct {
	text     string
	commands []shellCommand
	// pieces counts those of all words.
	pieces int
}

// readShell returns the simple commands of a script, those inside of loops and
// conditions included, up to the first error.
func readShell(text string) ([]shellCommand, *shellError) {
	if tooManyOperators(text) {
		return nil, &shellError{problem: "too many values"}
	}
	r := shellReader{text: text}
	masked := placeholderPattern.ReplaceAllStringFunc(text, func(name string) string {
		return strings.ReplaceAll(name, "|", "_")
	})
	for stmt, err := range syntax.NewParser().StmtsSeq(strings.NewReader(masked)) {
		if err != nil {
			return r.commands, newShellError(err)
		}
		r.statement(stmt)
		if r.pieces > maxPieces {
			return r.commands, &shellError{problem: "too many values"}
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

// shellError is why a script cannot be read, and where. It quotes nothing.
type shellError struct {
	problem string
	offset  int
}

func newShellError(err error) *shellError {
	e := &shellError{problem: "read shell script: invalid syntax"}
	var parse syntax.ParseError
	var lang syntax.LangError
	switch {
	case errors.As(err, &parse):
		e.offset = int(parse.Pos.Offset()) //nolint:gosec // files are smaller
		if strings.HasPrefix(parse.Text, "reached EOF without") {
			e.problem += ": a quote or a bracket is not closed"
		}
	case errors.As(err, &lang):
		e.offset = int(lang.Pos.Offset()) //nolint:gosec // files are smaller
	}
	return e
}

// statements reads the commands of a list.
func (r *shellReader) statements(list []*syntax.Stmt) {
	for _, s := range list {
		r.statement(s)
	}
}

// statement reads the commands of a statement.
func (r *shellReader) statement(s *syntax.Stmt) {
	if s == nil || r.pieces > maxPieces {
		return
	}
	switch c := s.Cmd.(type) {
	case *syntax.CallExpr:
		r.call(c, s.Redirs)
	case *syntax.BinaryCmd:
		r.binary(c)
	case *syntax.Block:
		r.statements(c.Stmts)
	case *syntax.Subshell:
		r.statements(c.Stmts)
	case *syntax.IfClause:
		for ; c != nil; c = c.Else {
			r.statements(c.Cond)
			r.statements(c.Then)
		}
	case *syntax.WhileClause:
		r.statements(c.Cond)
		r.statements(c.Do)
	case *syntax.ForClause:
		r.statements(c.Do)
	case *syntax.CaseClause:
		for _, item := range c.Items {
			r.statements(item.Stmts)
		}
	case *syntax.TimeClause:
		r.statement(c.Stmt)
	case *syntax.FuncDecl:
		r.statement(c.Body)
	case *syntax.DeclClause:
		r.add(shellCommand{words: []shellWord{r.word(&syntax.Word{Parts: []syntax.WordPart{c.Variant}})}, offset: offsetOf(c)})
	}
}

// binary reads the commands of a pipe or of a chain. The parser nests long chains to
// the left, so they are walked without recursion.
func (r *shellReader) binary(c *syntax.BinaryCmd) {
	chain := []*syntax.BinaryCmd{c}
	for {
		left, ok := chain[len(chain)-1].X.Cmd.(*syntax.BinaryCmd)
		if !ok {
			break
		}
		chain = append(chain, left)
	}
	r.statement(chain[len(chain)-1].X)
	for i := len(chain) - 1; i >= 0; i-- {
		before := len(r.commands)
		r.statement(chain[i].Y)
		if pipe := chain[i].Op == syntax.Pipe || chain[i].Op == syntax.PipeAll; pipe && before > 0 && before < len(r.commands) {
			r.commands[before].piped = true
		}
	}
}

func offsetOf(n syntax.Node) int { return int(n.Pos().Offset()) } //nolint:gosec // files are smaller

// call reads a simple command.
func (r *shellReader) call(c *syntax.CallExpr, redirects []*syntax.Redirect) {
	command := shellCommand{offset: offsetOf(c)}
	for _, a := range c.Assigns {
		if a.Name != nil {
			command.assigned = append(command.assigned, a.Name.Value)
		}
	}
	for _, w := range c.Args {
		command.words = append(command.words, r.word(w))
	}
	for _, redirect := range redirects {
		switch {
		case redirect.Op == syntax.WordHdoc:
			command.input = r.word(redirect.Word)
		case redirect.Hdoc != nil:
			command.input = r.hereDocument(redirect)
		}
	}
	if len(command.words) > 0 {
		command.offset = offsetOf(c.Args[0])
	}
	r.add(command)
}

func (r *shellReader) add(c shellCommand) {
	r.pieces++
	r.commands = append(r.commands, c)
}
