package provider

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Shape is the format of a request, named by the route type it belongs to.
type Shape string

// The shapes of requests.
const (
	// Chat has a "messages" array.
	Chat Shape = "llm/v1/chat"
	// Completions has a "prompt", a string or an array of strings.
	Completions Shape = "llm/v1/completions"
	// Responses has an "input". No route type takes it; it is recognised so that
	// the refusal can name it.
	Responses Shape = "llm/v1/responses"
)

// Streaming is the plugin's response_streaming.
type Streaming string

// The modes of response_streaming.
const (
	StreamingAllow  Streaming = "allow"  // if the client asks for it
	StreamingDeny   Streaming = "deny"   // requests that ask for it are refused
	StreamingAlways Streaming = "always" // every response streams
)

// Request is a client's request, read by [ReadRequest] or restored by
// [ReadAttempt]. It refers to the body it was read from. It is used by one
// goroutine at a time.
type Request struct {
	// Shape is the format of the body.
	Shape Shape
	// Model is the body's model, or empty if it names none.
	Model string
	// Stream reports whether the client asked for a streaming response.
	Stream bool

	restored bool // read by ReadAttempt
	decoded  bool // the prompt is in text

	body    []byte
	open    int      // offset just after the object's opening brace
	members []member // the top-level members, in order
	missing []Edit   // members the client sent and body no longer has
	prompt  []span   // raw strings of the text to embed
	odd     bool     // the member prompt is an array of more than strings
	text    string   // the prompt
}

// span is a part of a body, by offsets.
type span struct{ start, end int }

// member is one top-level member of the body.
type member struct {
	name, value span
	original    []byte // the client's value, if an earlier attempt replaced it
	dropped     bool   // an earlier attempt added it
}

// Prompt is the text to embed: the text parts of the last user message, joined
// by newlines; or the prompts of a completion, joined likewise. It is empty where there is none, as
// for a message of only images. The first call decodes it.
func (r *Request) Prompt() string {
	if !r.decoded {
		r.text, r.decoded = r.decodePrompt(), true
	}
	return r.text
}

func (r *Request) decodePrompt() string {
	if len(r.prompt) == 1 {
		return unquote(r.body[r.prompt[0].start:r.prompt[0].end])
	}
	size := 0
	for _, s := range r.prompt {
		size += s.end - s.start
	}
	var text strings.Builder
	text.Grow(size)
	for i, s := range r.prompt {
		if i > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(unquote(r.body[s.start:s.end]))
	}
	return text.String()
}

// Words counts the words of the prompt, for [Answer].
func (r *Request) Words() int {
	words := 0
	for range strings.FieldsSeq(r.Prompt()) {
		words++
	}
	return words
}

// CheckRouteType returns a [*RequestError] if the request's shape fits none of a
// plugin's route types.
func (r *Request) CheckRouteType(routeTypes ...string) error {
	if slices.Contains(routeTypes, string(r.Shape)) {
		return nil
	}
	format := strconv.Quote(string(r.Shape))
	if r.Shape == Responses {
		format += `, or of another API that takes "input",`
	}
	return badRequest(CodeRouteType, fmt.Sprintf("request format %s does not fit route_type %s",
		format, `"`+strings.Join(routeTypes, `" or "`)+`"`))
}

// CheckContent returns a [*RequestError] if there is nothing to answer: no message, or no
// prompt in a list of them.
func (r *Request) CheckContent() error {
	for _, name := range []string{"messages", "prompt"} {
		if raw := r.Sent(name); raw != nil && raw[0] == '[' && len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0 {
			return badRequest(CodeInvalidRequest, name+" must not be empty")
		}
	}
	return nil
}

// CheckStreaming returns a [*RequestError] if the client asks for a stream and mode
// denies it.
func (r *Request) CheckStreaming(mode Streaming) error {
	if mode == StreamingDeny && r.Stream {
		return badRequest(CodeStreaming, "streaming is not enabled")
	}
	return nil
}

