package shell

import (
	"net/url"
	"slices"
	"strings"
)

// Word is a word of a command.
type Word struct{ Pieces []Piece }

// Piece is a part of a word: literal text, a variable, or what is not read.
type Piece struct {
	// Text is the piece as it reads; of a variable and of what is not read, as it is
	// written.
	Text string
	// Variable is the name of the variable, or empty.
	Variable string
	// Default is the value of a variable that is not set; nil where there is none.
	Default *string
	// Start and End are the part of the script, as offsets in bytes.
	Start, End int
	// Placeholder pieces are names that the reader of an example has to replace.
	Placeholder bool
	// Unread pieces are substitutions whose value only a shell knows.
	Unread bool
	// File names the file whose text the piece is, and which has yet to be read: the piece
	// is Unread as well.
	File *Word
	// Fixed pieces are part of what the script assigned to a variable or wrote into a file.
	// A variable is then that of the environment.
	Fixed bool
}

// Plain returns a word with its variables as they are written.
func (w Word) Plain() string {
	var b strings.Builder
	for _, p := range w.Pieces {
		b.WriteString(p.Text)
	}
	return b.String()
}

// Behind returns a word without its first n bytes.
func (w Word) Behind(n int) Word { return w.Suffix(len(w.Plain()) - n) }

// Suffix returns the last n bytes of a word.
func (w Word) Suffix(n int) Word {
	for i := len(w.Pieces) - 1; i >= 0; i-- {
		p := w.Pieces[i]
		if n < len(p.Text) {
			if n == 0 {
				return Word{w.Pieces[i+1:]}
			}
			p.Start += len(p.Text) - n
			p.Text = p.Text[len(p.Text)-n:]
			return Word{append([]Piece{p}, w.Pieces[i+1:]...)}
		}
		n -= len(p.Text)
	}
	return w
}

// Split returns the parts of a word between separators. Variables are not split.
func (w Word) Split(separator byte) []Word {
	var all []Word
	for {
		first, rest := w.Cut(separator)
		all = append(all, first)
		if rest.Pieces == nil {
			return all
		}
		w = rest
	}
}

// Cut returns what is before the first separator of a word and what is behind it.
func (w Word) Cut(separator byte) (before, behind Word) {
	for i, p := range w.Pieces {
		at := strings.IndexByte(p.Text, separator)
		if p.Variable != "" || p.Unread || at < 0 {
			continue
		}
		left, right := p, p
		left.Text, right.Text, right.Start = p.Text[:at], p.Text[at+1:], p.Start+at+1
		before.Pieces = append(slices.Clone(w.Pieces[:i]), left)
		behind.Pieces = append([]Piece{right}, w.Pieces[i+1:]...)
		return before, behind
	}
	return w, Word{}
}

// Before returns what is before the first occurrence of a text in a word, or all of it.
func (w Word) Before(text string) Word {
	for i, p := range w.Pieces {
		at := strings.Index(p.Text, text)
		if p.Variable != "" || p.Unread || at < 0 {
			continue
		}
		p.Text = p.Text[:at]
		return Word{append(slices.Clone(w.Pieces[:i]), p)}
	}
	return w
}

// Unescaped returns a word of a form (application/x-www-form-urlencoded) without its
// escapes.
func (w Word) Unescaped() Word {
	c := Word{slices.Clone(w.Pieces)}
	for i, p := range c.Pieces {
		if text, err := url.QueryUnescape(p.Text); err == nil && p.Variable == "" {
			c.Pieces[i].Text = text
		}
	}
	return c
}
