package static

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Bounds of a vocabulary: its tokens and the bytes of one of them.
const (
	maxTokens = 1 << 21
	maxPiece  = 1 << 10
)

// vocabulary is what a tokenizer is made of.
type vocabulary struct {
	pieces  []piece
	unknown string // the piece for words without a match: it is never a token
	prefix  string // of pieces that go on with a word
	maxWord int    // runes
	rules   rules
}

// tokenizerFile is the part of a tokenizer.json that matters here. Tokens are not
// searched for in the raw text, so added_tokens has no use.
type tokenizerFile struct {
	Normalizer struct {
		Type         string `json:"type"`
		CleanText    bool   `json:"clean_text"`
		Chinese      bool   `json:"handle_chinese_chars"`
		StripAccents *bool  `json:"strip_accents"`
		Lowercase    bool   `json:"lowercase"`
	} `json:"normalizer"`
	PreTokenizer struct {
		Type string `json:"type"`
	} `json:"pre_tokenizer"`
	Model struct {
		Type    string          `json:"type"`
		Unknown string          `json:"unk_token"`
		Prefix  string          `json:"continuing_subword_prefix"`
		MaxWord int             `json:"max_input_chars_per_word"`
		Vocab   json.RawMessage `json:"vocab"`
	} `json:"model"`
}

// parseTokenizer reads a tokenizer.json. A tokenizer of other parts than
// BertNormalizer, BertPreTokenizer and WordPiece is an error that names the part.
func parseTokenizer(file []byte) (*tokenizer, error) {
	var f tokenizerFile
	if err := json.Unmarshal(file, &f); err != nil {
		return nil, fmt.Errorf("decode tokenizer: %w", err)
	}
	if err := errors.Join(
		wantPart("normalizer", f.Normalizer.Type, "BertNormalizer"),
		wantPart("pre_tokenizer", f.PreTokenizer.Type, "BertPreTokenizer"),
		wantPart("model", f.Model.Type, "WordPiece"),
	); err != nil {
		return nil, err
	}
	var tokens map[string]int32
	if err := json.Unmarshal(f.Model.Vocab, &tokens); err != nil {
		return nil, fmt.Errorf("decode vocabulary: %w", err)
	}
	v := vocabulary{
		pieces:  make([]piece, 0, len(tokens)),
		unknown: f.Model.Unknown,
		prefix:  f.Model.Prefix,
		maxWord: f.Model.MaxWord,
		rules:   rules{clean: f.Normalizer.CleanText, cjk: f.Normalizer.Chinese, cased: !f.Normalizer.Lowercase},
	}
	v.rules.accent = v.rules.cased // BertNormalizer's rule where strip_accents is null
	if strip := f.Normalizer.StripAccents; strip != nil {
		v.rules.accent = !*strip
	}
	for text, token := range tokens {
		v.pieces = append(v.pieces, piece{text: text, token: token})
	}
	return v.tokenizer()
}

// wantPart says which part of a tokenizer is of an unknown type.
func wantPart(part, got, want string) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("tokenizer %s: got %.32q, want %q", part, got, want)
}

// parseVocab reads a vocab.txt, one piece a line, of an uncased BERT model.
func parseVocab(file string) (*tokenizer, error) {
	v := vocabulary{unknown: "[UNK]", prefix: "##", maxWord: 100, rules: rules{clean: true, cjk: true}}
	lines := strings.Count(file, "\n") + 1
	if lines > maxTokens {
		return nil, fmt.Errorf("vocabulary of %d lines: want at most %d", lines, maxTokens)
	}
	v.pieces = make([]piece, 0, lines)
	for line := range strings.Lines(file) {
		text := strings.TrimRight(line, "\r\n")
		v.pieces = append(v.pieces, piece{text: text, token: int32(len(v.pieces))})
	}
	return v.tokenizer()
}

// tokenizer checks the vocabulary and indexes it.
func (v vocabulary) tokenizer() (*tokenizer, error) {
	if v.maxWord < 1 || v.maxWord > maxText {
		return nil, fmt.Errorf("tokenizer max_input_chars_per_word: got %d, want 1 to %d", v.maxWord, maxText)
	}
	if v.prefix == "" {
		return nil, errors.New("tokenizer continuing_subword_prefix is empty")
	}
	t := &tokenizer{rules: v.rules, maxWord: v.maxWord, maxToken: -1}
	var starts, rest []piece
	for _, p := range v.pieces {
		if p.token < 0 || p.token >= maxTokens || len(p.text) > maxPiece {
			return nil, fmt.Errorf("token %d: got a piece of %d bytes, want tokens below %d and at most %d bytes", p.token, len(p.text), maxTokens, maxPiece)
		}
		t.maxToken = max(t.maxToken, p.token)
		body, goesOn := strings.CutPrefix(p.text, v.prefix)
		switch {
		case body == "" || p.text == v.unknown:
		case goesOn:
			rest = append(rest, piece{text: body, token: p.token})
		default:
			starts = append(starts, p)
		}
	}
	if len(starts) == 0 {
		return nil, errors.New("vocabulary has no piece that begins a word")
	}
	t.starts, t.rest = newTrie(starts), newTrie(rest)
	return t, nil
}
