package provider

import "bytes"

// MaxLine is the longest line of a stream that [Lines] passes on, in bytes.
const MaxLine = 256 << 10

// Lines splits a stream of server-sent events, or of JSON values with one on each
// line, into its lines. It keeps one unfinished line; one longer than [MaxLine]
// is skipped.
type Lines struct {
	pending  []byte
	skipping bool // until the end of the current line
}

// End calls line for the unfinished line, if there is one: a stream may end without a
// newline.
func (l *Lines) End(line func([]byte)) {
	if len(l.pending) > 0 && !l.skipping {
		line(l.pending)
	}
	l.pending, l.skipping = l.pending[:0], false
}

// Split calls line for every line that p completes, without its newline. The
// slice is valid during the call only.
func (l *Lines) Split(p []byte, line func([]byte)) {
	for len(p) > 0 {
		part, rest, ended := bytes.Cut(p, []byte("\n"))
		if !l.skipping && len(l.pending)+len(part) <= MaxLine {
			l.pending = append(l.pending, part...)
		} else {
			l.skipping = true
		}
		if !ended {
			return
		}
		if !l.skipping {
			line(l.pending)
		}
		l.pending, l.skipping, p = l.pending[:0], false, rest
	}
}
