package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// delta is the new content of one chunk.
type delta struct {
	Role      string     `json:"role,omitempty"`
	Content   *string    `json:"content,omitempty"`
	ToolCalls []toolCall `json:"tool_calls,omitempty"`
}

// cutGap is the time for the bytes before a cut to reach the client, whose kernel may
// discard them on the reset.
const cutGap = 20 * time.Millisecond

// stream writes a as server-sent events, one for each word, flushed at once.
func (s *server) stream(w http.ResponseWriter, r *http.Request, a answer, withUsage bool) error {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)

	chunks := a.chunks()
	for i, c := range chunks {
		if i > 0 && !pause(r.Context(), s.options.Gap) {
			panic(http.ErrAbortHandler)
		}
		if a.call.fault.cut && i == max(1, len(chunks)/2) {
			return cut(w, r)
		}
		writeEvent(w, a.event(c, withUsage))
	}
	if withUsage {
		last := a.envelope(a.chunkObject())
		last.Usage = &a.usage
		writeEvent(w, encode(last))
	}
	writeEvent(w, []byte("[DONE]"))
	return nil
}

// event encodes a chunk. If the client asked for usage, it is null in every chunk but
// the last.
func (a answer) event(c choice, withUsage bool) []byte {
	body := encode(a.envelope(a.chunkObject(), c))
	if withUsage {
		body = append(body[:len(body)-1], `,"usage":null}`...)
	}
	return body
}

func writeEvent(w http.ResponseWriter, data []byte) {
	if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil {
		panic(http.ErrAbortHandler)
	}
	if err := http.NewResponseController(w).Flush(); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func (a answer) chunkObject() string {
	if a.chat {
		return "chat.completion.chunk"
	}
	return "text_completion"
}

// chunks are the choices of a stream: the role, the words, the end.
func (a answer) chunks() []choice {
	var all []choice
	empty := ""
	if a.chat {
		all = append(all, choice{Delta: &delta{Role: "assistant", Content: &empty}})
	}
	if a.tool != nil {
		all = append(all, a.toolChunks()...)
	}
	for _, word := range pieces(a.text) {
		if a.chat {
			all = append(all, choice{Delta: &delta{Content: &word}})
		} else {
			all = append(all, choice{Text: &word})
		}
	}
	end := choice{FinishReason: a.finishReason()}
	if a.chat {
		end.Delta = &delta{}
	} else {
		end.Text = &empty
	}
	return append(all, end)
}

// toolChunks are the call without arguments, then the arguments.
func (a answer) toolChunks() []choice {
	index := 0
	head := *a.tool
	head.Index, head.Function.Arguments = &index, ""
	rest := toolCall{Index: &index, Function: toolFunction{Arguments: a.tool.Function.Arguments}}
	return []choice{
		{Delta: &delta{ToolCalls: []toolCall{head}}},
		{Delta: &delta{ToolCalls: []toolCall{rest}}},
	}
}

// cutWhole announces the length of a whole body, sends half of it, and resets.
func cutWhole(w http.ResponseWriter, r *http.Request, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	// Errors do not matter: the connection is reset below.
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	return cut(w, r)
}

func cut(w http.ResponseWriter, r *http.Request) error {
	pause(r.Context(), cutGap)
	return reset(w, r)
}
