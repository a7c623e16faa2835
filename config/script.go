package config

import (
	"fmt"
	"regexp"
)

// request is a request to the Admin API or to Konnect that a script makes.
type request struct {
	// parts are those of the path, behind what is before the entities.
	parts []string
	body  *node
}

// script reads the requests of curl, and what kubectl applies and annotates, out of
// a shell script. It executes nothing. No message holds an argument or a value: a
// script's arguments may be credentials.
func (l *loader) script(source Source) {
	r := scriptReader{loader: l, source: source, lines: lineStarts(source.Data)}
	commands, err := readShell(string(source.Data))
	for i := range commands {
		r.command(commands, i)
	}
	if err != nil {
		l.problem(r.position(err.offset), "", "%s", err.problem)
	}
}

// scriptReader reads the commands of a script.
type scriptReader struct {
	*loader
	source Source
	// lines are where the lines of the source start.
	lines []int
	// flags of curl and of kubectl are made once for all commands.
	curlFlags    *curlFlags
	kubectlFlags *kubectlFlags
}

// position returns the place of a command: the start of its line.
func (r *scriptReader) position(offset int) Position {
	return Position{File: r.source.Name, Line: lineAt(r.lines, offset) + 1, Column: 1}
}

// command reads a command.
func (r *scriptReader) command(commands []shellCommand, i int) {
	c := commands[i]
	pos := r.position(c.offset)
	if len(c.words) == 0 {
		for _, name := range c.assigned {
			r.warn(pos, "", "the assignment of "+limited(name)+" is not read: export the variable before")
		}
		return
	}
	name := c.words[0].plain()
	piped := i+1 < len(commands) && commands[i+1].piped
	switch {
	case name == "curl":
		r.curl(pos, c.words[1:])
	case piped && len(printed(c)) > 0:
		// What it prints is read with the command behind the pipe.
	case name == "kubectl" && r.kubectl(pos, c.words[1:], inputOf(commands, i)):
	default:
		r.warn(pos, "", named("command", name)+" is not read")
	}
}

// plainWord matches words that are no credentials: names of commands and of kinds.
var plainWord = regexp.MustCompile(`^[a-z]{1,20}$`)

// named returns what a message calls a command or a resource. Its name is an argument
// of a script, and is left out unless it is a plain word.
func named(kind, name string) string {
	if !plainWord.MatchString(name) {
		return "a " + kind
	}
	return fmt.Sprintf("%s %q", kind, name)
}

// printed returns what a command prints: echo its words, and cat its here-document.
func printed(c shellCommand) []shellWord {
	if len(c.words) == 0 {
		return nil
	}
	switch name := c.words[0].plain(); {
	case name == "echo":
		return c.words[1:]
	case name == "cat" && len(c.input.pieces) > 0:
		return []shellWord{c.input}
	default:
		return nil
	}
}

// inputOf returns what a command reads: its here-document, or what the command before
// the pipe prints.
func inputOf(commands []shellCommand, i int) []shellWord {
	c := commands[i]
	switch {
	case len(c.input.pieces) > 0:
		return []shellWord{c.input}
	case c.piped && i > 0:
		return printed(commands[i-1])
	default:
		return nil
	}
}

// document returns a word as a document of its own, with its variables filled in. Its
// positions are those of the script. It returns nil where the word has a fault.
func (r *scriptReader) document(w shellWord) *document {
	faults := len(r.faults)
	d := &document{name: r.source.Name, sourceLines: r.lines}
	for _, p := range w.pieces {
		part := span{start: len(d.text), end: len(d.text), sourceStart: p.start, sourceEnd: p.start, plain: true}
		switch {
		case p.unread:
			r.problem(d.sourcePosition(p.start), "", "not supported yet: a substitution other than $NAME and ${NAME}")
		case p.variable != "":
			part.plain, part.sourceEnd = false, p.end
			p.text, part.broken = r.variable(d, p)
			part.end += len(p.text)
		}
		d.text = append(d.text, p.text...)
		d.spans = append(d.spans, part)
		if len(d.text) > maxFileBytes {
			break
		}
	}
	d.lines = lineStarts(d.text)
	if len(r.faults) > faults {
		return nil
	}
	return d
}

// variable returns what stands for a variable, and whether that is not its value.
func (r *scriptReader) variable(d *document, p shellPiece) (text string, broken bool) {
	if r.symbols != nil {
		return r.symbols.add(symbol{name: p.variable}), true
	}
	if value, ok := r.env(p.variable); ok && value != "" {
		return value, false
	}
	if !r.allowUnset {
		r.problem(d.sourcePosition(p.start), "", "%s", notSet(p.variable))
	}
	return "unknown", true
}
