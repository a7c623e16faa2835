package openai

import (
	"bytes"
	"encoding/json"
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

type counts struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// messageText is the text of a message. Content that is not a string has length 0.
type messageText struct{ Content any }

func (m *messageText) length() int {
	if m == nil {
		return 0
	}
	text, _ := m.Content.(string)
	return utf8.RuneCountInString(text)
}

// tally is what has been read of an answer so far.
type tally struct {
	answer     provider.Answer
	counts     *counts // nil as long as the provider has sent none
	model      string
	characters int // of the completion
}

// read adds an answer or an event. One that is not JSON adds nothing.
func (t *tally) read(text []byte) {
	var b body
	if json.Unmarshal(text, &b) != nil {
		return
	}
	if b.Model != "" {
		t.model = b.Model
	}
	if b.Usage != nil {
		t.counts = b.Usage
	}
	for _, c := range b.Choices {
		t.characters += utf8.RuneCountInString(c.Text) + c.Delta.length() + c.Message.length()
	}
}

// Usage returns the last counts that were read.
func (t *tally) Usage() provider.Usage {
	u := t.answer.EstimateUsage(t.characters)
	if c := t.counts; c != nil {
		u = provider.Usage{
			PromptTokens: c.Prompt, CompletionTokens: c.Completion,
			TotalTokens: max(c.Total, c.Prompt+c.Completion),
		}
	}
	u.Model = t.model
	return u
}

// wholeMeter reads an answer that does not stream.
type wholeMeter struct {
	tally
	body      []byte
	oversized bool
}

// Write keeps the answer up to maxAnswer.
func (m *wholeMeter) Write(p []byte) (int, error) {
	if len(m.body)+len(p) <= maxAnswer {
		m.body = append(m.body, p...)
	} else {
		m.oversized = true
	}
	return len(p), nil
}

// Usage reads the answer, unless it was too long.
func (m *wholeMeter) Usage() provider.Usage {
	if !m.oversized {
		m.read(m.body)
	}
	return m.tally.Usage()
}

// streamMeter reads an answer of server-sent events.
type streamMeter struct {
	tally
	lines provider.Lines
}

// Write reads the events that p completes.
func (m *streamMeter) Write(p []byte) (int, error) {
	m.lines.Split(p, m.line)
	return len(p), nil
}

// line reads a line if it is the data of an event.
func (m *streamMeter) line(line []byte) {
	if data, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data:")); ok {
		m.read(bytes.TrimSpace(data))
	}
}
