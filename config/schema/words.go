package schema

import (
	"strconv"
	"strings"

	"semlb/config/report"
	"semlb/config/tree"
)

// Shown returns a value of the field for a message, unless it may be a credential.
func (f *Field) Shown(n *tree.Node) string {
	switch n.Kind {
	case tree.Null, tree.List, tree.Object:
		return n.Kind.Article()
	}
	if f.Hidden || n.Hidden || n.Argument || n.Kind == tree.String && !f.shows(n.Text) {
		return n.Kind.Article() + " " + report.Redacted
	}
	if n.Kind == tree.String {
		return "string " + report.Quote(n.Text)
	}
	if f.Kind == tree.String || f.Kind == tree.Bool {
		return n.Kind.String() + " " + report.Shorten(n.Text)
	}
	return report.Shorten(n.Text)
}

// Values of an enumeration are words, and what is written in the place of a number or a
// boolean is short: others may be a credential in the wrong place.
const (
	wordBeyond = 8
	otherWord  = 12
)

// shows reports whether a message may show a text that the field has.
func (f *Field) shows(text string) bool {
	switch {
	case f.Kind == tree.Bool || f.Kind == tree.Int || f.Kind == tree.Float:
		return report.IsWord(text, otherWord)
	case f.Values == nil:
		return !report.MayBePassword(text)
	default:
		longest := 0
		for _, v := range f.Values {
			longest = max(longest, len(v.Text))
		}
		return report.IsWord(text, longest+wordBeyond)
	}
}

// Show returns a value that no field describes for a message, unless it holds some of
// the environment or is an argument of a command.
func Show(n *tree.Node) string { return (&Field{}).Shown(n) }

// Wanted returns what the field may hold, for a message.
func (f *Field) Wanted() string {
	switch f.Kind {
	case tree.Bool:
		return "true or false"
	case tree.Int, tree.Float:
		return f.wantedNumber()
	case tree.String:
		return f.wantedText()
	default:
		return f.Kind.Article()
	}
}

func (f *Field) wantedText() string {
	if f.Values == nil {
		return "a non-empty string"
	}
	var usable []string
	for _, v := range f.Values {
		if v.NewSince == "" {
			usable = append(usable, v.Text)
		}
	}
	if len(usable) == 1 {
		return usable[0]
	}
	return "one of " + strings.Join(usable, ", ")
}

func (f *Field) wantedNumber() string {
	number := func(bound *float64) string { return strconv.FormatFloat(*bound, 'f', -1, 64) }
	switch {
	case f.Min != nil && f.Max != nil && f.Kind == tree.Int:
		return number(f.Min) + " to " + number(f.Max)
	case f.Min != nil && f.Max != nil:
		return "a number from " + number(f.Min) + " to " + number(f.Max)
	case f.Min != nil:
		return f.Kind.Article() + " of at least " + number(f.Min)
	default:
		return f.Kind.Article()
	}
}
