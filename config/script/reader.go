package script

import (
	"regexp"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/script/shell"
	"semlb/config/tree"
)

// detect reports whether a text starts like a shell script with commands that are read.
func detect(text []byte) bool {
	return shebang.Match(text) || firstCommand.Match(format.SkipComments(text))
}

var (
	shebang      = regexp.MustCompile(`^#!`)
	firstCommand = regexp.MustCompile(`^(curl|kubectl)\s|^(?s:(cat|echo)\s.*\|\s*kubectl\s)`)
)

// reader reads the requests of curl, and what kubectl applies and annotates, out of shell
// scripts. It executes nothing. No message holds an argument or a value: arguments of a
// script may be credentials.
type reader struct {
	*format.Input
	// curlFlags and kubectlFlags serve all commands, one after the other.
	curlFlags    *curlFlags
	kubectlFlags *kubectlFlags
	// requests are those of all scripts.
	requests []request
	// filled counts the bytes of variables' values.
	filled int
}

func newReader(in *format.Input) format.Reader {
	return &reader{Input: in, curlFlags: newCurlFlags(), kubectlFlags: newKubectlFlags()}
}

// Read takes a script.
func (r *reader) Read(d format.Document) {
	s := scriptReader{reader: r, name: d.Name, lines: tree.LineStarts(d.Text), assigned: map[string]string{}, hosts: hosts{}}
	commands, err := shell.Read(string(d.Text))
	for i := range commands {
		s.command(commands, i)
	}
	kubectlReader{&s}.dispatch()
	if err != nil {
		r.Problem(s.position(err.Offset), "", "%s", err.Problem)
	}
}

// Finish yields what the requests of all scripts make.
func (r *reader) Finish() { yield(r.Input, r.requests) }

// scriptReader reads one script.
type scriptReader struct {
	*reader
	name string
	// lines are the offsets at which the script's lines start.
	lines []int
	// assigned are the values of variables that the script assigns itself.
	assigned map[string]string
	// hosts are those of the requests that are read.
	hosts hosts
	// workspace is the one that the paths of all requests are in; "" before the first.
	workspace string
	// annotations are what kubectl annotate makes.
	annotations annotations
	// made is set when kubectl has made something that is read.
	made bool
	// substituted is set for the commands of substitutions such as $(…).
	substituted bool
}

// position returns the position of a command: the start of its line.
func (s *scriptReader) position(offset int) config.Position {
	return config.Position{File: s.name, Line: tree.LineAt(s.lines, offset) + 1, Column: 1}
}

// command reads a command, and before it those of the substitutions in its words.
func (s *scriptReader) command(commands []shell.Command, i int) {
	c := commands[i]
	outside := s.substituted
	s.substituted = true
	for j := range c.Substituted {
		s.command(c.Substituted, j)
	}
	s.substituted = outside
	pos := s.position(c.Offset)
	if len(c.Words) == 0 {
		s.assign(pos, c.Assigned)
		return
	}
	words := s.withoutPrefix(c.Words)
	name := commandName(words)
	piped := i+1 < len(commands) && commands[i+1].Piped
	switch {
	case name == "curl":
		s.curl(pos, words[1:], inputOf(commands, i))
	case piped && len(printed(c)) > 0:
		// What it prints is read with the command behind the pipe.
	case name == "kubectl" && (kubectlReader{s}).kubectl(pos, words[1:], inputOf(commands, i)):
	case slices.Contains(harmless, name):
	default:
		s.unread(pos, name, slices.Concat(c.Words, inputOf(commands, i)))
	}
}

// printed returns what a command prints: echo and printf their words, and cat its here-document.
func printed(c shell.Command) []shell.Word {
	if len(c.Words) == 0 {
		return nil
	}
	switch name := c.Words[0].Plain(); {
	case name == "echo":
		return echoed(c.Words[1:])
	case name == "printf":
		return formatted(c.Words[1:])
	case name == "cat" && len(c.Input.Pieces) > 0:
		return []shell.Word{c.Input}
	default:
		return nil
	}
}

// echoed returns the words that echo prints: what is behind its flags.
func echoed(words []shell.Word) []shell.Word {
	for len(words) > 0 && slices.Contains([]string{"-n", "-E"}, words[0].Plain()) {
		words = words[1:]
	}
	return words
}

// formatted returns the word that printf prints: its text, or the one that the format %s
// stands for. Other formats are not read.
func formatted(words []shell.Word) []shell.Word {
	switch {
	case len(words) == 1 && !strings.ContainsAny(words[0].Plain(), `%\`):
		return words
	case len(words) == 2 && (words[0].Plain() == "%s" || words[0].Plain() == `%s\n`):
		return words[1:]
	default:
		return nil
	}
}

// inputOf returns what a command reads: its here-document, or what the command before
// the pipe prints.
func inputOf(commands []shell.Command, i int) []shell.Word {
	c := commands[i]
	switch {
	case len(c.Input.Pieces) > 0:
		return []shell.Word{c.Input}
	case c.Piped && i > 0:
		return printed(commands[i-1])
	default:
		return nil
	}
}

// document returns a word as a document of its own, with its variables filled in. Its
// positions are those of the script. It returns nil where the word has a fault.
func (s *scriptReader) document(w shell.Word) *tree.Document {
	before := s.Count()
	var text []byte
	var spans []tree.Span
	for _, p := range w.Pieces {
		span := tree.Span{Start: len(text), SourceStart: p.Start, SourceEnd: p.Start, Plain: true}
		switch {
		case p.Unread:
			s.Problem(tree.PositionAt(s.name, s.lines, p.Start), "", "not supported yet: a substitution other than $NAME, ${NAME} and ${NAME:-default}")
		case p.Variable != "":
			span.Plain, span.SourceEnd = false, p.End
			p.Text, span.Broken = s.variable(p)
		}
		text = append(text, p.Text...)
		if span.End = span.Start; !span.Plain {
			span.End = len(text)
		}
		spans = append(spans, span)
		if len(text) > tree.MaxBytes {
			break
		}
	}
	if s.Count() > before {
		return nil
	}
	return tree.NewFilled(s.name, s.lines, text, spans)
}
