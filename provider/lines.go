package provider

import "bytes"

// MaxLine is the longest line of a stream that [Lines] passes on, in bytes.
const MaxLine = 256 << 10

// Lines splits a stream of server-sent events, or of JSON values with one on each
// line, into its lines, which end with LF, CR or both. It keeps one unfinished line; one
// longer than [MaxLine] is skipped.
type Lines struct {
	pending  []byte
	skipping bool // until the end of the current line
	returned bool // the last line ended with CR, and LF may follow
}

// End calls line for the unfinished line, if there is one: a stream may end without a
// newline.
func (l *Lines) End(line func([]byte)) {
	if len(l.pending) > 0 && !l.skipping {
		line(l.pending)
	}
	l.pending, l.skipping = l.pending[:0], false
}

// Split calls line for every line that p completes, without its end. The slice is
// valid during the call only.
func (l *Lines) Split(p []byte, line func([]byte)) {
	for len(p) > 0 {
		if l.returned && p[0] == '\n' {
			p = p[1:]
		}
		l.returned = false
		end := bytes.IndexAny(p, "\r\n")
		if end < 0 {
			l.add(p)
			return
		}
		l.add(p[:end])
		if !l.skipping {
			line(l.pending)
		}
		l.returned = p[end] == '\r'
		l.pending, l.skipping, p = l.pending[:0], false, p[end+1:]
	}
}

// add appends a part of a line, up to its bound.
func (l *Lines) add(part []byte) {
	if l.skipping || len(l.pending)+len(part) > MaxLine {
		l.skipping = true
		return
	}
	l.pending = append(l.pending, part...)
}
