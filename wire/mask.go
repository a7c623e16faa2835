package wire

import (
	"regexp"
)

var (
	// credentialWord matches a text without spaces that may be or hold a key.
	credentialWord = regexp.MustCompile(`[\w+/=~-]+`)
	// keyStart matches how the keys of well-known services start.
	keyStart = regexp.MustCompile(`(?:^|[^A-Za-z0-9])(?:(?:sk|pk|rk|xai|gsk|hf|gh[a-z]|glpat|xox[a-z]|nvapi|pplx|github_pat)[-_]\w|(?:AKIA|ASIA|AIza)\w{4})`)
	// schemeAndCredential matches a credential as the header Authorization has it.
	schemeAndCredential = regexp.MustCompile(`(?i)\b(bearer|basic) +[^\s"'\[]+`)
	// userInfo matches the user and the password of a URL.
	userInfo = regexp.MustCompile(`://[^/\s"'@]+@`)
	// jsonWebToken matches a JWT with its dots, which separate words otherwise.
	jsonWebToken = regexp.MustCompile(`\beyJ[\w-]{4,}(?:\.[\w-]+)*`)
	// alphanumeric matches what keys of any service are made of.
	alphanumeric = regexp.MustCompile(`[A-Za-z0-9]+`)
)

// MaskKeys returns a text with [Redacted] in the place of every word that looks like a
// key, for messages that quote what a user wrote: a key may stand where a name or a
// number belongs. Words of a language and versioned names such as gpt-4o-2024-08-06 stay.
func MaskKeys(text string) string {
	text = userInfo.ReplaceAllString(text, "://"+Redacted+"@")
	text = schemeAndCredential.ReplaceAllString(text, "$1 "+Redacted)
	text = jsonWebToken.ReplaceAllString(text, Redacted)
	return credentialWord.ReplaceAllStringFunc(text, func(word string) string {
		if looksLikeKey(word) {
			return Redacted
		}
		return word
	})
}

func looksLikeKey(word string) bool {
	if keyStart.MatchString(word) {
		return true
	}
	for _, part := range alphanumeric.FindAllString(word, -1) {
		if looksRandom(part) {
			return true
		}
	}
	return false
}

// The lengths from which letters and digits look random, by how often one follows the
// other: words and versions change once or twice at most.
const (
	randomLength     = 8
	longRandomLength = 16
)

func looksRandom(part string) bool {
	changes := 0
	for i := 1; i < len(part); i++ {
		if isDigit(part[i]) != isDigit(part[i-1]) {
			changes++
		}
	}
	if len(part) < longRandomLength {
		return len(part) >= randomLength && changes >= 3
	}
	allDigits := changes == 0 && isDigit(part[0])
	return changes >= 2 || allDigits
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
