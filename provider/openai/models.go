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
	switch d.familyOf(model) {
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

// familyOf is the family of the model that serves. On Azure a deployment serves what it was
// made for, whatever model a client names, and often has the model in its own name.
func (d *dialect) familyOf(model string) family {
	names := [2]string{model, d.deployment}
	if d.model == "" {
		names = [2]string{d.deployment, model}
	}
	if found := familyOf(names[0]); found != unknown {
		return found
	}
	return familyOf(names[1])
}

// familyOf finds the family by a model's name: as OpenAI writes it (gpt-3.5-turbo-16k), as
// Azure does (gpt-35-turbo-16k), behind the name of its maker (openai/gpt-5) or other words
// (prod-gpt-4o), and fine-tuned (ft:gpt-4o:org, o3-mini.ft-1).
func familyOf(name string) family {
	name = strings.ToLower(name)
	name = name[strings.LastIndexByte(name, '/')+1:]
	for first := true; ; first = false {
		if found := familyAt(name, first); found != unknown {
			return found
		}
		end := strings.IndexAny(name, "-_.: ")
		if end < 0 {
			return unknown
		}
		name = name[end+1:]
	}
}

// familyAt is the family of the model that a text begins with. Other words come before it
// unless it is first.
func familyAt(text string, first bool) family {
	if version, ok := strings.CutPrefix(strings.TrimPrefix(text, "chat"), "gpt"); ok {
		return gptFamily(strings.TrimPrefix(version, "-"))
	}
	version, ok := strings.CutPrefix(text, "o")
	if !ok {
		return unknown
	}
	number, rest, ok := cutNumber(version)
	ended := rest == "" || strings.ContainsRune("-:._", rune(rest[0]))
	if ok && ended && (first || number < 10) { // crm-o365 is none
		return reasoning
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
