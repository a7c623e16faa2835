// Package placeholder keeps references to the environment through a conversion from one
// format of configuration to another: while a file is read, a placeholder stands for each
// value of the environment, and when it is written again, a reference in the way of the
// new format takes its place.
package placeholder

import (
	"regexp"
	"strconv"
	"strings"
)

// The characters around a placeholder's number. They are of Unicode's private use area,
// which no configuration uses.
const (
	open = "\uE000"
	end  = "\uE001"
)

// Pattern is a regular expression that matches a placeholder.
const Pattern = open + `\d+` + end

var (
	pattern = regexp.MustCompile(open + `(\d+)` + end)
	// decK's template of nothing but a variable.
	variableTemplate = regexp.MustCompile("^\\$\\{\\{\\s*env\\s+[\"`]\\w+[\"`]\\s*\\}\\}$")
)

// Reserved reports whether a text holds one of the characters that placeholders are made
// of, so that it cannot be converted.
func Reserved(text []byte) bool { return strings.ContainsAny(string(text), open+end) }

// In reports whether there is a placeholder in a text.
func In(text string) bool { return strings.Contains(text, open) }

// Placeholder stands for a value of the environment.
type Placeholder struct {
	// Variable is the name of the environment's variable.
	Variable string
	// Template is decK's template for the value; empty where the source has another way
	// to refer to it.
	Template string
	// Exposed is set where the placeholder is in a field that is no secret: only some
	// formats have references there.
	Exposed bool
	// Typed is set where it is in a field that is no string.
	Typed bool
}

// Deck returns the template by which decK refers to the value.
func (p Placeholder) Deck() string {
	if p.Template != "" {
		return p.Template
	}
	name := p.Variable
	if !strings.HasPrefix(name, "DECK_") {
		name = "DECK_" + name
	}
	return `${{ env "` + name + `" }}`
}

// Name returns the name of the variable without decK's prefix.
func (p Placeholder) Name() string { return strings.TrimPrefix(p.Variable, "DECK_") }

// Dollar returns the variable as a shell refers to it, which is also what is written in
// formats that cannot refer to the environment.
func (p Placeholder) Dollar() string { return "$" + p.Name() }

// Direct reports whether the value is that of the variable, and not what a template
// makes of it.
func (p Placeholder) Direct() bool {
	return p.Template == "" || variableTemplate.MatchString(p.Template)
}

// Set holds the placeholders of one conversion. A nil Set holds none: nothing is
// converted.
type Set struct{ all []Placeholder }

// Add returns the text that stands for a new placeholder.
func (s *Set) Add(p Placeholder) string {
	s.all = append(s.all, p)
	return open + strconv.Itoa(len(s.all)-1) + end
}

// Variable returns the text that stands for a variable's value.
func (s *Set) Variable(name string) string { return s.Add(Placeholder{Variable: name}) }

// All returns the placeholders.
func (s *Set) All() []Placeholder { return s.all }

// Expose notes that a text with placeholders is in a field that is no secret, and
// whether that field is something else than a string.
func (s *Set) Expose(text string, typed bool) {
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		if i, err := strconv.Atoi(m[1]); err == nil && i < len(s.all) {
			s.all[i].Exposed, s.all[i].Typed = true, typed
		}
	}
}

// Replace returns a text in which a function has written every placeholder.
func (s *Set) Replace(text string, write func(Placeholder) string) string {
	var b strings.Builder
	s.Each(text, func(literal string) { b.WriteString(literal) }, func(p Placeholder) { b.WriteString(write(p)) })
	return b.String()
}

// Each calls a function for each part of a text, in order: for the text between the
// placeholders, or for a placeholder.
func (s *Set) Each(text string, literal func(string), reference func(Placeholder)) {
	end := 0
	for _, m := range pattern.FindAllStringSubmatchIndex(text, -1) {
		i, err := strconv.Atoi(text[m[2]:m[3]])
		if err != nil || i >= len(s.all) {
			continue
		}
		literal(text[end:m[0]])
		reference(s.all[i])
		end = m[1]
	}
	literal(text[end:])
}
