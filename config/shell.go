package config

import "strings"

// shellReader splits a shell script into commands. It knows words, quotes,
// variables, comments and pipes, which is what published examples are made of, and
// executes nothing.
type shellReader struct {
	text string
	at   int
	// commands are those read so far; the last is being read.
	commands []shellCommand
	word     *shellWord
	// awaited are the here-documents that begin on the next line.
	awaited []hereDocument

	// pieces counts those of all words.
	pieces  int
	tooMany bool
}

// maxPieces bounds the words of a script and what they are made of.
const maxPieces = 100_000

// shellCommand is a command, and whether it reads what the one before it prints.
type shellCommand struct {
	words []shellWord
	// input is the here-document of the command, if it has one.
	input shellWord
	piped bool
}

// shellWord is a word of a command.
type shellWord struct{ pieces []shellPiece }

// shellPiece is a part of a word: literal text, or a variable.
type shellPiece struct {
	text     string
	variable string
	// start and end are its place in the script.
	start, end int
	// placeholder tells of a name that the reader has to put in.
	placeholder bool
}

// plain returns a word with its variables as they are written.
func (w shellWord) plain() string {
	var b strings.Builder
	for _, p := range w.pieces {
		b.WriteString(p.text)
	}
	return b.String()
}

// readShell returns the commands of a script, or false where it has too many words.
func readShell(text string) (commands []shellCommand, ok bool) {
	r := shellReader{
		text: text, commands: make([]shellCommand, 1),
	}
	for r.at < len(r.text) {
		r.step()
	}
	r.endWord()
	return r.commands, !r.tooMany
}

// step reads what stands outside of quotes.
func (r *shellReader) step() {
	rest := r.text[r.at:]
	switch c := rest[0]; {
	case strings.HasPrefix(rest, "\\\n"), strings.HasPrefix(rest, "\\\r\n"):
		r.at += strings.Index(rest, "\n") + 1
	case c == ' ' || c == '\t' || c == '\r':
		r.endWord()
		r.at++
	case c == '\n' || c == ';' || c == '&':
		r.endCommand(false)
		r.at++
		if c == '\n' {
			r.readAwaited()
		}
	case r.word == nil && r.hereDocument():
	case c == '|':
		r.endCommand(true)
		r.at++
	case c == '#' && r.word == nil:
		r.at += len(rest) - len(strings.TrimLeft(rest, "#"))
		if end := strings.IndexByte(r.text[r.at:], '\n'); end >= 0 {
			r.at += end
		} else {
			r.at = len(r.text)
		}
	case c == '\'':
		r.quoted()
	case c == '"':
		r.doubleQuoted()
	case c == '\\' && len(rest) > 1:
		r.literal(rest[1:2], 2)
	case c == '$' && r.variable():
	case c == '{' && r.placeholder():
	default:
		n := strings.IndexAny(rest[1:], " \t\r\n;&|'\"\\${")
		if n < 0 {
			n = len(rest) - 1
		}
		r.literal(rest[:n+1], n+1)
	}
}

// literal adds text, which took so many bytes of the script.
func (r *shellReader) literal(text string, bytes int) {
	r.startWord()
	r.add(shellPiece{text: text, start: r.at, end: r.at + bytes})
	r.at += bytes
}

// add adds a piece to the word. Beyond the bounds nothing more is read.
func (r *shellReader) add(p shellPiece) {
	r.word.pieces = append(r.word.pieces, p)
	if r.pieces++; r.pieces > maxPieces {
		r.text = r.text[:r.at]
		r.tooMany = true
	}
}

// quoted reads what stands in single quotes.
func (r *shellReader) quoted() {
	r.startWord()
	r.at++
	end := strings.IndexByte(r.text[r.at:], '\'')
	if end < 0 {
		end = len(r.text) - r.at
	}
	if end > 0 {
		r.add(shellPiece{text: r.text[r.at : r.at+end], start: r.at, end: r.at + end})
	}
	r.at = min(r.at+end+1, len(r.text))
}

