package config

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The delimiters of decK's templates.
const (
	templateOpen  = "${{"
	templateClose = "}}"
)

// fill returns the document of a file with decK's templates, such as
// ${{ env "DECK_KEY" | indent 4 }}, filled in. Lines that are comments are left
// alone. What cannot be had is a fault, and the place of its template is marked as
// broken.
func fill(name string, source []byte, env func(string) (string, bool)) (*document, Faults) {
	f := filler{env: env}
	return f.fill(name, source)
}

// filler fills in the templates of a file.
type filler struct {
	doc    *document
	env    func(string) (string, bool)
	out    strings.Builder
	faults Faults
	// symbols, where set, stand for the templates in place of their values.
	symbols *symbols
	// allowUnset makes no fault of a variable without a value.
	allowUnset bool
}

func (f *filler) fill(name string, source []byte) (*document, Faults) {
	if !bytes.Contains(source, []byte(templateOpen)) {
		return newDocument(name, source), nil
	}
	f.doc = &document{name: name, sourceLines: lineStarts(source)}
	offset := 0
	for line := range strings.Lines(string(source)) {
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") {
			f.out.WriteString(line)
		} else {
			f.line(line, offset)
		}
		if f.out.Len() > maxFileBytes {
			break
		}
		offset += len(line)
	}
	f.doc.text = []byte(f.out.String())
	f.doc.lines = lineStarts(f.doc.text)
	return f.doc, f.faults
}

// line fills in one line, which starts at an offset of the file.
func (f *filler) line(line string, offset int) {
	rest := line
	for {
		before, after, found := strings.Cut(rest, templateOpen)
		f.out.WriteString(before)
		if !found {
			return
		}
		s := span{start: f.out.Len(), sourceStart: offset + len(line) - len(after) - len(templateOpen)}
		t := template{rest: after, env: f.env}
		value, err := t.value()
		if err != nil {
			f.fault(s.sourceStart, err)
			value, s.broken = "unknown", true
		}
		if f.symbols != nil {
			text := templateOpen + after[:len(after)-len(t.rest)]
			value, s.broken = f.symbols.add(symbol{name: t.variable, template: text}), true
		}
		f.out.WriteString(value)
		rest = t.rest
		s.end, s.sourceEnd = f.out.Len(), offset+len(line)-len(rest)
		f.doc.spans = append(f.doc.spans, s)
		if f.out.Len() > maxFileBytes {
			return
		}
	}
}

func (f *filler) fault(offset int, err error) {
	line := lineAt(f.doc.sourceLines, offset)
	problem := "fill in template: " + err.Error()
	var unset errUnset
	if errors.As(err, &unset) {
		problem = err.Error()
		if f.allowUnset {
			return
		}
	}
	f.faults = append(f.faults, Fault{
		Position: Position{File: f.doc.name, Line: line + 1, Column: offset - f.doc.sourceLines[line] + 1},
		Problem:  problem,
	})
}

// errUnset is a variable that has no value.
type errUnset string

// Error says what to do.
func (e errUnset) Error() string { return notSet(string(e)) }

// template reads one template, from behind its opening.
type template struct {
	rest string
	env  func(string) (string, bool)
	// variable is the name last asked for, for messages.
	variable string
	// depth counts the parentheses that are open.
	depth int
}

// value returns what the template stands for, and moves rest behind its end. After
// an error rest is behind the next closing, or where the line ends.
func (t *template) value() (string, error) {
	value, err := t.pipeline()
	if err == nil {
		t.space()
		rest, closed := strings.CutPrefix(t.rest, templateClose)
		if closed {
			t.rest = rest
			return value, nil
		}
		err = fmt.Errorf("want %s on the same line", templateClose)
	}
	if _, rest, closed := strings.Cut(t.rest, templateClose); closed {
		t.rest = rest
	} else {
		t.rest = t.rest[len(strings.TrimRight(t.rest, "\r\n")):]
	}
	return "", err
}

