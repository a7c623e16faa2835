package script

import (
	"regexp"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/script/shell"
	"semlb/config/tree"
	"semlb/wire"
)

// assign notes the values that a script assigns to variables. One that only a shell
// knows is that of the environment, if it has one.
func (s *scriptReader) assign(pos config.Position, all []shell.Assignment) {
	for _, a := range all {
		value := s.fixed(a.Value)
		if !isUnread(value) {
			s.set(a.Name, value)
			continue
		}
		delete(s.assigned, a.Name)
		delete(s.unknown, a.Name)
		if text := s.textOf([]shell.Word{a.Value}); strings.HasPrefix(text, "(") && (namesGuard(text) || s.namesAdminAPI(text)) {
			s.Problem(pos, "", "not supported yet: an array that may hold a request to the Admin API: write it as a curl command")
			continue
		}
		if s.Converting() {
			continue // what it refers to is not looked up
		}
		s.Warn(pos, "", "the assignment of "+report.Shorten(a.Name)+" is ignored: export the variable first")
	}
}

// set notes the value of a variable.
func (s *scriptReader) set(name string, value shell.Word) {
	delete(s.unknown, name)
	s.assigned[name] = value
}

// forget notes that only a shell knows the value of a variable.
func (s *scriptReader) forget(name string) {
	delete(s.assigned, name)
	s.unknown[name] = true
}

// read notes the variables of the command read: the value of a single one is what the
// command reads up to its end.
func (s *scriptReader) read(words []shell.Word, input shell.Word) {
	r := newFlagReader("read")
	whole := false
	r.take("", "d", func(w shell.Word) { whole = w.Plain() == "" })
	r.ignore("array,a", "initial,i", "count,n", "exact,N", "prompt,p", "timeout,t", "descriptor,u")
	r.switches("edit,e", "raw,r", "silent,s")
	names := r.parse(words)
	for _, w := range names {
		s.forget(w.Plain())
	}
	if value := s.fixed(input).Trimmed(); len(names) == 1 && whole && input.Pieces != nil && !isUnread(value) {
		s.set(names[0].Plain(), value)
	}
}

// maxFilled bounds the bytes of variables' values that scripts use: a value may hold
// another one several times.
const maxFilled = 4 * tree.MaxBytes

// pieceCost is that of a piece beside its bytes.
const pieceCost = 16

// maxFixed bounds the pieces of a variable's value.
const maxFixed = 2_000

// fixed returns a word whose variables and files are those of now: what the script
// changes later means nothing to it.
func (s *scriptReader) fixed(w shell.Word) shell.Word {
	w = s.spliced(w)
	if len(w.Pieces) > maxFixed {
		return shell.Word{Pieces: []shell.Piece{{Unread: true}}}
	}
	fixed := shell.Word{Pieces: slices.Clone(w.Pieces)}
	for i := range fixed.Pieces {
		fixed.Pieces[i].Fixed = true
	}
	return fixed
}

// isUnread reports whether only a shell knows a part of a word.
func isUnread(w shell.Word) bool {
	return slices.ContainsFunc(w.Pieces, func(p shell.Piece) bool { return p.Unread })
}

// spliced returns a word with what the script assigned to variables, and the texts of
// files, in their places.
func (s *scriptReader) spliced(w shell.Word) shell.Word {
	var all shell.Word
	for _, p := range w.Pieces {
		pieces := []shell.Piece{p}
		switch value, ok := s.assignedTo(p); {
		case p.File != nil && s.filled <= maxFilled:
			pieces = fileReader{s}.file(p).Pieces
		case ok:
			pieces = value.Pieces
		}
		for _, p := range pieces {
			s.filled += len(p.Text) + pieceCost
		}
		if s.filled > maxFilled {
			pieces = []shell.Piece{{Unread: true, Start: p.Start, End: p.End}}
		}
		all.Pieces = append(all.Pieces, pieces...)
	}
	return all
}

// assignedTo returns what the script assigned to the variable of a piece. In a conversion
// a credential stays a reference.
func (s *scriptReader) assignedTo(p shell.Piece) (shell.Word, bool) {
	if p.Variable == "" || p.Fixed {
		return shell.Word{}, false
	}
	value, ok := s.assigned[p.Variable]
	switch {
	case !ok, s.filled > maxFilled, p.Default != nil && isEmpty(value):
		return shell.Word{}, false
	case s.Converting():
		text := value.Plain()
		s.filled += len(text)
		return value, !isCredential(p.Variable, text)
	default:
		return value, true
	}
}

// isEmpty reports whether a word has no text.
func isEmpty(w shell.Word) bool {
	return !slices.ContainsFunc(w.Pieces, func(p shell.Piece) bool { return p.Text != "" })
}

// value returns the value of a variable, if it is known.
func (s *scriptReader) value(p shell.Piece) (string, bool) {
	if !p.Fixed && s.unknown[p.Variable] {
		return "", false
	}
	if w, ok := s.assignedTo(p); ok {
		var b strings.Builder
		for _, p := range w.Pieces {
			text := p.Text
			if p.Variable != "" {
				if text, ok = s.environment(p); !ok {
					return "", false
				}
			}
			b.WriteString(text)
		}
		s.filled += b.Len()
		return b.String(), s.filled <= maxFilled
	}
	if _, ok := s.assigned[p.Variable]; ok && !p.Fixed && s.Converting() {
		return "", false
	}
	return s.environment(p)
}

// environment returns the value of a variable of the environment, or its default. In a
// conversion none is known.
func (s *scriptReader) environment(p shell.Piece) (string, bool) {
	if s.Converting() {
		return "", false
	}
	if value, ok := s.Env(p.Variable); ok && value != "" {
		s.filled += len(value)
		return value, s.filled <= maxFilled
	}
	if p.Default != nil {
		return *p.Default, true
	}
	return "", false
}

// credentialName matches the names of variables that have credentials.
var credentialName = regexp.MustCompile(`(?i)key|token|secret|pass|auth|cred`)

// isCredential reports whether a variable that a script assigns has a credential, which
// stays a reference in a conversion. A body of JSON is none.
func isCredential(name, value string) bool {
	if strings.HasPrefix(strings.TrimLeft(value, " \t\r\n"), "{") {
		return false
	}
	return credentialName.MatchString(name) || wire.MaskKeys(value) != value
}

// variable returns what stands for a variable, and whether that is not its value.
func (s *scriptReader) variable(p shell.Piece) (text string, broken bool) {
	if value, ok := s.value(p); ok {
		return value, false
	}
	if !p.Fixed && s.unknown[p.Variable] {
		s.Problem(tree.PositionAt(s.name, s.lines, p.Start), "", "not supported yet: variable %s, whose value only a shell knows", report.Shorten(p.Variable))
		return "unknown", true
	}
	if s.Converting() {
		return s.Placeholders.Variable(p.Variable), true
	}
	if !s.AllowUnset {
		s.Problem(tree.PositionAt(s.name, s.lines, p.Start), "", "%s", report.Unset(p.Variable))
	}
	return "unknown", true
}

// plain returns a word with the variables filled in whose values are known, and whether
// there is any.
func (s *scriptReader) plain(w shell.Word) (text string, filled bool) {
	var b strings.Builder
	for _, p := range w.Pieces {
		if value, ok := s.value(p); ok && p.Variable != "" {
			b.WriteString(value)
			filled = true
			continue
		}
		b.WriteString(p.Text)
	}
	return b.String(), filled
}
