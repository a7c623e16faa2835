package script

import (
	"errors"
	"strings"

	"github.com/spf13/pflag"

	"semlb/config/script/shell"
)

// flagReader reads the flags of a command with pflag, which knows clusters such as -sX
// and attached values. A flag's value keeps its pieces: pflag only gets texts.
type flagReader struct {
	set *pflag.FlagSet
	// word is the one that holds the value pflag finds next.
	word shell.Word
}

func newFlagReader(name string) *flagReader {
	f := &flagReader{set: pflag.NewFlagSet(name, pflag.ContinueOnError)}
	f.set.Usage = func() {}
	return f
}

// parse reads the flags of a command, and returns its other words. Unknown flags are
// treated as flags without a value.
func (f *flagReader) parse(words []shell.Word) (rest []shell.Word) {
	for i := 0; i < len(words); i++ {
		text := words[i].Plain()
		switch {
		case text == "--":
			return append(rest, words[i+1:]...)
		case text == "-" || !strings.HasPrefix(text, "-"):
			rest = append(rest, words[i])
			continue
		}
		f.word = words[i]
		var noValue *pflag.ValueRequiredError
		if err := f.set.Parse([]string{text}); errors.As(err, &noValue) && i+1 < len(words) {
			i++
			f.word = words[i]
			_ = f.set.Parse([]string{text, words[i].Plain()}) // an unknown flag is skipped
		}
	}
	return rest
}

// take calls a function with the value of a flag whenever it occurs. A short flag
// is empty where there is none.
func (f *flagReader) take(name, short string, with func(shell.Word)) {
	f.set.VarP(flagValue(func(value string) { with(f.word.Suffix(len(value))) }), name, short, "")
}

// ignore declares flags with a value that does not matter.
func (f *flagReader) ignore(names ...string) {
	for _, name := range names {
		name, short, _ := strings.Cut(name, ",")
		f.take(name, short, func(shell.Word) {})
	}
}

// switches declares flags without a value. Only those with a short form need it.
func (f *flagReader) switches(names ...string) {
	for _, name := range names {
		name, short, _ := strings.Cut(name, ",")
		f.set.BoolP(name, short, false, "")
	}
}

// flagValue is a flag's value that is passed on.
type flagValue func(string)

// Set passes a value on.
func (v flagValue) Set(value string) error {
	v(value)
	return nil
}

// String returns nothing: a flag has no default.
func (flagValue) String() string { return "" }

// Type is the type of value that pflag's usage names.
func (flagValue) Type() string { return "string" }
