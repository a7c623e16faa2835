package config

import "strings"

// hereDocument is text that stands in a script as the input of a command, from the
// next line to one that is its end.
type hereDocument struct {
	command int
	end     string
	// literal text has no variables; stripped text loses the tabs its lines start with.
	literal, stripped bool
}

// hereDocument reads what announces one, such as <<EOF, <<-EOF or <<'EOF', if that
// stands here.
func (r *shellReader) hereDocument() bool {
	rest, ok := strings.CutPrefix(r.text[r.at:], "<<")
	if !ok || strings.HasPrefix(rest, "<") {
		return false
	}
	d := hereDocument{command: len(r.commands) - 1}
	rest, d.stripped = strings.CutPrefix(rest, "-")
	rest = strings.TrimLeft(rest, " \t")
	quote := rest[:min(1, len(rest))]
	if d.literal = quote == "'" || quote == `"`; d.literal {
		d.end, rest, ok = strings.Cut(rest[1:], quote)
	} else {
		d.end = rest[:len(rest)-len(strings.TrimLeftFunc(rest, inVariable))]
		rest = rest[len(d.end):]
	}
	if !ok || d.end == "" || strings.Contains(d.end, "\n") {
		return false
	}
	r.awaited = append(r.awaited, d)
	r.at = len(r.text) - len(rest)
	return true
}

// readAwaited reads the here-documents that begin here.
func (r *shellReader) readAwaited() {
	for _, d := range r.awaited {
		end, next := d.extent(r.text[r.at:])
		end, next = r.at+end, r.at+next
		r.startWord()
		r.expand(d, end)
		r.commands[d.command].input = *r.word
		r.word = nil
		if r.tooMany {
			break
		}
		r.at = next
	}
	r.awaited = nil
}

// extent returns where the text of a here-document ends, and where the line behind
// its end starts.
func (d hereDocument) extent(text string) (end, next int) {
	for line := range strings.Lines(text) {
		bare := strings.TrimRight(line, "\r\n")
		if d.stripped {
			bare = strings.TrimLeft(bare, "\t")
		}
		if bare == d.end {
			return next, next + len(line)
		}
		next += len(line)
	}
	return next, next
}

// expand reads the text of a here-document.
func (r *shellReader) expand(d hereDocument, end int) {
	start := r.at
	for !r.tooMany && r.at < end {
		rest := r.text[r.at:end]
		switch c := rest[0]; {
		case d.stripped && c == '\t' && (r.at == start || r.text[r.at-1] == '\n'):
			r.at++
			start = r.at // the next tab starts the line, too
		case !d.literal && strings.HasPrefix(rest, "\\\n"):
			r.at += 2
		case !d.literal && c == '\\' && len(rest) > 1 && strings.ContainsRune("$`\\", rune(rest[1])):
			r.literal(rest[1:2], 2)
		case !d.literal && c == '$' && r.variable():
		default:
			// As much as is nothing but text, so that long documents stay cheap.
			n := strings.IndexAny(rest[1:], d.special())
			if n < 0 {
				n = len(rest) - 1
			}
			r.literal(rest[:n+1], n+1)
		}
	}
}

// special are the characters that may mean something in the text.
func (d hereDocument) special() string {
	special := ""
	if !d.literal {
		special = "\\$"
	}
	if d.stripped {
		special += "\t"
	}
	return special
}
