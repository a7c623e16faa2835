package shell

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// Loop is a loop over words.
type Loop struct {
	// Variable has one of the words in each iteration.
	Variable string
	Words    []LoopWord
	// Unknown is set where only a shell knows the words.
	Unknown bool
	Body    []Command
	// Size is the number of bytes of the body.
	Size int
}

// LoopWord is a word of a loop.
type LoopWord struct {
	Word
	// Split words have variables without quotes: their values are split at spaces.
	Split bool
}

// loopReader reads the loops of a script.
type loopReader struct{ *reader }

// loop reads a loop.
func (r loopReader) loop(c *syntax.ForClause) {
	l := &Loop{Size: int(c.End().Offset()) - offsetOf(c)} //nolint:gosec // files are smaller
	switch iteration := c.Loop.(type) {
	case *syntax.WordIter:
		l.Variable = iteration.Name.Value
		l.Unknown = !iteration.InPos.IsValid() // the words are those of "$@"
		for _, w := range iteration.Items {
			l.Unknown = !r.loopWords(l, w) || l.Unknown
		}
	case *syntax.CStyleLoop:
		l.Variable, l.Unknown = counterOf(iteration), true
	}
	outside := r.commands
	r.commands = nil
	r.statements(c.Do)
	l.Body = r.commands
	r.commands = outside
	r.add(Command{Loop: l, Offset: offsetOf(c)})
}

// loopWords adds what a word of a loop stands for. It reports false where only a shell
// knows that.
func (r loopReader) loopWords(l *Loop, w *syntax.Word) bool {
	if expansion := *w; len(w.Parts) == 1 && syntax.SplitBraces(&expansion) {
		return r.alternatives(l, &expansion)
	}
	word := r.word(w)
	l.Words = append(l.Words, LoopWord{word, hasVariable(w)})
	return !isPattern(w) && !slices.ContainsFunc(word.Pieces, func(p Piece) bool { return p.Unread })
}

// hasVariable reports whether a word has a variable without quotes.
func hasVariable(w *syntax.Word) bool {
	return slices.ContainsFunc(w.Parts, func(part syntax.WordPart) bool {
		_, ok := part.(*syntax.ParamExp)
		return ok
	})
}

// alternatives adds the words that braces such as {a,b} and {1..3} make.
func (r loopReader) alternatives(l *Loop, w *syntax.Word) bool {
	for made, err := range expand.BracesSeq(nil, w) {
		if err != nil || r.pieces > maxPieces {
			return false
		}
		text := made.Lit()
		if strings.ContainsAny(text, patternCharacters) {
			return false
		}
		word := Word{}
		r.append(&word, Piece{Text: text, Start: offsetOf(w), End: offsetOf(w)})
		l.Words = append(l.Words, LoopWord{Word: word})
	}
	return true
}

// patternCharacters are those of patterns, for which a shell puts the names of files, and
// of escapes and the home directory.
const patternCharacters = "*?[\\~{"

// isPattern reports whether a word has, outside of quotes, what a shell replaces by
// several words or by the names of files.
func isPattern(w *syntax.Word) bool {
	return slices.ContainsFunc(w.Parts, func(part syntax.WordPart) bool {
		switch part := part.(type) {
		case *syntax.Lit:
			return strings.ContainsAny(part.Value, patternCharacters)
		case *syntax.SglQuoted, *syntax.DblQuoted, *syntax.ParamExp:
			return false
		default: // its value is split
			return true
		}
	})
}

// counterOf returns the variable that a loop such as for ((i = 0; …)) counts with, or "".
func counterOf(c *syntax.CStyleLoop) string {
	if assignment, ok := c.Init.(*syntax.BinaryArithm); ok {
		if w, ok := assignment.X.(*syntax.Word); ok {
			return w.Lit()
		}
	}
	return ""
}
