package embeddings_test

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"semlb/embeddings"
)

// narrow refuses texts of more than limit words, and says so as says does.
type narrow struct {
	limit int
	says  func(words int) *embeddings.TooLong
	sent  []string
}

func (*narrow) Info() embeddings.Info { return embeddings.Info{Model: "narrow"} }

func (n *narrow) Embed(_ context.Context, texts []string) ([][]float32, error) {
	n.sent = append(n.sent, texts...)
	for _, text := range texts {
		if words := len(strings.Fields(text)); words > n.limit {
			return nil, &embeddings.Error{Kind: embeddings.KindStatus, Status: 400, TooLong: n.says(words)}
		}
	}
	return make([][]float32, len(texts)), nil
}

func (n *narrow) last() string { return n.sent[len(n.sent)-1] }

func requireHeadAndTail(t *testing.T, text, shortened string) {
	t.Helper()
	require.Less(t, len(shortened), len(text))
	head, tail, ok := strings.Cut(shortened, "\n")
	require.True(t, ok)
	require.True(t, strings.HasPrefix(text, head) && strings.HasSuffix(text, tail))
	require.InDelta(t, utf8.RuneCountInString(head), utf8.RuneCountInString(tail), 8)
	require.True(t, utf8.ValidString(shortened))
}

func TestTextsAreShortenedToAKnownLimitBeforeTheCall(t *testing.T) {
	for name, text := range map[string]string{
		"English": strings.Repeat("many words ", 4000), "Japanese": strings.Repeat("多くの言葉", 4000),
		"Greek": strings.Repeat("λόγος", 4000), "digits": strings.Repeat("0123456789", 4000), "broken": strings.Repeat("\xff", 40000),
	} {
		t.Run(name, func(t *testing.T) {
			counted := map[embeddings.Result]int{}
			model := &narrow{limit: 1 << 20}
			fit := embeddings.NewFit(model, embeddings.FitOptions{Tokens: 1000, Count: func(r embeddings.Result, n int) { counted[r] += n }})
			_, err := fit.Embed(t.Context(), []string{"short", text, text})
			require.NoError(t, err)
			require.Len(t, model.sent, 3, "one call")
			require.Equal(t, "short", model.sent[0])
			require.Equal(t, map[embeddings.Result]int{embeddings.Shortened: 2}, counted)
			if utf8.ValidString(text) {
				requireHeadAndTail(t, text, model.sent[1])
			}
			require.LessOrEqual(t, utf8.RuneCountInString(model.sent[1]), 4000, "a token is no more than four letters")
			require.GreaterOrEqual(t, len(model.sent[1]), 600)
		})
	}
}

func TestALimitIsLearnedFromTheError(t *testing.T) {
	text := strings.Repeat("a ", 5000)
	for name, says := range map[string]func(int) *embeddings.TooLong{
		"limit and given": func(n int) *embeddings.TooLong { return &embeddings.TooLong{Limit: 512, Given: n} },
		"limit":           func(int) *embeddings.TooLong { return &embeddings.TooLong{Limit: 512} },
		"no number":       func(int) *embeddings.TooLong { return &embeddings.TooLong{} },
		"another limit":   func(int) *embeddings.TooLong { return &embeddings.TooLong{Limit: 300_000} },
	} {
		t.Run(name, func(t *testing.T) {
			for _, known := range []int{0, 8192} {
				counted := 0
				model := &narrow{limit: 512, says: says}
				fit := embeddings.NewFit(model, embeddings.FitOptions{Tokens: known, Count: func(_ embeddings.Result, n int) { counted += n }})
				_, err := fit.Embed(t.Context(), []string{text})
				require.NoError(t, err)
				requireHeadAndTail(t, text, model.last())
				require.Greater(t, len(strings.Fields(model.last())), 150, "no more than needed is left out")
				require.Equal(t, 1, counted)
			}
		})
	}
	model := &narrow{limit: 100, says: func(int) *embeddings.TooLong { return &embeddings.TooLong{Limit: 100} }}
	fit := embeddings.NewFit(model, embeddings.FitOptions{})
	for range 2 {
		_, err := fit.Embed(t.Context(), []string{strings.Repeat("some words ", 500)})
		require.NoError(t, err)
	}
	require.Len(t, model.sent, 3, "the second text is shortened before the call")
}

func TestARefusalThatSaysNothingOfTheLengthIsTriedOnceWithAShorterText(t *testing.T) {
	long, counted := strings.Repeat("some words ", 5000), 0
	model := &narrow{limit: 512, says: func(int) *embeddings.TooLong { return nil }}
	fit := embeddings.NewFit(model, embeddings.FitOptions{Count: func(_ embeddings.Result, n int) { counted += n }})
	_, err := fit.Embed(t.Context(), []string{long})
	require.NoError(t, err)
	require.Len(t, model.sent, 2)
	requireHeadAndTail(t, long, model.last())
	require.Equal(t, 1, counted)

	_, err = fit.Embed(t.Context(), []string{strings.Repeat("word ", 500)})
	require.NoError(t, err)
	require.Len(t, model.sent, 3, "nothing was learned")

	model.sent, model.limit = nil, -1 // it refuses for another reason
	_, err = fit.Embed(t.Context(), []string{long})
	require.EqualError(t, err, "embed texts: status 400")
	require.Len(t, model.sent, 2)
	_, err = fit.Embed(t.Context(), []string{"short"})
	require.Error(t, err)
	require.Len(t, model.sent, 3)
}

func TestAnEndpointThatRefusesEveryLengthIsNotAskedForEver(t *testing.T) {
	model := &narrow{limit: -1, says: func(int) *embeddings.TooLong { return &embeddings.TooLong{Limit: 1} }}
	fit := embeddings.NewFit(model, embeddings.FitOptions{})
	guard := embeddings.NewGuard(fit, embeddings.GuardOptions{Failures: 1})
	for _, text := range []string{"short", strings.Repeat("some words ", 5000)} {
		model.sent = nil
		_, err := guard.Embed(t.Context(), []string{text})
		require.ErrorContains(t, err, "text too long")
		require.LessOrEqual(t, len(model.sent), 4)
		require.False(t, guard.Open(), "it is about the text")
	}
	model.limit = 1 << 20
	_, err := fit.Embed(t.Context(), []string{"some words of a text that is not long"})
	require.NoError(t, err)
	require.Equal(t, "some words of a text that is not long", model.last(), "nothing absurd is learned")
}
