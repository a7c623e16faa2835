package script

import (
	"strings"

	"semlb/config"
	"semlb/config/script/shell"
	"semlb/config/tree"
)

const (
	// maxLooped bounds what the iterations of loops cost, in bytes of the script.
	maxLooped = tree.MaxBytes / 2
	// iterationCost is that of an iteration beside the bytes of its body.
	iterationCost = 100
)

// loopReader reads the loops of a script.
type loopReader struct{ *scriptReader }

// loop reads the body of a loop once for each of its words, and once if only a shell
// knows them: what uses the variable is then a fault.
func (s loopReader) loop(pos config.Position, l *shell.Loop) {
	values, known := s.loopValues(l)
	if !known {
		s.forget(l.Variable)
		s.commands(l.Body)
		return
	}
	for _, value := range values {
		if s.looped += l.Size + iterationCost; s.looped > maxLooped {
			s.Problem(pos, "", "not supported yet: loops that run so often")
			return
		}
		s.set(l.Variable, value)
		s.commands(l.Body)
	}
}

// loopValues returns the values of a loop's variable, if they are known.
func (s loopReader) loopValues(l *shell.Loop) ([]shell.Word, bool) {
	if l.Unknown {
		return nil, false
	}
	var all []shell.Word
	for _, w := range l.Words {
		values, known := s.values(w)
		if !known {
			return nil, false
		}
		all = append(all, values...)
	}
	return all, true
}

// values returns what a word of a loop stands for, if that is known.
func (s loopReader) values(w shell.LoopWord) ([]shell.Word, bool) {
	if !w.Split {
		value := s.fixed(w.Word)
		return []shell.Word{value}, !isUnread(value)
	}
	var b strings.Builder
	for _, p := range w.Pieces {
		value := p.Text
		if p.Variable != "" {
			var known bool
			if value, known = s.value(p); !known {
				return nil, false
			}
		}
		b.WriteString(value)
	}
	text := b.String()
	if strings.ContainsAny(text, "*?[") {
		return nil, false
	}
	var all []shell.Word
	for _, field := range strings.Fields(text) {
		piece := w.Pieces[0]
		all = append(all, shell.Word{Pieces: []shell.Piece{{Text: field, Start: piece.Start, End: piece.End, Fixed: true}}})
	}
	return all, true
}
