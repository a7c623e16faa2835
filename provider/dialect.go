package provider

import (
	"fmt"
	"strings"
)

// dialect is what is particular to one provider whose bodies are OpenAI's.
type dialect struct {
	host       string // empty: upstream_url is required
	base       string // path in front of the route's
	authHeader string // where a credential goes that names no header

	// reasoning tells that the models of OpenAI that reason are served here: they
	// take max_completion_tokens and refuse max_tokens.
	reasoning bool
	// maxTokensOnly tells that max_completion_tokens is not known here: a client's
	// is sent as max_tokens, since ignored it would be no limit at all (mistral
	// refuses the request, deepseek ignores the field).
	maxTokensOnly bool
	responses     bool // serves llm/v1/responses
	azure         bool // path with deployment, api-version
}

// dialectOf knows the providers that speak OpenAI's format.
func dialectOf(s Settings) (dialect, error) {
	d := dialect{authHeader: "authorization", base: "/v1"}
	switch s.Provider {
	case "openai":
		d.host, d.reasoning, d.responses = "api.openai.com", true, true
	case "azure":
		d.authHeader, d.reasoning, d.azure = "api-key", true, true
	case "mistral":
		if f := s.Options.MistralFormat; f != "" && f != "openai" {
			return d, fmt.Errorf("mistral_format: got %q, want \"openai\"", f)
		}
		d.host, d.maxTokensOnly = "api.mistral.ai", true
	case "deepseek":
		d.host, d.maxTokensOnly = "api.deepseek.com", true
	case "xai":
		d.host = "api.x.ai"
	case "cerebras":
		d.host = "api.cerebras.ai"
	case "dashscope":
		d.host, d.base = "dashscope.aliyuncs.com", "/compatible-mode/v1"
		if s.Options.DashscopeInternational {
			d.host = "dashscope-intl.aliyuncs.com"
		}
	case "vllm":
	default:
		return d, fmt.Errorf("provider: %q is not supported", s.Provider)
	}
	return d, nil
}

// operation is the end of the path for a route type.
func (d dialect) operation(routeType string) (string, error) {
	switch {
	case routeType == string(Chat):
		return "/chat/completions", nil
	case routeType == string(Completions):
		return "/completions", nil
	case routeType == string(Responses) && d.responses:
		return "/responses", nil
	}
	return "", fmt.Errorf("route_type: %q is not supported by this provider", routeType)
}

// limitField is the field that limits the tokens of an answer, and the other one
// that a client may have used for it. With exclusive, a client's other is sent
// as field.
func (d dialect) limitField(routeType, model string) (field, other string, exclusive bool) {
	switch {
	case routeType == string(Responses):
		return "max_output_tokens", "", false
	case routeType == string(Completions):
		return "max_tokens", "", false
	case d.reasoning && reasons(model):
		return "max_completion_tokens", "max_tokens", true
	}
	return "max_tokens", "max_completion_tokens", d.maxTokensOnly
}

// reasons tells an o-series model (o1, o3-mini, o4-mini-2025-04-16) or one from
// gpt-5 on, also fine-tuned.
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