// doubleQuoted reads what stands in double quotes.
func (r *shellReader) doubleQuoted() {
	r.startWord()
	for r.at++; r.at < len(r.text); {
		rest := r.text[r.at:]
		switch c := rest[0]; {
		case c == '"':
			r.at++
			return
		case strings.HasPrefix(rest, "\\\n"):
			r.at += 2
		case c == '\\' && len(rest) > 1 && strings.ContainsRune("$`\"\\", rune(rest[1])):
			r.literal(rest[1:2], 2)
		case c == '$' && r.variable():
		default:
			// As much as is nothing but text, so that long quotes stay cheap.
			n := strings.IndexAny(rest[1:], "\"\\$")
			if n < 0 {
				n = len(rest) - 1
			}
			r.literal(rest[:n+1], n+1)
		}
	}
}

// variable reads a variable, $NAME or ${NAME}, if there is one.
func (r *shellReader) variable() bool {
	rest, braces := strings.CutPrefix(r.text[r.at+1:], "{")
	name := rest[:len(rest)-len(strings.TrimLeftFunc(rest, inVariable))]
	if name == "" || name[0] >= '0' && name[0] <= '9' || braces && !strings.HasPrefix(rest[len(name):], "}") {
		return false
	}
	length := 1 + len(name)
	if braces {
		length += 2
	}
	r.startWord()
	r.add(shellPiece{text: r.text[r.at : r.at+length], variable: name, start: r.at, end: r.at + length})
	r.at += length
	return true
}

// inVariable reports whether a character may be in the name of a variable.
func inVariable(c rune) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// placeholder reads a name such as {serviceName|Id}, if there is one. A shell would
// make a pipe of it.
func (r *shellReader) placeholder() bool {
	rest := r.text[r.at+1:]
	name := rest[:len(rest)-len(strings.TrimLeftFunc(rest, func(c rune) bool { return inVariable(c) || c == '|' }))]
	if name == "" || !strings.HasPrefix(rest[len(name):], "}") {
		return false
	}
	r.startWord()
	r.add(shellPiece{text: name, start: r.at, end: r.at + len(name) + 2, placeholder: true})
	r.at += len(name) + 2
	return true
}

func (r *shellReader) startWord() {
	if r.word == nil {
		r.word = &shellWord{}
	}
}

func (r *shellReader) endWord() {
	if r.word != nil {
		last := &r.commands[len(r.commands)-1]
		last.words = append(last.words, *r.word)
		r.word = nil
	}
}

func (r *shellReader) endCommand(pipe bool) {
	r.endWord()
	if len(r.commands[len(r.commands)-1].words) > 0 {
		r.commands = append(r.commands, shellCommand{})
	}
	r.commands[len(r.commands)-1].piped = pipe
}

// document returns a word as a document of its own, with its variables filled in.
// Its positions are those of the script.
func (s scriptCommand) wordDocument(w shellWord) *document {
	d := &document{name: s.source.Name, sourceLines: s.lines}
	var text strings.Builder
	for _, p := range w.pieces {
		part := span{start: text.Len(), end: text.Len(), sourceStart: p.start, sourceEnd: p.start, plain: true}
		if p.variable != "" {
			part.plain, part.sourceEnd = false, p.end
			p.text, part.broken = s.shellValue(d, p)
		}
		text.WriteString(p.text)
		if p.variable != "" {
			part.end = text.Len()
		}
		d.spans = append(d.spans, part)
		if text.Len() > maxFileBytes {
			break
		}
	}
	d.text = []byte(text.String())
	d.lines = lineStarts(d.text)
	return d
}

// shellValue returns what stands for a variable, and whether that is not its value.
func (l *loader) shellValue(d *document, p shellPiece) (text string, broken bool) {
	if l.symbols != nil {
		return l.symbols.add(symbol{name: p.variable}), true
	}
	if value, ok := l.env(p.variable); ok && value != "" {
		return value, false
	}
	if l.allowUnset {
		return "unknown", true
	}
	line := lineAt(d.sourceLines, p.start)
	pos := Position{File: d.name, Line: line + 1, Column: p.start - d.sourceLines[line] + 1}
	l.problem(pos, "", "%s", notSet(p.variable))
	return "unknown", true
}
