package templates

import (
	"fmt"
	"strconv"
	"strings"
	"text/template"

	"semlb/config/report"
	"semlb/config/verbs"
)

// problem is what is wrong with a template. It quotes no value.
type problem string

func (e problem) Error() string { return string(e) }

// functions are the functions that a file's templates call.
type functions struct {
	*renderer
	// made counts the bytes that functions made.
	made int
}

// all returns decK's functions, and those of text/template that make text, with
// bounds.
func (r *functions) all() template.FuncMap {
	return template.FuncMap{
		"env":      r.function("env", 1, r.lookUp),
		"toInt":    r.function("toInt", 1, r.toInt),
		"toFloat":  r.function("toFloat", 1, r.toFloat),
		"toBool":   r.function("toBool", 1, r.toBool),
		"indent":   r.function("indent", 2, r.indent),
		"print":    r.bounded(fmt.Sprint),
		"println":  r.bounded(fmt.Sprintln),
		"html":     r.bounded(template.HTMLEscaper),
		"js":       r.bounded(template.JSEscaper),
		"urlquery": r.bounded(template.URLQueryEscaper),
		"printf":   r.printf,
	}
}

// function returns a function of decK that takes so many arguments. Its errors are
// faults, after which the file is executed further.
func (r *functions) function(name string, want int, call func(args []any) (any, error)) func(...any) any {
	return func(args ...any) any {
		value, err := any(nil), error(nil)
		switch {
		case len(args) != want && name == "env":
			err = problem(`want a form like env "DECK_NAME"`)
		case len(args) != want:
			err = problem(fmt.Sprintf("got %s of %q, want %d", report.Count(len(args), "argument"), name, want))
		case r.missing && strings.Contains(fmt.Sprint(args...), unset):
			return unset
		default:
			value, err = call(args)
		}
		if err != nil {
			r.fault(r.current.start, err)
			r.missing = true
			return unset
		}
		return value
	}
}

// lookUp returns the value of a variable.
func (r *functions) lookUp(args []any) (any, error) {
	name, ok := args[0].(string)
	if !ok {
		return nil, problem(`want a form like env "DECK_NAME"`)
	}
	value, set := r.Env(name)
	r.variable = name
	switch {
	case !strings.HasPrefix(r.variable, "DECK_"):
		return nil, problem("variable " + report.Quote(r.shown()) + " does not start with DECK_")
	case !set:
		return nil, report.Unset(r.shown())
	default:
		return value, nil
	}
}

// shown returns the name last looked up, for a message. A name that is not in the
// action's own text was put together, and may hold the value of another variable.
func (r *functions) shown() string {
	if !strings.Contains(string(r.source[r.current.start:r.current.end]), r.variable) {
		return report.Redacted
	}
	return r.variable
}

func (r *functions) toInt(args []any) (any, error) {
	i, err := strconv.Atoi(fmt.Sprint(args[0]))
	return i, r.notA(err, "an integer")
}

func (r *functions) toFloat(args []any) (any, error) {
	f, err := strconv.ParseFloat(fmt.Sprint(args[0]), 64)
	return f, r.notA(err, "a number")
}

func (r *functions) toBool(args []any) (any, error) {
	b, err := strconv.ParseBool(fmt.Sprint(args[0]))
	return b, r.notA(err, "true or false")
}

// notA returns an error without the value that is not what was wanted.
func (r *functions) notA(err error, want string) error {
	if err == nil {
		return nil
	}
	if r.variable == "" {
		return problem("got a value that is not " + want)
	}
	return problem(fmt.Sprintf("variable %s: got a value that is not %s", report.Shorten(r.shown()), want))
}

// indent puts spaces before every line of a text but the first.
func (r *functions) indent(args []any) (any, error) {
	n, err := strconv.Atoi(fmt.Sprint(args[0]))
	if err != nil || n < 0 || n > 1000 {
		return nil, problem("want indent with a whole number up to 1000")
	}
	text := fmt.Sprint(args[1])
	if err := r.spend(n * strings.Count(text, "\n")); err != nil {
		return nil, err
	}
	return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", n)), nil
}

// bounded returns a function of text/template that makes text, with its output
// counted before it is made.
func (r *functions) bounded(write func(...any) string) func(...any) (string, error) {
	return func(args ...any) (string, error) {
		if err := r.spend(verbs.EscapedSize * longest(args) * len(args)); err != nil {
			return "", err
		}
		return write(args...), nil
	}
}

func (r *functions) printf(format string, args ...any) (string, error) {
	size, ok := verbs.MaxSize(format, longest(args))
	if !ok {
		return "", problem("want printf with widths below 1000")
	}
	if err := r.spend(size); err != nil {
		return "", err
	}
	return fmt.Sprintf(format, args...), nil
}

// longest returns the length of the longest text among values.
func longest(args []any) int {
	n := verbs.ScalarSize
	for _, a := range args {
		if s, ok := a.(string); ok {
			n = max(n, len(s))
		}
	}
	return n
}

// spend counts bytes that functions make.
func (r *functions) spend(bytes int) error {
	if r.made += bytes; r.made > maxText {
		return problem("too much text")
	}
	return nil
}
