package remote

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"semlb/embeddings"
)

// Endpoints say in words that a text is too long, each in its own: OpenAI and vLLM
// ("maximum context length is 8192 tokens, however you requested 9000 tokens"), Text
// Embeddings Inference ("must have less than 512 tokens. Given: 1000"), Mistral ("Too many
// tokens"), Ollama ("input length exceeds the context length"), llama.cpp ("input is too
// large to process").
var (
	saysTooLong = regexp.MustCompile(`(?i)context[ _](length|size|window)|too (long|large|many tokens)|max\w*[^.]{0,40}\btokens|less than \d+ tokens|length exceeds`)
	saysLimit   = regexp.MustCompile(`(?i)(?:context (?:length|size|window)|less than|at most|max\w*(?: \w+){0,4} tokens|limit)(?: is| of|:)*[ (]*(\d+)|(\d+)[- ]tokens? (?:limit|max)`)
	saysGiven   = regexp.MustCompile(`(?i)(?:requested|given:?|got|resulted in|contains?|has|have|input \()\s*(\d+)`)
)

// tooLong reads from the body of an error whether a text was too long, and nil if it was
// not, or if it cannot be told because a text has the same words and may be quoted.
func tooLong(status int, body []byte, texts []string) *embeddings.TooLong {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return nil
	}
	message := messageOf(body)
	words := saysTooLong.FindString(message)
	switch {
	case words == "" && status == http.StatusRequestEntityTooLarge:
		return &embeddings.TooLong{}
	case words == "", slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, words) }):
		return nil
	}
	return &embeddings.TooLong{Limit: numberIn(saysLimit, message), Given: numberIn(saysGiven, message)}
}

// messageOf is the message of an error: an object or a text under error, or under message
// or detail. FastAPI's lists in detail are about fields, and quote the input.
func messageOf(body []byte) string {
	var object struct {
		Error, Message, Detail any
	}
	if json.Unmarshal(body, &object, json.MatchCaseInsensitiveNames(true)) != nil {
		return ""
	}
	text := func(v any) string {
		s, _ := v.(string)
		return s
	}
	if e, ok := object.Error.(map[string]any); ok {
		return text(e["code"]) + ": " + text(e["message"])
	}
	return cmp.Or(text(object.Error), text(object.Message), text(object.Detail))
}

// numberIn is the first number that a pattern captures, or 0.
func numberIn(pattern *regexp.Regexp, message string) int {
	for _, found := range pattern.FindAllStringSubmatch(message, -1) {
		if n, err := strconv.Atoi(strings.Join(found[1:], "")); err == nil {
			return n
		}
	}
	return 0
}
