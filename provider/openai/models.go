package openai

import "strings"

// tokenLimit names the field that limits the tokens of an answer, and the other
// one that a client may have used for it. With exclusive, the model does not take
// other, and what a client sent under that name is sent as field.
type tokenLimit struct {
	field, other string
	exclusive    bool
}

func (d *dialect) tokenLimit(model string) tokenLimit {
	switch {
	case !d.chat:
		return tokenLimit{field: "max_tokens"}
	case d.limits == byModel && reasons(model):
		return tokenLimit{"max_completion_tokens", "max_tokens", true}
	}
	return tokenLimit{"max_tokens", "max_completion_tokens", d.limits == maxTokensOnly}
}

// reasons reports whether a model is one of the o series (o1, o3-mini,
// o4-mini-2025-04-16) or of GPT-5 and later, fine-tuned ones included.
func reasons(model string) bool {
	model = strings.TrimPrefix(strings.ToLower(model), "ft:")
	if rest, ok := strings.CutPrefix(model, "gpt-"); ok {
		digits := leadingDigits(rest)
		return len(digits) > 1 || digits >= "5"
	}
	rest, ok := strings.CutPrefix(model, "o")
	if !ok {
		return false
	}
	digits := leadingDigits(rest)
	rest = rest[len(digits):]
	return digits != "" && (rest == "" || rest[0] == '-' || rest[0] == ':')
}

func leadingDigits(s string) string {
	return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
}
