package script

import (
	"io/fs"
	"regexp"
	"slices"

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
	// applied are the files that scripts name, and that are not given otherwise.
	applied map[string]bool
}

func newReader(in *format.Input) format.Reader {
	return &reader{Input: in, curlFlags: newCurlFlags(), kubectlFlags: newKubectlFlags(), applied: map[string]bool{}}
}

// Read takes a script.
func (r *reader) Read(d format.Document) {
	s := scriptReader{
		reader: r, name: d.Name, lines: tree.LineStarts(d.Text), files: d.Files, hosts: hosts{},
		assigned: map[string]shell.Word{}, unknown: map[string]bool{}, written: map[string]shell.Word{},
	}
	commands, err := shell.Read(string(d.Text))
	s.commands(commands)
	kubectlReader{fileReader{&s}}.dispatch()
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
	// files are those in the directory of the script; nil where it has none.
	files fs.FS
	// assigned are the values of variables that the script assigns itself.
	assigned map[string]shell.Word
	// unknown are the variables whose values only a shell knows.
	unknown map[string]bool
	// written are the texts of the files that the script writes.
	written map[string]shell.Word
	// looped is what the iterations of loops cost, in bytes of the script.
	looped int
	// hosts are those of the requests that are read.
	hosts hosts
	// workspace is the one that the paths of all requests are in; "" before the first.
	workspace string
	// annotations are what kubectl annotate makes.
	annotations annotations
	// made is set when kubectl has made something that is read.
	made bool
	// conditional is set for a command that may not run.
	conditional bool
	// substituted is set for the commands of substitutions such as $(…).
	substituted bool
}

// position returns the position of a command: the start of its line.
func (s *scriptReader) position(offset int) config.Position {
	return config.Position{File: s.name, Line: tree.LineAt(s.lines, offset) + 1, Column: 1}
}

// commands reads commands, one after the other.
func (s *scriptReader) commands(all []shell.Command) {
	for i := range all {
		s.command(all, i)
	}
}

// command reads a command, and before it those of the substitutions in its words.
func (s *scriptReader) command(commands []shell.Command, i int) {
	c := commands[i]
	outside := s.substituted
	s.substituted = true
	s.commands(c.Substituted)
	s.substituted = outside
	s.conditional = c.Conditional
	pos := s.position(c.Offset)
	switch {
	case c.Loop != nil:
		loopReader{s}.loop(pos, c.Loop)
		return
	case len(c.Words) == 0:
		s.assign(pos, c.Assigned)
		fileReader{s}.write(c, "", shell.Word{})
		return
	}
	input := inputOf(commands, i)
	words := s.withFlags(s.withoutPrefix(c.Words))
	name := commandName(words)
	written := fileReader{s}.write(c, name, input)
	_, prints := c.Printed()
	switch {
	case name == "curl":
		curlReader{s}.curl(pos, words[1:], input)
	case prints && i+1 < len(commands) && commands[i+1].Piped, written:
		// What it prints is read where it is used.
	case name == "read":
		s.read(words[1:], input)
	case name == "kubectl" && (kubectlReader{fileReader{s}}).kubectl(pos, words[1:], input):
	case name == "deck" && (deckReader{fileReader{s}}).deck(pos, words[1:], input):
	case slices.Contains(harmless, name):
	default:
		s.unread(pos, name, slices.Concat(c.Words, fileReader{s}.run(name, words), []shell.Word{input}))
	}
}

// inputOf returns what a command reads: its here-document, a file, or what the command
// before the pipe prints. It is empty where only a shell knows that.
func inputOf(commands []shell.Command, i int) shell.Word {
	c := commands[i]
	if input, ok := c.Read(); ok {
		return input
	}
	if !c.Piped || i == 0 {
		return shell.Word{}
	}
	if before := commands[i-1]; commandName(before.Words) == "tee" && before.Output.Pieces == nil {
		return inputOf(commands, i-1)
	}
	input, _ := commands[i-1].Printed()
	return input
}

// document returns a word as a document of its own, with its variables filled in. Its
// positions are those of the script. It returns nil where the word has a fault.
func (s *scriptReader) document(w shell.Word) *tree.Document {
	before := s.Count()
	var text []byte
	var spans []tree.Span
	for _, p := range s.spliced(w).Pieces {
		span := tree.Span{Start: len(text), SourceStart: p.Start, SourceEnd: p.Start, Plain: true}
		switch {
		case p.File != nil:
			s.Problem(tree.PositionAt(s.name, s.lines, p.Start), "", "not supported yet: a file that is not beside the script")
		case p.Unread:
			s.Problem(tree.PositionAt(s.name, s.lines, p.Start), "", "not supported yet: a substitution other than $NAME, ${NAME}, ${NAME:-default} and $(cat …), $(echo …) and $(printf …) of plain text")
		case p.Fixed && p.Variable == "":
			span.Plain, span.SourceEnd = false, p.End
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
