package demo

import (
	"encoding/json"
	"strings"
)

type tool struct {
	Type     string `json:"type"`
	Function struct {
		Name string `json:"name"`
	} `json:"function"`
}

type toolCall struct {
	// Index is only in streams.
	Index    *int         `json:"index,omitempty"`
	ID       string       `json:"id,omitempty"`
	Type     string       `json:"type,omitempty"`
	Function toolFunction `json:"function"`
}

type toolFunction struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// chooseTool calls the tool that tool_choice names. With "required" it calls the one
// that the user's text names, or else the first; by default the one that the text
// names, if any. After a tool's result it calls none, so that a conversation ends.
func chooseTool(request generation, lastUser string) (toolCall, bool) {
	var word string
	// An absent choice means "auto"; one that is not a string is an object.
	_ = json.Unmarshal(request.ToolChoice, &word)
	if len(request.Tools) == 0 || word == "none" || request.Messages[len(request.Messages)-1].Role == "tool" {
		return toolCall{}, false
	}
	var named tool
	if word == "" && json.Unmarshal(request.ToolChoice, &named) == nil && named.Function.Name != "" {
		return newToolCall(named.Function.Name), true
	}
	for _, t := range request.Tools {
		if name := t.Function.Name; name != "" && strings.Contains(lastUser, name) {
			return newToolCall(name), true
		}
	}
	if word == "required" {
		return newToolCall(request.Tools[0].Function.Name), true
	}
	return toolCall{}, false
}

func newToolCall(name string) toolCall {
	return toolCall{ID: newID("call_"), Type: "function", Function: toolFunction{Name: name, Arguments: "{}"}}
}
