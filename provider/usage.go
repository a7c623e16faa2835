package provider

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Usage is what an answer says it cost, in tokens.
type Usage struct {
	PromptTokens     int
	CompletionTokens int
	TotalTokens      int
	// Estimated says that the provider sent no counts: a completion then counts a
	// token for four characters, and a prompt one for each word (1.8 in a stream).
	Estimated bool
	// Model is the model that the answer names.
	Model string
}

// Cost is the price of an answer by the plugin's input_cost and output_cost, each
// per million tokens.
func (u Usage) Cost(input, output float64) float64 {
	return (float64(u.PromptTokens)*input + float64(u.CompletionTokens)*output) / 1e6
}

// Bounds of what a Meter keeps.
const (
	// maxEvent is the longest event of a stream that is read; longer ones are passed
	// over.
	maxEvent = 256 << 10
	// maxAnswer is the longest answer that is no stream.
	maxAnswer = 4 << 20
)

// Meter reads the usage out of an answer in OpenAI's format as its bytes pass by.
// It keeps an event of a stream, or the whole of an answer that is none, and never
// more than its bounds. The zero Meter reads an answer that is no stream.
type Meter struct {
	// Stream says that the answer is server-sent events.
	Stream bool

	pending    []byte
	skipping   bool // the line that is passed over has not ended
	oversized  bool
	usage      *counts
	model      string
	characters int
}

type counts struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// chunk is what a Meter reads of an answer, or of an event of one.
type chunk struct {
	Model   string  `json:"model"`
	Usage   *counts `json:"usage"`
	Choices []struct {
		Text    string       `json:"text"`
		Delta   *messageText `json:"delta"`
		Message *messageText `json:"message"`
	} `json:"choices"`
}

// messageText is the text of a message; content that is no string counts nothing.
type messageText struct{ Content any }

func (m *messageText) length() int {
	if m == nil {
		return 0
	}
	text, _ := m.Content.(string)
	return utf8.RuneCountInString(text)
}

// Write takes the next bytes. It never fails and keeps nothing of p.
func (m *Meter) Write(p []byte) (int, error) {
	if m.Stream {
		m.lines(p)
	} else if len(m.pending)+len(p) <= maxAnswer {
		m.pending = append(m.pending, p...)
	} else {
		m.oversized = true
	}
	return len(p), nil
}

// lines reads the lines that p completes.
func (m *Meter) lines(p []byte) {
	for len(p) > 0 {
		line, rest, ended := bytes.Cut(p, []byte("\n"))
		if !m.skipping && len(m.pending)+len(line) <= maxEvent {
			m.pending = append(m.pending, line...)
		} else {
			m.skipping = true
		}
		if !ended {
			return
		}
		if !m.skipping {
			m.event(m.pending)
		}
		m.pending, m.skipping, p = m.pending[:0], false, rest
	}
}

// event reads a line of a stream.
func (m *Meter) event(line []byte) {
	data, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data:"))
	if ok {
		m.read(bytes.TrimSpace(data))
	}
}

// read takes what an answer or an event says; what is no JSON says nothing.
func (m *Meter) read(text []byte) {
	var c chunk
	if json.Unmarshal(text, &c) != nil {
		return
	}
	if c.Model != "" {
		m.model = c.Model
	}
	if c.Usage != nil {
		m.usage = c.Usage
	}
	for _, choice := range c.Choices {
		m.characters += utf8.RuneCountInString(choice.Text) + choice.Delta.length() + choice.Message.length()
	}
}

// Usage is what the answer said, or else an estimate by the words of the prompt.
// It is called once, at the answer's end.
func (m *Meter) Usage(promptWords int) Usage {
	if !m.Stream && !m.oversized {
		m.read(m.pending)
	}
	if u := m.usage; u != nil {
		return Usage{
			PromptTokens: u.Prompt, CompletionTokens: u.Completion, Model: m.model,
			TotalTokens: max(u.Total, u.Prompt+u.Completion),
		}
	}
	prompt := float64(promptWords)
	if m.Stream {
		prompt *= 1.8
	}
	u := Usage{PromptTokens: int(prompt), CompletionTokens: m.characters / 4, Estimated: true, Model: m.model}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	return u
}

// Words counts the words of a request's prompt, for the estimate of [Meter.Usage].
func (r *Request) Words() int { return len(strings.Fields(r.Prompt())) }
