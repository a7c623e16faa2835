package config

import (
	"slices"
	"strconv"
	"strings"
)

// place is a value that may be absent, and where it is or would be.
type place struct {
	path string
	n    *node
	// pos is the value's place, or that of the nearest object around it.
	pos Position
}

// at follows names from object to object.
func (p place) at(names ...string) place {
	for _, name := range names {
		p.path = join(p.path, name)
		p.n = p.n.get(name)
		if p.n != nil {
			p.pos = p.n.pos
		}
	}
	return p
}

// set reports whether there is a value.
func (p place) set() bool { return p.n != nil }

// is reports whether the value is the string text.
func (p place) is(text string) bool { return p.n.str() == text }

// isTrue reports whether the value is true.
func (p place) isTrue() bool {
	if p.n == nil {
		return false
	}
	value, _ := p.n.boolean()
	return value
}

// items returns the elements of a list.
func (p place) items() []place {
	if p.n == nil {
		return nil
	}
	places := make([]place, len(p.n.items))
	for i, item := range p.n.items {
		places[i] = place{path: p.path + "[" + strconv.Itoa(i) + "]", n: item, pos: item.pos}
	}
	return places
}

// need is a fault where a value is absent. The reason completes "want a value".
func (c *checker) need(p place, reason string) {
	if !p.set() {
		c.want(p.pos, p.path, "nothing", "a value "+reason)
	}
}

// rules checks what the fields of a plugin's entry ask of one another.
func (c *checker) rules(plugin place) {
	config := plugin.at("config")
	semanticNeeds(c, config)
	redisServer(c, config.at("vectordb"))
	nativeFormat(c, config)
	partialOrInline(c, plugin)
	headerTogether(c, config.at("embeddings", "auth"))
	parameterTogether(c, config.at("embeddings", "auth"))
	upstreamURL(c, config.at("embeddings", "model", "options", "upstream_url"))
	for _, target := range config.at("targets").items() {
		headerTogether(c, target.at("auth"))
		parameterTogether(c, target.at("auth"))
		upstreamURL(c, target.at("model", "options", "upstream_url"))
		for _, rule := range []func(*checker, place){
			noOverride, providerNeeds, geminiTogether, statisticsOfCompletions, costsPositive,
		} {
			rule(c, target)
		}
	}
}

// semanticNeeds: algorithm semantic compares descriptions by their vectors.
func semanticNeeds(c *checker, config place) {
	if !config.at("balancer", "algorithm").is(string(Semantic)) {
		return
	}
	const reason = "with algorithm semantic"
	c.need(config.at("embeddings"), reason)
	c.need(config.at("vectordb"), reason)
	for _, target := range config.at("targets").items() {
		c.need(target.at("description"), reason)
	}
}

// redisServer: the search module indexes database 0 only, and the plugin logs in with
// a password, or not at all.
func redisServer(c *checker, vectordb place) {
	redis := vectordb.at("redis")
	if database := redis.at("database"); database.set() && vectordb.at("search").is(string(SearchStore)) {
		number := &spec{kind: kindInt}
		if n, ok := database.n.asNumber(number); ok && n != 0 {
			c.want(database.pos, database.path, shown(number, database.n), "0 with search store: Redis indexes no other database")
		}
	}
	if username := redis.at("username"); username.set() && !redis.at("password").set() {
		c.warn(username.pos, username.path, "is not used without a password")
	}
}

// nativeFormat: a provider's own request format reaches that provider only, and
// for bedrock and gemini only as chat.
func nativeFormat(c *checker, config place) {
	format := config.at("llm_format").n.str()
	if format == "" || format == "openai" {
		return
	}
	for _, target := range config.at("targets").items() {
		if p := target.at("model", "provider"); p.set() && !p.is(format) {
			c.want(p.pos, p.path, shown(&spec{}, p.n), format+" with llm_format "+format)
		}
		route := target.at("route_type")
		if (format == "bedrock" || format == "gemini") && route.set() && !route.is(string(Chat)) {
			c.want(route.pos, route.path, shown(&spec{}, route.n), string(Chat)+" with llm_format "+format)
		}
	}
}

// partialOrInline: a block is either written out or linked, not both.
func partialOrInline(c *checker, plugin place) {
	for _, partial := range plugin.at("partials").items() {
		path := partial.at("path").n.str()
		if path == "" {
			continue
		}
		if block := plugin.at(strings.Split(path, ".")...); block.set() {
			c.problem(block.pos, block.path, "got a block that a partial brings too")
		}
	}
}

// headerTogether: a header has a name and a value.
func headerTogether(c *checker, auth place) {
	c.together(auth, "header_name", "header_value")
	header := auth.at("header_name")
	if header.n.str() != "" && !headerName(header.n.text) {
		c.want(header.pos, header.path, "a string "+redacted, "a header's name")
	}
	value := auth.at("header_value")
	if strings.ContainsFunc(value.n.str(), func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		c.want(value.pos, value.path, "a string "+redacted+" with a control character", "a header's value")
	}
}

// headerName reports whether a name is a token of RFC 9110.
func headerName(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

// parameterTogether: a parameter has a name, a value and a place.
func parameterTogether(c *checker, auth place) {
	c.together(auth, "param_name", "param_value", "param_location")
}

// together is a fault for each name that is absent while another one is there.
func (c *checker) together(object place, names ...string) {
	i := slices.IndexFunc(names, func(name string) bool { return object.at(name).set() })
	if i < 0 {
		return
	}
	for _, name := range names {
		c.need(object.at(name), "with "+names[i])
	}
}

// noOverride: the credentials of gemini and bedrock are not a header that a client
// could send.
func noOverride(c *checker, target place) {
	provider, override := target.at("model", "provider"), target.at("auth", "allow_override")
	if override.isTrue() && (provider.is(string(Gemini)) || provider.is(string(Bedrock))) {
		c.want(override.pos, override.path, "true", "false with provider "+provider.n.text)
	}
}

// providerNeeds: what a provider cannot be asked without.
func providerNeeds(c *checker, target place) {
	needs := map[Provider][]string{
		Llama2:    {"llama2_format", "upstream_url"},
		Mistral:   {"mistral_format"},
		Anthropic: {"anthropic_version"},
		Azure:     {"azure_instance", "azure_deployment_id"},
		VLLM:      {"upstream_url"},
	}
	provider := target.at("model", "provider").n.str()
	for _, name := range needs[Provider(provider)] {
		c.need(target.at("model", "options", name), "with provider "+provider)
	}
}

// geminiTogether: a Vertex endpoint has a host, a project and a location.
func geminiTogether(c *checker, target place) {
	c.together(target.at("model", "options", "gemini"), "api_endpoint", "project_id", "location_id")
}

// statisticsOfCompletions: anthropic's completions carry no usage.
func statisticsOfCompletions(c *checker, target place) {
	p := target.at("logging", "log_statistics")
	if p.isTrue() && target.at("model", "provider").is(string(Anthropic)) && target.at("route_type").is(string(Completions)) {
		c.want(p.pos, p.path, "true", "false with provider anthropic and route_type llm/v1/completions")
	}
}

// costsPositive: a price is more than nothing.
func costsPositive(c *checker, target place) {
	for _, name := range []string{"input_cost", "output_cost"} {
		cost := target.at("model", "options", name)
		if !cost.set() {
			continue
		}
		if f, ok := cost.n.number(); ok && f <= 0 {
			c.want(cost.pos, cost.path, shown(&spec{kind: kindFloat}, cost.n), "a number greater than 0")
		}
	}
}
