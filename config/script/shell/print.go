package shell

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// Printed returns what a command prints, if its words say that: echo and printf print
// their words, cat its here-document or a file.
func (c Command) Printed() (Word, bool) {
	if len(c.Words) == 0 || c.Output.Pieces != nil {
		return Word{}, false
	}
	switch arguments := c.Words[1:]; c.Words[0].Plain() {
	case "echo":
		return echoed(arguments)
	case "printf":
		return formatted(arguments)
	case "cat":
		return c.concatenated(arguments)
	default:
		return Word{}, false
	}
}

// echoed returns what echo prints: what is behind its flags.
func echoed(words []Word) (Word, bool) {
	for len(words) > 0 && slices.Contains([]string{"-n", "-E"}, words[0].Plain()) {
		words = words[1:]
	}
	if len(words) == 0 || words[0].Plain() == "-e" {
		return Word{}, false
	}
	var all Word
	for i, w := range words {
		if i > 0 {
			all.Pieces = append(all.Pieces, Piece{Text: " ", Start: w.start(), End: w.start()})
		}
		all.Pieces = append(all.Pieces, w.Pieces...)
	}
	return all, true
}

// formatted returns what printf prints: its text, or the one that the format %s stands
// for. Other formats are not read.
func formatted(words []Word) (Word, bool) {
	switch {
	case len(words) == 1 && !strings.ContainsAny(words[0].Plain(), `%\`):
		return words[0], true
	case len(words) == 2 && (words[0].Plain() == "%s" || words[0].Plain() == `%s\n`):
		return words[1], true
	default:
		return Word{}, false
	}
}

// Read returns what a command reads of its own: a here-document or a file.
func (c Command) Read() (Word, bool) {
	if c.Input.Pieces != nil {
		return c.Input, true
	}
	return c.InputFile.File()
}

// concatenated returns what cat prints.
func (c Command) concatenated(words []Word) (Word, bool) {
	switch {
	case len(words) == 0, len(words) == 1 && words[0].Plain() == "-":
		return c.Read()
	case len(words) == 1 && !strings.HasPrefix(words[0].Plain(), "-"):
		return words[0].File()
	default:
		return Word{}, false
	}
}

// File returns the text of the file that a word names, which has yet to be read. It
// reports false for a word that names none.
func (w Word) File() (Word, bool) {
	return Word{[]Piece{{File: &w, Unread: true, Start: w.start(), End: w.start()}}}, w.Plain() != ""
}

func (w Word) start() int {
	if len(w.Pieces) == 0 {
		return 0
	}
	return w.Pieces[0].Start
}

// substitution appends what a substitution such as $(cat <<EOF …) stands for, if that is
// known. Backslashes mean something else within backquotes.
func (r *reader) substitution(w *Word, p *syntax.CmdSubst, start, end int) {
	printed, ok := Word{}, false
	if !p.Backquotes || !strings.Contains(r.text[start:end], `\`) {
		printed, ok = r.printedBy(p.Stmts)
	}
	if !ok {
		r.unread(w, start, end)
		return
	}
	for _, piece := range printed.Trimmed().Pieces {
		r.append(w, piece)
	}
}

// printedBy returns what a list of statements prints, if it is one command of which that
// is known.
func (r *reader) printedBy(list []*syntax.Stmt) (Word, bool) {
	if len(list) != 1 || list[0].Negated || list[0].Background {
		return Word{}, false
	}
	if list[0].Cmd == nil { // such as $(<file)
		c := Command{}
		r.redirect(&c, list[0].Redirs)
		return c.InputFile.File()
	}
	call, ok := list[0].Cmd.(*syntax.CallExpr)
	if !ok || len(call.Assigns) > 0 {
		return Word{}, false
	}
	return r.simple(call, list[0].Redirs).Printed()
}

// Trimmed returns a word without the line ends at its end.
func (w Word) Trimmed() Word {
	pieces := slices.Clone(w.Pieces)
	for len(pieces) > 0 {
		last := &pieces[len(pieces)-1]
		if last.Variable != "" || last.Unread {
			break
		}
		text := strings.TrimRight(last.Text, "\n")
		last.End -= len(last.Text) - len(text)
		last.Text = text
		if text != "" {
			break
		}
		pieces = pieces[:len(pieces)-1]
	}
	return Word{pieces}
}

// decoded appends text of $'…', in which backslashes escape as in C.
func (r *reader) decoded(w *Word, text string, start, end int) {
	if !strings.Contains(text, `\`) {
		r.verbatim(w, start+2, end-1)
		return
	}
	decoded, _, err := expand.Format(nil, text, nil)
	if err != nil {
		r.unread(w, start, end)
		return
	}
	decoded, _, _ = strings.Cut(decoded, "\x00")
	r.append(w, Piece{Text: decoded, Start: start, End: end})
}
