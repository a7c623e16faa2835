package rules

import (
	"net/url"
	"strconv"
	"strings"

	"semlb/config"
	"semlb/config/schema"
	"semlb/config/tree"
	"semlb/wire"
)

// providerNeeds are the options that a provider cannot be called without.
var providerNeeds = map[config.Provider][]string{
	config.Llama2:    {"llama2_format", "upstream_url"},
	config.Mistral:   {"mistral_format"},
	config.Anthropic: {"anthropic_version"},
	config.Azure:     {"azure_instance", "azure_deployment_id"},
	config.VLLM:      {"upstream_url"},
}

// target checks a target of a plugin.
func (c checker) target(target tree.Cursor) {
	options := target.At("model", "options")
	c.auth(target.At("auth"))
	c.upstreamURL(options.At("upstream_url"))
	c.override(target)
	provider := target.At("model", "provider").Node.Str()
	for _, name := range providerNeeds[config.Provider(provider)] {
		c.need(options.At(name), "with provider "+provider)
	}
	// An endpoint of Vertex AI.
	c.together(options.At("gemini"), "api_endpoint", "project_id", "location_id")
	c.statistics(target)
	c.cost(options.At("input_cost"))
	c.cost(options.At("output_cost"))
}

// override: the credentials of gemini and bedrock are not a header that a client
// could send.
func (c checker) override(target tree.Cursor) {
	provider, override := target.At("model", "provider"), target.At("auth", "allow_override")
	if override.IsTrue() && (provider.Is(string(config.Gemini)) || provider.Is(string(config.Bedrock))) {
		c.Want(override.Pos, override.Path, "true", "false with provider "+shown(provider))
	}
}

// statistics: anthropic's completions carry no usage.
func (c checker) statistics(target tree.Cursor) {
	log := target.At("logging", "log_statistics")
	if log.IsTrue() && target.At("model", "provider").Is(string(config.Anthropic)) && target.At("route_type").Is(string(config.Completions)) {
		c.Want(log.Pos, log.Path, "true", "false with provider anthropic and route_type llm/v1/completions")
	}
}

func (c checker) cost(cost tree.Cursor) {
	if !cost.Exists() {
		return
	}
	if f, ok := cost.Node.Number(); ok && f <= 0 {
		c.want(cost, "a number greater than 0")
	}
}

// upstreamURL: an address is absolute, of HTTP, holds no credential, and is not one
// where a cloud hands out its machines' credentials. Templates are filled in for each
// request, and are not checked here.
func (c checker) upstreamURL(address tree.Cursor) {
	text := address.Node.Str()
	if text == "" || address.Node.Broken {
		return
	}
	u, err := url.Parse(text)
	if err != nil && strings.Contains(text, "$(") {
		return
	}
	var want string
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil:
		want = "an http or https URL with a host and without a user"
	case u.Fragment != "":
		want = "a URL without a fragment"
	case !validPort(u.Port()):
		want = "a port from 1 to 65535"
	case wire.MetadataHost(u.Hostname()):
		want = "a host that is no metadata service"
	default:
		return
	}
	// What is before an "@" is a credential.
	shown := &schema.Field{Hidden: strings.Contains(text, "@")}
	c.Want(address.Pos, address.Path, shown.Shown(address.Node), want)
}

// validPort reports whether a URL's port can be used. None is that of the scheme.
func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}
