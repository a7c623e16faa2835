package embeddings

import "unicode/utf8"

// The tokenizers of models differ, but agree roughly: a token is about four letters of
// English, or one or two of another script. Estimates are in quarters of a token, and
// rather too high than too low for ordinary text.
const quarters = 4

func costOf(r rune) int {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', r == ' ', r == '\n', r == '\t', r == '\r':
		return 1
	case '0' <= r && r <= '9':
		return 2
	case r < utf8.RuneSelf: // punctuation
		return 4
	case r < 0x800: // Latin with accents, Greek, Cyrillic, Hebrew, Arabic
		return 3
	case r < 0x10000:
		return 6
	default: // emoji
		return 12
	}
}

// tokensOf estimates the tokens of a text.
func tokensOf(text string) int {
	cost := 0
	for _, r := range text {
		cost += costOf(r)
	}
	return (cost + quarters - 1) / quarters
}

func longestOf(texts []string) int {
	longest := 0
	for _, text := range texts {
		longest = max(longest, tokensOf(text))
	}
	return longest
}

// shortened returns the texts, each of at most tokens tokens, and how many are not whole.
// At 0 tokens there is no limit.
func shortened(texts []string, tokens int) (fitting []string, cut int) {
	if tokens <= 0 {
		return texts, 0
	}
	fitting = make([]string, len(texts))
	for i, text := range texts {
		fitting[i] = shorten(text, tokens)
		if len(fitting[i]) < len(text) {
			cut++
		}
	}
	return fitting, cut
}

// shorten keeps half of the tokens from the beginning of a text and half from its end. A
// text that is short enough is returned as it is.
func shorten(text string, tokens int) string {
	// No character costs less than a quarter of a token, or more than three for a byte.
	if len(text) <= tokens/3 || tokensOf(text) <= tokens {
		return text
	}
	// Models add a few tokens of their own, and the two halves are joined by one.
	half := (tokens - tokens/50 - 1) * quarters / 2
	head, tail := 0, len(text)
	for left := half; ; {
		r, size := utf8.DecodeRuneInString(text[head:])
		if left -= costOf(r); left < 0 {
			break
		}
		head += size
	}
	for left := half; ; {
		r, size := utf8.DecodeLastRuneInString(text[:tail])
		if left -= costOf(r); left < 0 {
			break
		}
		tail -= size
	}
	return text[:head] + "\n" + text[tail:]
}
