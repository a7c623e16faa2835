package script

import (
	"regexp"
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
		var text strings.Builder
		known := true
		for _, p := range a.Value.Pieces {
			value, ok := p.Text, !p.Unread
			if p.Variable != "" {
				value, ok = s.value(p)
			}
			if known = known && ok; known {
				text.WriteString(value)
			}
		}
		if known {
			s.assigned[a.Name] = text.String()
			continue
		}
		delete(s.assigned, a.Name)
		if s.Converting() {
			continue // what it refers to is not looked up
		}
		s.Warn(pos, "", "the assignment of "+report.Shorten(a.Name)+" is ignored: export the variable first")
	}
}

// maxFilled bounds the bytes of variables' values that scripts use: a value may hold
// another one several times.
const maxFilled = 4 * tree.MaxBytes

// value returns the value of a variable, if it is known.
func (s *scriptReader) value(p shell.Piece) (string, bool) {
	value, ok := s.lookUp(p)
	if s.filled += len(value); s.filled > maxFilled {
		return "", false
	}
	return value, ok
}

// lookUp returns the value of a variable: the script's own, that of the environment, or
// its default. In a conversion none of the environment's is known, and no credential.
func (s *scriptReader) lookUp(p shell.Piece) (string, bool) {
	if value, ok := s.assigned[p.Variable]; ok && (value != "" || p.Default == nil) {
		return value, !s.Converting() || !isCredential(p.Variable, value)
	}
	if s.Converting() {
		return "", false
	}
	if value, ok := s.Env(p.Variable); ok && value != "" {
		return value, true
	}
	if p.Default != nil {
		return *p.Default, true
	}
	return "", false
}

// credentialName matches the names of variables that have credentials.
var credentialName = regexp.MustCompile(`(?i)key|token|secret|pass|auth|cred`)

// isCredential reports whether a variable that a script assigns has a credential, which
// stays a reference in a conversion.
func isCredential(name, value string) bool {
	return credentialName.MatchString(name) || wire.MaskKeys(value) != value
}

// variable returns what stands for a variable, and whether that is not its value.
func (s *scriptReader) variable(p shell.Piece) (text string, broken bool) {
	if value, ok := s.value(p); ok {
		return value, false
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
