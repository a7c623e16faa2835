package static

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxText is how much of a text is read, in bytes: half of it from the beginning,
// half from the end, where the question of a long prompt usually stands.
const maxText = 8 << 10

// kind is what a character does to the words around it.
type kind int

const (
	inWord    kind = iota // belongs to a word
	separator             // separates words
	alone                 // is a word of its own
	dropped               // is left out
)

// appendTokens appends the tokens of text to dst. It splits text as an uncased BERT
// does (BertNormalizer, BertPreTokenizer and WordPiece), without [CLS] and [SEP]; words
// without a match are left out.
func (v *vocabulary) appendTokens(dst []int32, text string) []int32 {
	if len(text) <= maxText {
		return v.appendPart(dst, text)
	}
	head, tail := maxText/2, len(text)-maxText/2
	for head > 0 && !utf8.RuneStart(text[head]) && head > maxText/2-utf8.UTFMax {
		head--
	}
	for tail < len(text) && !utf8.RuneStart(text[tail]) {
		tail++
	}
	return v.appendPart(v.appendPart(dst, text[:head]), text[tail:])
}

// appendPart appends the tokens of one unbroken part of a text to dst.
func (v *vocabulary) appendPart(dst []int32, text string) []int32 {
	if !isASCII(text) {
		text = norm.NFD.String(text)
	}
	word := make([]byte, 0, 64)
	for _, r := range text {
		switch k := kindOf(r); k {
		case inWord:
			word = utf8.AppendRune(word, fold(r))
		case separator, alone:
			dst, word = v.appendWord(dst, word), word[:0]
			if k == alone {
				dst, word = v.appendWord(dst, utf8.AppendRune(word, r)), word[:0]
			}
		case dropped:
		}
	}
	return v.appendWord(dst, word)
}

// appendWord appends the pieces of word to dst, or none if a part has no match.
func (v *vocabulary) appendWord(dst []int32, word []byte) []int32 {
	if len(word) > maxWord && utf8.RuneCount(word) > maxWord {
		return dst
	}
	before := len(dst)
	pieces := v.starts
	for len(word) > 0 {
		token, n := pieces.longest(word)
		if n == 0 {
			return dst[:before]
		}
		dst, word, pieces = append(dst, token), word[n:], v.inner
	}
	return dst
}

func kindOf(r rune) kind {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return inWord
	case r == ' ', r == '\t', r == '\n', r == '\r':
		return separator
	case isOther(r):
		return dropped
	case '!' <= r && r <= '~':
		return alone // every other printable ASCII character is punctuation to BERT
	case unicode.IsSpace(r):
		return separator
	case unicode.Is(unicode.Mn, r): // an accent: the text is decomposed
		return dropped
	case unicode.IsPunct(r), isChinese(r):
		return alone
	default:
		return inWord
	}
}

// fold returns r in lower case.
func fold(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return r
	case 'A' <= r && r <= 'Z':
		return r + ('a' - 'A')
	default:
		return unicode.ToLower(r)
	}
}

// isASCII reports whether text has no byte beyond ASCII.
func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}

// isOther reports whether r is a control, format or private character, or the one
// that stands for invalid UTF-8. Unassigned characters are parts of words, as in the
// reference.
func isOther(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co)
}

// isChinese reports whether r is in one of the blocks of CJK ideographs that the
// reference tokenizer knows; it leaves out the first rows of extension E.
func isChinese(r rune) bool {
	return r >= 0x3400 && (r <= 0x4dbf || r >= 0x4e00 && r <= 0x9fff || r >= 0xf900 && r <= 0xfaff ||
		r >= 0x20000 && r <= 0x2a6df || r >= 0x2a700 && r <= 0x2b81f || r >= 0x2b920 && r <= 0x2ceaf ||
		r >= 0x2f800 && r <= 0x2fa1f)
}
