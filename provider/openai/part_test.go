package openai_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/provider/providertest"
)

const ofPart = 10 // words of the prompt

// metered is the usage of an answer that does not stream.
func metered(t *testing.T, body string) provider.Usage {
	t.Helper()
	target := providertest.NewTarget(t, provider.Settings{ID: "t", Provider: "openai", Model: "m"})
	m := target.Meter(provider.Answer{PromptWords: ofPart})
	_, err := m.Write([]byte(body))
	require.NoError(t, err)
	return m.Usage()
}

// TestAnAnswerThatBrokeOffIsEstimated from what there is of it.
func TestAnAnswerThatBrokeOffIsEstimated(t *testing.T) {
	text := strings.Repeat("word ", 20)
	for name, answer := range map[string]string{
		"chat":        fmt.Sprintf(`{"id":"x","model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":%q,"refusal":null}}],"usage":{"prompt_tokens":7,"completion_tokens":9}}`, text),
		"parts":       fmt.Sprintf(`{"model":"gpt-4o","choices":[{"message":{"content":[{"type":"text","text":%q}]}}]}`, text),
		"completions": fmt.Sprintf("{\n  \"model\": \"gpt-4o\",\n  \"choices\": [\n    {\n      \"text\": %q\n    }\n  ]\n}", text),
	} {
		begin, last := strings.Index(answer, text), 0
		for end := range len(answer) {
			u := metered(t, answer[:end])
			require.True(t, u.Estimated, name)
			require.Equal(t, ofPart, u.PromptTokens, name)
			require.Equal(t, max(0, min(end-begin, len(text)))/4, u.CompletionTokens, "%s: %s", name, answer[:end])
			require.GreaterOrEqual(t, u.CompletionTokens, last)
			last = u.CompletionTokens
			if end >= begin {
				require.Equal(t, "gpt-4o", u.Model)
			}
		}
	}
	for _, none := range []string{"", "{", `{"choices":`, `{"content":"some text that is none`, `[{"text":"long text`, `{"choices":[{"index":0,"name":"long text`} {
		require.Zero(t, metered(t, none).CompletionTokens, none)
	}
}

func TestAnAnswerThatIsTooLongIsEstimated(t *testing.T) {
	u := metered(t, `{"choices":[{"message":{"content":"`+strings.Repeat("x", 5<<20)+`"}}],"usage":{"prompt_tokens":7,"completion_tokens":9}}`)
	require.True(t, u.Estimated)
	require.InDelta(t, 1<<20, u.CompletionTokens, 100, "of the part that is kept")
}
