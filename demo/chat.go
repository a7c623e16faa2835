package demo

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// generation is the part of a chat or completion request that the demo reads.
type generation struct {
	Stream              bool            `json:"stream"`
	StreamOptions       *streamOptions  `json:"stream_options"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	Messages            []message       `json:"messages"`
	Tools               []tool          `json:"tools"`
	ToolChoice          json.RawMessage `json:"tool_choice"`
	Prompt              json.RawMessage `json:"prompt"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type message struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// text joins the text parts of the content, which is a string, a list or null.
func (m message) text() string {
	var text string
	if json.Unmarshal(m.Content, &text) == nil {
		return text
	}
	var parts []struct {
		Text string `json:"text"`
	}
	// Any other content has no text.
	_ = json.Unmarshal(m.Content, &parts)
	var texts []string
	for _, p := range parts {
		if p.Text != "" {
			texts = append(texts, p.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// usage counts words instead of tokens.
type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

func countUsage(prompt, answer string) usage {
	u := usage{PromptTokens: len(strings.Fields(prompt)), CompletionTokens: len(strings.Fields(answer))}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	return u
}

// completion is the envelope of answers and of the chunks of a stream.
type completion struct {
	ID                string   `json:"id"`
	Object            string   `json:"object"`
	Created           int64    `json:"created"`
	Model             string   `json:"model"`
	SystemFingerprint string   `json:"system_fingerprint"`
	Choices           []choice `json:"choices"`
	Usage             *usage   `json:"usage,omitempty"`
}

// choice has one of Message, Delta and Text.
type choice struct {
	Index        int     `json:"index"`
	Message      *reply  `json:"message,omitempty"`
	Delta        *delta  `json:"delta,omitempty"`
	Text         *string `json:"text,omitempty"`
	Logprobs     any     `json:"logprobs"`
	FinishReason *string `json:"finish_reason"`
}

type reply struct {
	Role      string     `json:"role"`
	Content   *string    `json:"content"`
	Refusal   *string    `json:"refusal"`
	ToolCalls []toolCall `json:"tool_calls,omitempty"`
}

func (s *server) chat(w http.ResponseWriter, r *http.Request, c call) error {
	var request generation
	if err := json.Unmarshal(c.body, &request); err != nil {
		return badRequest("", "request body is not a chat completion request")
	}
	if len(request.Messages) == 0 {
		return badRequest("messages", "Missing required parameter: 'messages'.")
	}
	all, last := conversation(request.Messages)
	a := answer{call: c, chat: true, id: newID("chatcmpl-"), created: time.Now().Unix()}
	if chosen, ok := chooseTool(request, last); ok {
		a.tool = &chosen
	} else {
		a.text = s.text(c, last)
	}
	return s.send(w, r, request, a, all)
}

// conversation returns the text of all messages, and of the user's last one.
func conversation(messages []message) (all, lastUser string) {
	var texts []string
	for _, m := range messages {
		texts = append(texts, m.text())
		if m.Role == "user" {
			lastUser = m.text()
		}
	}
	return strings.Join(texts, "\n"), lastUser
}

func (s *server) completion(w http.ResponseWriter, r *http.Request, c call) error {
	var request generation
	if err := json.Unmarshal(c.body, &request); err != nil {
		return badRequest("", "request body is not a completion request")
	}
	prompts, ok := inputs(request.Prompt)
	if !ok || len(prompts) == 0 {
		return badRequest("prompt", "Missing required parameter: 'prompt'.")
	}
	prompt := strings.Join(prompts, "\n")
	a := answer{call: c, id: newID("cmpl-"), created: time.Now().Unix(), text: s.text(c, prompt)}
	return s.send(w, r, request, a, prompt)
}

// send cuts the answer to the requested number of words, counts its usage, and writes
// it whole or as a stream.
func (s *server) send(w http.ResponseWriter, r *http.Request, request generation, a answer, prompt string) error {
	limit := request.MaxTokens
	if request.MaxCompletionTokens != nil {
		limit = request.MaxCompletionTokens
	}
	if limit != nil && *limit < 1 {
		return badRequest("max_tokens", "max_tokens is %d, want 1 or more", *limit)
	}
	if words := pieces(a.text); limit != nil && len(words) > *limit {
		a.text, a.limited = strings.Join(words[:*limit], ""), true
	}
	counted := a.text
	if a.tool != nil {
		counted = a.tool.Function.Name
	}
	a.usage = countUsage(prompt, counted)
	if request.Stream {
		withUsage := request.StreamOptions != nil && request.StreamOptions.IncludeUsage
		return s.stream(w, r, a, withUsage)
	}
	if a.call.fault.cut {
		return cutWhole(w, r, a.whole())
	}
	writeJSON(w, http.StatusOK, a.whole())
	return nil
}

// answer is an answer before it is encoded in one of the API's formats.
type answer struct {
	call    call
	chat    bool
	id      string
	created int64
	text    string
	limited bool
	tool    *toolCall
	usage   usage
}

func (a answer) finishReason() *string {
	reason := "stop"
	switch {
	case a.tool != nil:
		reason = "tool_calls"
	case a.limited:
		reason = "length"
	}
	return &reason
}

func (a answer) envelope(object string, choices ...choice) completion {
	return completion{
		ID: a.id, Object: object, Created: a.created, Model: a.call.model,
		SystemFingerprint: "fp_demo", Choices: append([]choice{}, choices...),
	}
}

func (a answer) whole() completion {
	done := choice{FinishReason: a.finishReason()}
	object := "text_completion"
	switch {
	case !a.chat:
		done.Text = &a.text
	case a.tool != nil:
		done.Message = &reply{Role: "assistant", ToolCalls: []toolCall{*a.tool}}
	default:
		done.Message = &reply{Role: "assistant", Content: &a.text}
	}
	if a.chat {
		object = "chat.completion"
	}
	c := a.envelope(object, done)
	c.Usage = &a.usage
	return c
}

// pieces splits text into words, each with the white space before it.
func pieces(text string) []string {
	var words []string
	start := 0
	for i := 1; i < len(text); i++ {
		if text[i] == ' ' {
			words, start = append(words, text[start:i]), i
		}
	}
	if text == "" {
		return nil
	}
	return append(words, text[start:])
}
