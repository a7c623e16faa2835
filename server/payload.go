package server

import (
	"bytes"
	"unicode/utf8"
)

const (
	// maxPayload bounds each payload in the log; what is longer is cut.
	maxPayload = 1 << 20
	// maxPayloads bounds the payloads of all attempts that are observed at the same time;
	// what is beyond it is cut.
	maxPayloads = 64 << 20
)

// payload is a body for the log, up to its bound and as far as the budget has room.
type payload struct {
	bytes.Buffer
	cut      bool
	budget   *bodyBudget
	acquired int
}

func (p *payload) add(b []byte) {
	kept := min(len(b), maxPayload-p.Len())
	if p.cut || !p.budget.tryAcquire(kept) {
		p.cut = true
		return
	}
	p.cut = kept < len(b)
	p.acquired += kept
	p.Write(b[:kept])
}

func (p *payload) release() {
	p.budget.release(p.acquired)
	p.acquired = 0
}

// isText reports whether bytes are text: JSON has no raw control characters, and of text
// in UTF-8 only a part of the last character may be missing, or what was written wrongly.
func isText(b []byte) bool {
	const oneBrokenOf = 10
	broken := 0
	for _, r := range string(b) {
		switch {
		case r == utf8.RuneError:
			broken++
		case r < ' ' && r != '\t' && r != '\n' && r != '\r':
			return false
		}
	}
	return broken*oneBrokenOf <= len(b)+oneBrokenOf
}