func (t *template) space() { t.rest = strings.TrimLeft(t.rest, " \t") }

// pipeline reads commands with "|" between them; each gets the value of the one
// before it as its last argument.
func (t *template) pipeline() (string, error) {
	var args []string
	for {
		value, err := t.command(args)
		if err != nil {
			return "", err
		}
		t.space()
		rest, more := strings.CutPrefix(t.rest, "|")
		if !more {
			return value, nil
		}
		t.rest, args = rest, []string{value}
	}
}

// command reads a function and its arguments, and calls it.
func (t *template) command(piped []string) (string, error) {
	t.space()
	end := strings.IndexFunc(t.rest, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if end <= 0 {
		return "", fmt.Errorf(`want a form like env "DECK_NAME"`)
	}
	name := t.rest[:end]
	t.rest = t.rest[end:]
	var args []string
	for {
		t.space()
		arg, ok, err := t.argument()
		if err != nil {
			return "", err
		}
		if !ok {
			return t.call(name, append(args, piped...))
		}
		args = append(args, arg)
	}
}

// argument reads a string, a whole number, or a pipeline in parentheses, if there
// is one.
func (t *template) argument() (value string, ok bool, err error) {
	if rest, nested := strings.CutPrefix(t.rest, "("); nested {
		t.rest = rest
		if t.depth++; t.depth > maxHeight {
			return "", false, fmt.Errorf("too many parentheses")
		}
		if value, err = t.pipeline(); err != nil {
			return "", false, err
		}
		t.space()
		if t.rest, ok = strings.CutPrefix(t.rest, ")"); !ok {
			return "", false, fmt.Errorf("want a closing parenthesis")
		}
		t.depth--
		return value, true, nil
	}
	if quoted, err := strconv.QuotedPrefix(t.rest); err == nil && quoted[0] != '\'' {
		t.rest = t.rest[len(quoted):]
		value, err = strconv.Unquote(quoted)
		return value, true, err
	}
	end := len(t.rest) - len(strings.TrimLeft(t.rest, "0123456789"))
	value, t.rest = t.rest[:end], t.rest[end:]
	return value, end > 0, nil
}

// call calls one of decK's functions.
func (t *template) call(name string, args []string) (string, error) {
	want := 1
	if name == "indent" {
		want = 2
	}
	if len(args) != want && name == "env" {
		return "", fmt.Errorf(`want a form like env "DECK_NAME"`)
	}
	if len(args) != want {
		return "", fmt.Errorf("got %s of %s, want %d", plural(len(args), "argument"), printable(name), want)
	}
	switch name {
	case "env":
		return t.lookUp(args[0])
	case "toInt":
		i, err := strconv.Atoi(args[0])
		return strconv.Itoa(i), t.notA(err, "an integer")
	case "toFloat":
		f, err := strconv.ParseFloat(args[0], 64)
		return fmt.Sprint(f), t.notA(err, "a number")
	case "toBool":
		b, err := strconv.ParseBool(args[0])
		return strconv.FormatBool(b), t.notA(err, "true or false")
	case "indent":
		n, err := strconv.Atoi(args[0])
		if err != nil || n > 1000 {
			return "", fmt.Errorf("want indent with a whole number up to 1000")
		}
		return strings.ReplaceAll(args[1], "\n", "\n"+strings.Repeat(" ", n)), nil
	default:
		return "", fmt.Errorf("unknown function %s", printable(name))
	}
}

func (t *template) lookUp(name string) (string, error) {
	if !strings.HasPrefix(name, "DECK_") {
		return "", fmt.Errorf("variable %s does not start with DECK_", printable(name))
	}
	t.variable = name
	value, ok := t.env(name)
	if !ok {
		return "", errUnset(name)
	}
	return value, nil
}

// notA returns an error without the value that is none of what was wanted.
func (t *template) notA(err error, want string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("variable %s: got a value that is not %s", limited(t.variable), want)
}
