package static

import (
	"errors"
	"strings"
)

// The conventions of an uncased BERT vocabulary.
const (
	unknownPiece = "[UNK]" // stands for words without a match: it is never a token
	innerPrefix  = "##"    // of pieces inside a word
	maxWord      = 100     // runes; a longer word has no match
)

// vocabulary is the pieces of a WordPiece model. The number of a piece is its token.
type vocabulary struct {
	starts *trie // pieces at the start of a word
	inner  *trie // pieces inside a word, without their prefix
	size   int
}

// parseVocabulary reads a vocab.txt: one piece a line, in the order of the tokens.
func parseVocabulary(file string) (*vocabulary, error) {
	v := &vocabulary{}
	lines := strings.Count(file, "\n") + 1
	starts, inner := make([]piece, 0, lines), make([]piece, 0, lines)
	for line := range strings.Lines(file) {
		text := strings.TrimRight(line, "\r\n")
		token := int32(v.size)
		v.size++
		body, isInner := strings.CutPrefix(text, innerPrefix)
		switch {
		case body == "" || text == unknownPiece:
		case isInner:
			inner = append(inner, piece{text: body, token: token})
		default:
			starts = append(starts, piece{text: text, token: token})
		}
	}
	if len(starts) == 0 {
		return nil, errors.New("no piece starts a word")
	}
	v.starts, v.inner = newTrie(starts), newTrie(inner)
	return v, nil
}
