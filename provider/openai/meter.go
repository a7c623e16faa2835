package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"semlb/provider"
)

// maxAnswer is the longest answer that is read if it does not stream, in bytes.
const maxAnswer = 4 << 20

// body is what the meters read of an answer, or of one event of a stream.
type body struct {
	Model   string  `json:"model"`
	Usage   *counts `json:"usage"`
	Choices []struct {
		Text    string       `json:"text"`
		Delta   *messageText `json:"delta"`
		Message *messageText `json:"message"`
	} `json:"choices"`
}

// messageText is the text of a message. Content that is neither a string nor a list of
// parts has length 0.
type messageText struct{ Content any }

func (m *messageText) length() int {
	if m == nil {
		return 0
	}
	parts, _ := m.Content.([]any)
	length := runes(m.Content)
	for _, part := range parts {
		fields, _ := part.(map[string]any)
		length += runes(fields["text"])
	}
	return length
}

// runes is the length of a value that is a string, else 0.
func runes(v any) int {
	text, _ := v.(string)
	return utf8.RuneCountInString(text)
}

// tally is what has been read of an answer so far.
type tally struct {
	answer     provider.Answer
	counts     *counts // nil as long as the provider has sent none
	model      string
	characters int // of the completion
}

// read adds an answer or an event, and reports whether it is JSON: one that is not adds
// nothing, and neither does a member of an unknown shape.
func (t *tally) read(text []byte) bool {
	var b body
	var mismatch *json.UnmarshalTypeError // the rest is decoded all the same
	if err := json.Unmarshal(text, &b); err != nil && !errors.As(err, &mismatch) {
		return false
	}
	if b.Model != "" {
		t.model = b.Model
	}
	if b.Usage.counted() {
		t.counts = b.Usage
	}
	for _, c := range b.Choices {
		t.characters += utf8.RuneCountInString(c.Text) + c.Delta.length() + c.Message.length()
	}
	return true
}

// Usage returns the last counts that were read.
func (t *tally) Usage() provider.Usage {
	u := t.answer.EstimateUsage(t.characters)
	if t.counts != nil {
		u = t.counts.usage(u)
	}
	u.Model = t.model
	return u
}

// wholeMeter reads an answer that does not stream.
type wholeMeter struct {
	tally
	body []byte
}

// Write keeps the answer up to maxAnswer.
func (m *wholeMeter) Write(p []byte) (int, error) {
	m.body = append(m.body, p[:min(len(p), maxAnswer-len(m.body))]...)
	return len(p), nil
}

// Usage reads the answer, or as much of it as there is. It may be a stream that was not
// called one.
func (m *wholeMeter) Usage() provider.Usage {
	text := bytes.TrimPrefix(m.body, byteOrderMark)
	if m.read(text) {
		return m.tally.Usage()
	}
	stream := streamMeter{tally: m.tally}
	_, _ = stream.Write(m.body) // never fails
	if u := stream.Usage(); stream.counts != nil || stream.characters > 0 {
		return u
	}
	m.readPart(text)
	return m.tally.Usage()
}

// byteOrderMark may precede a stream, and some servers write it before JSON too.
var byteOrderMark = []byte("\ufeff")

// streamMeter reads an answer of server-sent events.
type streamMeter struct {
	tally
	lines provider.Lines
	event []byte // the data of the current event that is not JSON line by line
}

// Write reads the events that p completes.
func (m *streamMeter) Write(p []byte) (int, error) {
	m.lines.Split(p, m.line)
	return len(p), nil
}

// Usage reads the last event too, if it has no end.
func (m *streamMeter) Usage() provider.Usage {
	m.lines.End(m.line)
	m.endEvent()
	return m.tally.Usage()
}

// line reads a line if it is the data of an event, or JSON by itself. Data that goes on in
// the next line is read at the end of the event.
func (m *streamMeter) line(line []byte) {
	line = bytes.TrimSpace(bytes.TrimPrefix(line, byteOrderMark))
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	switch {
	case len(line) == 0:
		m.endEvent()
	case !ok && !bytes.HasPrefix(line, []byte("{")):
	case !m.read(bytes.TrimSpace(data)) && len(m.event)+len(data) < provider.MaxLine:
		m.event = append(append(m.event, data...), '\n')
	}
}

func (m *streamMeter) endEvent() {
	if len(m.event) > 0 {
		m.read(m.event)
		m.event = m.event[:0]
	}
}
