package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// The characters that a backslash makes literal: outside of quotes all, inside of
// double quotes and here-documents these.
const (
	escapedAnywhere = ""
	escapedInQuotes = "$`\"\\"
	escapedInInput  = "$`\\"
)

// word returns a word of the syntax tree.
func (r *reader) word(w *syntax.Word) Word {
	var word Word
	for _, part := range w.Parts {
		r.part(&word, part, escapedAnywhere)
	}
	if word.Pieces == nil { // such as ""
		word.Pieces = []Piece{{Start: offsetOf(w), End: offsetOf(w)}}
	}
	return word
}

// part appends a part of a word. A backslash makes the escaped characters literal.
func (r *reader) part(w *Word, part syntax.WordPart, escaped string) {
	start, end := offsetOf(part), int(part.End().Offset()) //nolint:gosec // files are smaller
	end = min(end, len(r.text))
	switch p := part.(type) {
	case *syntax.Lit:
		r.literal(w, start, end, escaped)
	case *syntax.SglQuoted:
		if p.Dollar {
			r.decoded(w, p.Value, start, end)
			return
		}
		r.verbatim(w, start+1, end-1)
	case *syntax.DblQuoted:
		for _, inner := range p.Parts {
			r.part(w, inner, escapedInQuotes)
		}
	case *syntax.ParamExp:
		r.variable(w, p, start, end)
	case *syntax.CmdSubst:
		r.substitution(w, p, start, end)
	default:
		r.unread(w, start, end)
	}
}

// variable appends $NAME, ${NAME} or ${NAME:-default}. Parameters such as $1 stay as they
// are written: texts have prices. Other expansions are not read.
func (r *reader) variable(w *Word, p *syntax.ParamExp, start, end int) {
	text := r.text[start:end]
	simple := p.Param != nil && (text == "$"+p.Param.Value || text == "${"+p.Param.Value+"}")
	switch {
	case simple && syntax.ValidName(p.Param.Value):
		r.append(w, Piece{Text: text, Variable: p.Param.Value, Start: start, End: end})
	case simple:
		r.verbatim(w, start, end)
	default:
		piece := Piece{Text: text, Start: start, End: end}
		if value, ok := r.defaultOf(p); ok {
			piece.Variable, piece.Default = p.Param.Value, &value
		} else {
			piece.Unread = true
		}
		r.append(w, piece)
	}
}

// defaultOf returns the text that ${NAME:-text} and ${NAME-text} give for a variable that
// is not set.
func (r *reader) defaultOf(p *syntax.ParamExp) (string, bool) {
	other := p.Excl || p.Length || p.Width || p.Index != nil || p.Slice != nil || p.Repl != nil || p.Names != 0
	if other || p.Exp == nil || p.Param == nil || !syntax.ValidName(p.Param.Value) ||
		p.Exp.Op != syntax.DefaultUnset && p.Exp.Op != syntax.DefaultUnsetOrNull {
		return "", false
	}
	if p.Exp.Word == nil {
		return "", true
	}
	w := r.word(p.Exp.Word)
	for _, piece := range w.Pieces {
		if piece.Variable != "" || piece.Unread {
			return "", false
		}
	}
	return w.Plain(), true
}

func (r *reader) unread(w *Word, start, end int) {
	r.append(w, Piece{Text: r.text[start:end], Start: start, End: end, Unread: true})
}

// literal appends text in which backslashes escape. Outside of quotes it may hold
// placeholders.
func (r *reader) literal(w *Word, start, end int, escaped string) {
	if atLineEnd := end == len(r.text) || r.text[end] == '\n'; atLineEnd && escaped == escapedAnywhere {
		end = start + len(strings.TrimSuffix(r.text[start:end], "\r"))
	}
	for start < end && r.pieces <= maxPieces {
		text := r.text[start:end]
		i := strings.IndexByte(text, '\\')
		if i < 0 {
			r.chunk(w, start, end, escaped)
			return
		}
		if i+1 == len(text) { // before a line's end, which the parser left out, or at the end
			r.chunk(w, start, end-1, escaped)
			return
		}
		next, at := text[i+1:], start+i
		switch {
		case strings.HasPrefix(next, "\n"), strings.HasPrefix(next, "\r\n"):
			r.chunk(w, start, at, escaped)
			start = at + 1 + strings.Index(next, "\n") + 1
		case escaped == escapedAnywhere, strings.IndexByte(escaped, next[0]) >= 0:
			r.chunk(w, start, at, escaped)
			r.verbatim(w, at+1, at+2)
			start = at + 2
		default:
			r.verbatim(w, start, at+1)
			start = at + 1
		}
	}
}

// chunk appends text without escapes.
func (r *reader) chunk(w *Word, start, end int, escaped string) {
	if escaped != escapedAnywhere {
		r.verbatim(w, start, end)
		return
	}
	base := start
	for _, m := range placeholderPattern.FindAllStringIndex(r.text[start:end], maxPieces) {
		r.verbatim(w, start, base+m[0])
		start = base + m[1]
		r.append(w, Piece{Text: r.text[base+m[0]+1 : start-1], Start: base + m[0], End: start, Placeholder: true})
	}
	r.verbatim(w, start, end)
}

// verbatim appends text as it is.
func (r *reader) verbatim(w *Word, start, end int) {
	if start < end {
		r.append(w, Piece{Text: r.text[start:end], Start: start, End: end})
	}
}

func (r *reader) append(w *Word, p Piece) {
	if r.pieces++; r.pieces <= maxPieces {
		w.Pieces = append(w.Pieces, p)
	}
}

// hereDocument returns the text of a here-document. With a quoted delimiter nothing in
// it is special.
func (r *reader) hereDocument(redirect *syntax.Redirect) Word {
	var w Word
	quoted := strings.ContainsAny(r.text[offsetOf(redirect.Word):redirect.Word.End().Offset()], `'"\`)
	for i, part := range redirect.Hdoc.Parts {
		start, end := offsetOf(part), int(part.End().Offset()) //nolint:gosec // files are smaller
		_, isText := part.(*syntax.Lit)
		if isText && i == len(redirect.Hdoc.Parts)-1 {
			// The last text extends over the line of the delimiter.
			end = start + strings.LastIndexByte(r.text[start:min(end, len(r.text))], '\n') + 1
		}
		switch {
		case !isText:
			r.part(&w, part, escapedInInput)
		case redirect.Op == syntax.DashHdoc:
			r.untabbed(&w, start, end, quoted)
		default:
			r.inputText(&w, start, end, quoted)
		}
	}
	return w
}

func (r *reader) inputText(w *Word, start, end int, quoted bool) {
	if quoted {
		r.verbatim(w, start, end)
		return
	}
	r.literal(w, start, end, escapedInInput)
}

// untabbed appends text of a here-document without the tabs that its lines start with.
func (r *reader) untabbed(w *Word, start, end int, quoted bool) {
	for start < end {
		stop := end
		if i := strings.IndexByte(r.text[start:end], '\n'); i >= 0 {
			stop = start + i + 1
		}
		from := start
		for r.text[start-1] == '\n' && from < stop && r.text[from] == '\t' {
			from++
		}
		r.inputText(w, from, stop, quoted)
		start = stop
	}
}
