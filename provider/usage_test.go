package provider_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
)

// fed gives a meter an answer in pieces of a size.
func fed(m provider.Meter, answer string, size int) provider.Meter {
	for len(answer) > 0 {
		n := min(size, len(answer))
		_, _ = m.Write([]byte(answer[:n]))
		answer = answer[n:]
	}
	return m
}

func TestMeter(t *testing.T) {
	const stream = "data: {\"model\":\"gpt-4o\",\"choices\":[{\"delta\":{\"content\":\"Guten Tag\"}}]}\r\n\r\n" +
		": comment\n\ndata: {\"choices\":[{\"delta\":{\"content\":\", Käthe\"}}]}\n\n"
	target := newTarget(t, provider.Settings{Provider: "openai"})
	for _, tt := range []struct {
		name   string
		stream bool
		answer string
		want   provider.Usage
	}{
		{
			"an answer with counts",
			false,
			`{"model":"gpt-4o-2024","choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":10,"completion_tokens":25,"total_tokens":35}}`,
			provider.Usage{PromptTokens: 10, CompletionTokens: 25, TotalTokens: 35, Model: "gpt-4o-2024"},
		},
		{
			"a stream with counts at its end",
			true,
			stream + `data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}` + "\n\ndata: [DONE]\n\n",
			provider.Usage{PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7, Model: "gpt-4o"},
		},
		{
			"a stream without counts is estimated",
			true,
			stream + "data: [DONE]\n\n",
			provider.Usage{PromptTokens: 9, CompletionTokens: 4, TotalTokens: 13, Estimated: true, Model: "gpt-4o"},
		},
		{
			"an answer without counts is estimated",
			false,
			`{"choices":[{"text":"twelve chars"}]}`,
			provider.Usage{PromptTokens: 5, CompletionTokens: 3, TotalTokens: 8, Estimated: true},
		},
		{
			"what is no JSON says nothing", false, "<html>", provider.Usage{PromptTokens: 5, TotalTokens: 5, Estimated: true},
		},
		{
			"an event over the bound is passed over",
			true,
			"data: {\"x\":\"" + strings.Repeat("x", 300<<10) + "\"}\n" + `data: {"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}` + "\n",
			provider.Usage{PromptTokens: 1, CompletionTokens: 2, TotalTokens: 3},
		},
	} {
		for _, size := range []int{1, 7, 1 << 20} {
			m := target.Meter(tt.stream)
			require.Equal(t, tt.want, fed(m, tt.answer, size).Usage(5), "%s, in pieces of %d", tt.name, size)
		}
	}
}

func TestMeterIsBounded(t *testing.T) {
	m := newTarget(t, provider.Settings{Provider: "openai"}).Meter(false)
	for range 64 {
		_, _ = m.Write(make([]byte, 1<<20))
	}
	require.True(t, m.Usage(0).Estimated)
}

func TestWordsAreThoseOfThePrompt(t *testing.T) {
	for body, want := range map[string]int{
		`{"messages":[{"role":"user","content":[{"type":"text","text":"one\ttwo\u2003three "},{"type":"text","text":"four"}]}]}`: 4,
		`{"prompt":" \n "}`: 0,
		`{"messages":[]}`:   0,
	} {
		require.Equal(t, want, read(t, body).Words(), body)
	}
	req := read(t, string(chatBody(2<<10)))
	require.Positive(t, req.Words())
	require.Zero(t, testing.AllocsPerRun(10, func() { _ = req.Words() }), "the prompt is decoded once")
}

func TestCostIsPerMillionTokens(t *testing.T) {
	require.InDelta(t, 0.0035, provider.Usage{PromptTokens: 1000, CompletionTokens: 250}.Cost(1, 10), 1e-12)
}
