package static

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// golden is the reference tokenizer's and numpy's result for a text; embeddings/training
// writes it beside the model.
type golden struct {
	Text   string    `json:"text"`
	Tokens []string  `json:"tokens"`
	Vector []float32 `json:"vector"`
}

func readGolden(t *testing.T) []golden {
	t.Helper()
	file, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	var cases []golden
	require.NoError(t, json.Unmarshal(file, &cases))
	require.NotEmpty(t, cases)
	return cases
}

func newBuiltin(t testing.TB) *Model {
	t.Helper()
	m, err := Builtin()
	require.NoError(t, err)
	return m
}

// pieces returns the texts of the tokens of text.
func pieces(m *Model, text string) []string {
	vocab := strings.Split(builtinVocab, "\n")
	found := []string{}
	for _, token := range m.vocabulary.appendTokens(nil, text) {
		found = append(found, vocab[token])
	}
	return found
}

func TestTokensAreThoseOfTheReference(t *testing.T) {
	m := newBuiltin(t)
	for _, c := range readGolden(t) {
		require.Equal(t, c.Tokens, pieces(m, c.Text), "text %+q", c.Text)
	}
}

func TestTokens(t *testing.T) {
	m := newBuiltin(t)
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"case and accents are folded", "CAFÉ Naïve", []string{"cafe", "naive"}},
		{"combining marks are dropped", "cafe\u0301", []string{"cafe"}},
		{"a dotted capital I is an i", "\u0130s", []string{"is"}},
		{"punctuation stands alone", "c++,x", []string{"c", "+", "+", ",", "x"}},
		{"control characters are dropped", "wo\x00r\u200bd", []string{"word"}},
		{"invalid UTF-8 is dropped", "wo\xffrd", []string{"word"}},
		{"an unknown word is left out", "good Привет day", []string{"good", "day"}},
		{"a word of 101 characters is left out", "good " + strings.Repeat("a", 101), []string{"good"}},
		{"white space has no tokens", " \n\t", []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, pieces(m, tt.text))
		})
	}
}

func TestLongTextIsReadAtBothEnds(t *testing.T) {
	m := newBuiltin(t)
	got := pieces(m, "alpha "+strings.Repeat("x ", maxText)+" omega")
	require.Equal(t, "alpha", got[0])
	require.Equal(t, "omega", got[len(got)-1])
	require.LessOrEqual(t, len(got), maxText)
}

func TestLongTextIsCutBetweenCharacters(t *testing.T) {
	m := newBuiltin(t)
	for shift := range utf8.UTFMax {
		got := pieces(m, strings.Repeat("a", shift)+strings.Repeat(" é", maxText))
		for _, p := range got[1:] {
			require.Equal(t, "e", p)
		}
	}
}

func TestHostileTextsTakeLinearTime(t *testing.T) {
	m := newBuiltin(t)
	for name, unit := range map[string]string{
		"one endless word":  "internationalizatio",
		"words of 100":      strings.Repeat("a", 100) + " ",
		"marks":             "a\u0301\u0316",
		"marks alone":       "\u0301",
		"chinese":           "中",
		"punctuation":       "-",
		"no match at all":   strings.Repeat("q", 99) + "ж ",
		"bytes of no text":  "\xff\xfe",
		"control character": "\x01",
	} {
		text := strings.Repeat(unit, (10<<20)/len(unit))
		start := time.Now()
		m.vocabulary.appendTokens(nil, text)
		require.Less(t, time.Since(start), 10*time.Second, name) // it takes below a millisecond
	}
}

func FuzzTokens(f *testing.F) {
	m := newBuiltin(f)
	f.Add("Write a Python function")
	f.Add("Caf\u00e9 \u0130 e\u0301 中文 \u200b\xff")
	f.Add(strings.Repeat("a", 101))
	f.Fuzz(func(t *testing.T, text string) {
		tokens := m.vocabulary.appendTokens(nil, text)
		require.LessOrEqual(t, len(tokens), 4*maxText)
		for _, token := range tokens {
			require.True(t, token > 0 && int(token) < m.vocabulary.size)
		}
	})
}
