package openai

import (
	"bytes"
	"strconv"

	"semlb/provider"
)

// counts are the tokens that an answer reports: under the names of chats, or under those
// of OpenAI's Responses API, which some providers use for chats too.
type counts struct {
	Prompt     count `json:"prompt_tokens"`
	Completion count `json:"completion_tokens"`
	Input      count `json:"input_tokens"`
	Output     count `json:"output_tokens"`
	Total      count `json:"total_tokens"`
}

// count is a number of tokens; known is false if there is none.
type count struct {
	n     int
	known bool
}

// maxCount bounds what is believed of one answer.
const maxCount = 1 << 40

// UnmarshalJSON reads a number, as an integer, as 111.0 or as a text. Anything else is no
// count, and no error.
func (c *count) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(bytes.Trim(b, "\" ")), 64)
	if err == nil && f >= 0 && f <= maxCount {
		*c = count{n: int(f), known: true}
	}
	return nil
}

// counted reports whether there is any token. Some providers send zeros with every event
// but the last.
func (c *counts) counted() bool {
	return c != nil && (c.prompt().n > 0 || c.completion().n > 0 || c.Total.n > 0)
}

func (c *counts) prompt() count     { return either(c.Prompt, c.Input) }
func (c *counts) completion() count { return either(c.Completion, c.Output) }

func either(a, b count) count {
	if a.known {
		return a
	}
	return b
}

// usage is what was counted. What was not follows from the total, or is estimated.
func (c *counts) usage(estimate provider.Usage) provider.Usage {
	prompt, completion := c.prompt(), c.completion()
	u := provider.Usage{PromptTokens: prompt.n, CompletionTokens: completion.n, TotalTokens: c.Total.n}
	switch {
	case prompt.known && completion.known:
	case prompt.known && c.Total.known:
		u.CompletionTokens = max(c.Total.n-prompt.n, 0)
	case completion.known && c.Total.known:
		u.PromptTokens = max(c.Total.n-completion.n, 0)
	case prompt.known:
		u.CompletionTokens, u.Estimated = estimate.CompletionTokens, true
	case completion.known:
		u.PromptTokens, u.Estimated = estimate.PromptTokens, true
	default: // the total alone
		u.CompletionTokens, u.Estimated = min(estimate.CompletionTokens, c.Total.n), true
		u.PromptTokens = c.Total.n - u.CompletionTokens
	}
	u.TotalTokens = max(u.TotalTokens, u.PromptTokens+u.CompletionTokens)
	return u
}
