package provider_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
)

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

func TestEstimates(t *testing.T) {
	require.Equal(t, provider.Usage{PromptTokens: 5, CompletionTokens: 2, TotalTokens: 7, Estimated: true}, provider.Answer{PromptWords: 5}.EstimateUsage(11))
	require.Equal(t, provider.Usage{PromptTokens: 9, TotalTokens: 9, Estimated: true}, provider.Answer{PromptWords: 5, Streaming: true}.EstimateUsage(0))
}

func TestLinesSkipWhatIsTooLong(t *testing.T) {
	var lines provider.Lines
	var got []string
	for _, piece := range []string{"a", "b\r\n\n", strings.Repeat("x", provider.MaxLine), "x", "\nc\nunfinished"} {
		lines.Split([]byte(piece), func(line []byte) { got = append(got, string(line)) })
	}
	require.Equal(t, []string{"ab", "", "c"}, got)
}

func TestLinesEndAsThoseOfServerSentEvents(t *testing.T) {
	const stream = "a\r\rb\n\nc\r\n\r\nd\n\re"
	want := []string{"a", "", "b", "", "c", "", "d", "", "e"}
	for _, size := range []int{1, 2, 3, len(stream)} {
		var lines provider.Lines
		var got []string
		keep := func(line []byte) { got = append(got, string(line)) }
		for piece := range slices.Chunk([]byte(stream), size) {
			lines.Split(piece, keep)
		}
		lines.End(keep)
		require.Equal(t, want, got, "in pieces of %d bytes", size)
	}
}

func TestCostIsPerMillionTokens(t *testing.T) {
	require.InDelta(t, 0.0035, provider.Usage{PromptTokens: 1000, CompletionTokens: 250}.Cost(1, 10), 1e-12)
}
