package openai

import (
	"strconv"
	"strings"
)

// tokenLimit names the field that limits the tokens of an answer, and the other
// one that a client may have used for it. With exclusive, the model does not take
// other, and what a client sent under that name is sent as field.
type tokenLimit struct {
	field, other string
	exclusive    bool
	// clients means that nothing tells which of the two the model takes, so that a
	// configured limit has the name that the client used.
	clients bool
}

func (d *dialect) tokenLimit(model string) tokenLimit {
	if !d.chat {
		return tokenLimit{field: "max_tokens"}
	}
	classic := tokenLimit{field: "max_tokens", other: "max_completion_tokens", exclusive: d.limits == maxTokensOnly}
	if d.limits != byModel && d.limits != byModelAndVersion {
		return classic
	}
	switch familyOf(model) {
	case reasoning:
		return tokenLimit{field: "max_completion_tokens", other: "max_tokens", exclusive: true}
	case chatting:
		classic.exclusive = d.limits == byModelAndVersion
	case unknown:
		classic.clients = true
	}
	return classic
}

// family is a kind of OpenAI's models.
type family int

const (
	// unknown is any other name, such as that of a deployment.
	unknown family = iota
	// chatting models take max_tokens: GPT-3.5 and GPT-4 with all their versions.
	chatting
	// reasoning models take max_completion_tokens only: the o series (o1, o3-mini,
	// o4-mini-2025-04-16), and GPT-5 and later.
	reasoning
)

// familyOf finds the family by a model's name: as OpenAI writes it (gpt-3.5-turbo-16k), as
// Azure does (gpt-35-turbo-16k), behind the name of its maker (openai/gpt-5), and
// fine-tuned (ft:gpt-4o:org, o3-mini.ft-1).
func familyOf(model string) family {
	model = strings.TrimPrefix(strings.ToLower(model), "ft:")
	model = model[strings.LastIndexByte(model, '/')+1:]
	if version, ok := strings.CutPrefix(strings.TrimPrefix(model, "chat"), "gpt"); ok {
		return gptFamily(strings.TrimPrefix(version, "-"))
	}
	if version, ok := strings.CutPrefix(model, "o"); ok {
		if _, rest, ok := cutNumber(version); ok && (rest == "" || strings.ContainsRune("-:.", rune(rest[0]))) {
			return reasoning
		}
	}
	return unknown
}

// firstReasoning is the first version of GPT that reasons.
const firstReasoning = 5

// gptFamily is the family of a version of GPT, such as 4o-mini or 5.1-codex. Azure leaves
// out the point: 35 is 3.5, and 41 is 4.1.
func gptFamily(version string) family {
	major, _, ok := cutNumber(version)
	if ok && major >= 30 && major < 10*firstReasoning {
		major /= 10
	}
	switch {
	case !ok:
		return unknown
	case major >= firstReasoning:
		return reasoning
	default:
		return chatting
	}
}

// cutNumber cuts the number off a text that begins with one.
func cutNumber(s string) (number int, rest string, ok bool) {
	rest = strings.TrimLeft(s, "0123456789")
	number, err := strconv.Atoi(s[:len(s)-len(rest)])
	return number, rest, err == nil
}