// CheckContentType returns a [*RequestError] if a request's content type is not
// JSON. An empty one counts as JSON; parameters are ignored.
func CheckContentType(contentType string) error {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.TrimSpace(kind)
	if contentType == "" || strings.EqualFold(kind, "application/json") {
		return nil
	}
	const suffix = "+json"
	if n := len(kind) - len(suffix); n > 0 && strings.EqualFold(kind[n:], suffix) && strings.Contains(kind[:n], "/") {
		return nil
	}
	return badRequest(CodeContentType, "content type must be application/json")
}

// raw returns the client's value of a top-level member, or nil without one.
func (r *Request) raw(name string) []byte {
	for i := range r.members {
		m := &r.members[i]
		if !m.dropped && r.named(m, name) {
			return r.value(m)
		}
	}
	for _, e := range r.missing {
		if e.Name == name {
			return e.Raw
		}
	}
	return nil
}

// Sent returns the client's value of a top-level member as JSON, or nil if it is
// absent or null.
func (r *Request) Sent(name string) []byte {
	if raw := r.raw(name); string(raw) != "null" {
		return raw
	}
	return nil
}

func (r *Request) named(m *member, name string) bool {
	return string(r.body[m.name.start+1:m.name.end-1]) == name
}

func (r *Request) value(m *member) []byte {
	if m.original != nil {
		return m.original
	}
	return r.body[m.value.start:m.value.end]
}

// settle sets the exported fields from the members.
func (r *Request) settle() error {
	model := r.Sent("model")
	if model != nil && model[0] != '"' {
		return badRequest(CodeInvalidRequest, "model must be a string")
	}
	if len(model) > MaxScalar {
		return badRequest(CodeInvalidRequest, "model is longer than "+strconv.Itoa(MaxScalar)+" bytes")
	}
	stream := r.Sent("stream")
	if stream != nil && stream[0] != 't' && stream[0] != 'f' {
		return badRequest(CodeInvalidRequest, "stream must be true or false")
	}
	r.Model = unquote(model)
	r.Stream = string(stream) == "true"
	return r.settleShape()
}

func (r *Request) settleShape() error {
	messages, prompt, input := r.Sent("messages"), r.Sent("prompt"), r.Sent("input")
	if input != nil && prompt != nil && prompt[0] == '{' {
		prompt = nil // in the Responses API, prompt is an object that names a template
	}
	switch {
	case messages != nil && prompt != nil:
		return badRequest(CodeInvalidRequest, "request body has both messages and prompt")
	case input != nil && (messages != nil || prompt != nil):
		return badRequest(CodeInvalidRequest, "request body has input beside messages or prompt")
	case messages != nil && messages[0] != '[':
		return badRequest(CodeInvalidRequest, "messages must be an array")
	case input != nil && input[0] != '[' && input[0] != '"':
		return badRequest(CodeInvalidRequest, "input must be a string or an array")
	case messages != nil:
		r.Shape = Chat
	case input != nil:
		r.Shape = Responses
	case prompt != nil && (prompt[0] == '"' || prompt[0] == '[' && !r.odd):
		r.Shape = Completions
	case prompt != nil && prompt[0] == '[':
		return badRequest(CodeInvalidRequest, "prompt must be a string or an array of strings: tokens are those of one model")
	default:
		return badRequest(CodeInvalidRequest, "request body doesn't contain valid prompts")
	}
	return nil
}

// unquote decodes a raw JSON string that is known to be valid.
func unquote(raw []byte) string {
	if len(raw) < 2 {
		return ""
	}
	if !escaped(raw) {
		return string(raw[1 : len(raw)-1])
	}
	text, _ := jsontext.AppendUnquote(make([]byte, 0, len(raw)), raw)
	return string(text)
}

// String describes the shape and the size, and none of the content.
func (r *Request) String() string {
	return "request{" + string(r.Shape) + ", " + strconv.Itoa(len(r.body)) + " bytes}"
}

// Format writes String for every verb.
func (r *Request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue returns String.
func (r *Request) LogValue() slog.Value { return slog.StringValue(r.String()) }
