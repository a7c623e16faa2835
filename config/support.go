package config

import (
	"slices"
	"strings"
)

// unsupported is something the schema knows and this stage of the project does not
// do. It is refused when it is loaded, so that nothing is ignored in silence.
type unsupported struct {
	// path is a field, such as "config.targets[].weight".
	path string
	// value is what is refused; "" is everything but the default.
	value string
	// reason completes "not supported yet: …".
	reason string
}

// supportTable lists what is refused. It is the only place that knows.
func supportTable() []unsupported {
	return slices.Concat(unsupportedSettings(), unsupportedProviders(), unsupportedRoutes(), unsupportedStores())
}

func unsupportedSettings() []unsupported {
	const algorithm = "only semantic, round-robin and priority are"
	const options = "it belongs to an algorithm that is not"
	return []unsupported{
		{"ordering", "", "the order of plugins"},
		{"partials", "", "linked blocks"},
		{"condition", "", "conditions"},
		{"config.acls", "", "access rules"},
		{"config.llm_format", "", "formats other than openai"},
		{"config.genai_category", "", "categories other than text/generation"},
		{"config.balancer.algorithm", "consistent-hashing", algorithm},
		{"config.balancer.algorithm", "least-connections", algorithm},
		{"config.balancer.algorithm", "lowest-latency", algorithm},
		{"config.balancer.algorithm", "lowest-usage", algorithm},
		{"config.balancer.hash_on_header", "", options},
		{"config.balancer.latency_strategy", "", options},
		{"config.balancer.slots", "", options},
		{"config.balancer.tokens_count_strategy", "", options},
	}
}

func unsupportedProviders() []unsupported {
	const provider, embedder = "config.targets[].model.provider", "config.embeddings.model.provider"
	const body = "only providers that speak OpenAI's format are"
	const cost = "the cost of cached tokens, tiers and long contexts"
	var table []unsupported
	for _, p := range []Provider{Anthropic, Bedrock, Cohere, Databricks, Gemini, HuggingFace, Llama2, Ollama} {
		table = append(table, unsupported{provider, string(p), body})
	}
	for _, p := range []Provider{Azure, Bedrock, Gemini, HuggingFace, Ollama} {
		table = append(table, unsupported{embedder, string(p), "only openai and mistral are"})
	}
	for _, name := range []string{
		"anthropic_version", "bedrock",
		"cohere", "databricks", "gemini", "huggingface", "llama2_format",
	} {
		table = append(table, unsupported{"config.targets[].model.options." + name, "", "the provider it is for"})
	}
	for _, name := range []string{
		"cache_read_cost", "cache_write_cost", "cache_write_cost_list", "context_window_factor", "service_tier_factor",
	} {
		table = append(table, unsupported{"config.targets[].model.options." + name, "", cost})
	}
	for _, name := range []string{"azure", "bedrock", "gemini", "huggingface"} {
		table = append(table, unsupported{"config.embeddings.model.options." + name, "", "the provider it is for"})
	}
	for _, name := range []string{
		"aws_access_key_id", "aws_secret_access_key", "azure_client_id", "azure_client_secret", "azure_tenant_id",
		"azure_use_managed_identity", "gcp_metadata_url", "gcp_oauth_token_url", "gcp_service_account_json",
		"gcp_use_service_account",
	} {
		table = append(table,
			unsupported{"config.targets[].auth." + name, "", "credentials of clouds"},
			unsupported{"config.embeddings.auth." + name, "", "credentials of clouds"})
	}
	return append(table,
		unsupported{"config.embeddings.auth.allow_override", "", "clients' credentials for embeddings"},
		unsupported{"config.targets[].model.options.embeddings_dimensions", "", "targets that embed"},
		unsupported{"config.targets[].model.options.mistral_format", "ollama", "only openai is"},
		unsupported{"config.targets[].model.model_alias", "", "aliases"},
		unsupported{"config.targets[].metadata", "", "metadata"})
}

func unsupportedRoutes() []unsupported {
	var table []unsupported
	for _, route := range []string{
		"audio/v1/audio/speech", "audio/v1/audio/transcriptions", "audio/v1/audio/translations",
		"image/v1/images/edits", "image/v1/images/generations", "llm/v1/assistants", "llm/v1/batches",
		"llm/v1/embeddings", "llm/v1/files", "llm/v1/responses", "preserve", "realtime/v1/realtime",
		"video/v1/videos/generations",
	} {
		table = append(table, unsupported{"config.targets[].route_type", route, "only llm/v1/chat and llm/v1/completions are"})
	}
	return table
}

func unsupportedStores() []unsupported {
	const cluster, sentinel = "Redis Cluster", "Redis Sentinel"
	const redis = "config.vectordb.redis."
	return []unsupported{
		{"config.vectordb.strategy", "pgvector", "only redis is"},
		{"config.vectordb.pgvector", "", "only redis is"},
		{redis + "cloud_authentication", "", "credentials of clouds"},
		{redis + "cluster_max_redirections", "", cluster},
		{redis + "cluster_nodes", "", cluster},
		{redis + "connection_is_proxied", "", "a proxy before Redis"},
		{redis + "keepalive_backlog", "", "a bound on waiting connections"},
		{redis + "sentinel_master", "", sentinel},
		{redis + "sentinel_nodes", "", sentinel},
		{redis + "sentinel_password", "", sentinel},
		{redis + "sentinel_role", "", sentinel},
		{redis + "sentinel_username", "", sentinel},
	}
}

// unsupportedEntities lists what is refused of an entity of a kind.
func unsupportedEntities(kind string) []unsupported {
	const match, login = "routes of that kind", "credentials of that kind"
	switch kind {
	case "route":
		table := []unsupported{
			{"destinations", "", match},
			{"expression", "", match},
			{"priority", "", match},
			{"snis", "", match},
			{"sources", "", match},
		}
		for _, protocol := range []string{"grpc", "grpcs", "tcp", "tls", "tls_passthrough", "udp", "ws", "wss"} {
			table = append(table, unsupported{"protocols[]", protocol, "only http and https are"})
		}
		return table
	case "consumer":
		return []unsupported{
			{"hmacauth_credentials", "", login}, {"mtls_auth_credentials", "", login}, {"oauth2_credentials", "", login},
		}
	default:
		return nil
	}
}

// supported refuses what a plugin's entry asks for and does not get.
func (c *checker) supported(s *spec, plugin place) {
	c.refuseAll(supportTable(), s, plugin)
	c.protocols(plugin.at("protocols"))
}

func (c *checker) refuseAll(table []unsupported, s *spec, p place) {
	for _, u := range table {
		c.refuse(u, u.path, s, p)
	}
}

// refuse follows what is left of a row's path, into every element of lists.
func (c *checker) refuse(u unsupported, rest string, s *spec, p place) {
	head, rest, deeper := strings.Cut(rest, ".")
	name, isList := strings.CutSuffix(head, "[]")
	s, p = s.fields[name], p.at(name)
	if !p.set() || p.n.broken {
		return
	}
	places := []place{p}
	if isList {
		s, places = s.item, p.items()
	}
	for _, p := range places {
		switch {
		case deeper:
			c.refuse(u, rest, s, p)
		case u.value == "" && differs(s, p.n):
			c.problem(p.pos, p.path, "not supported yet: %s", u.reason)
		case u.value != "" && p.is(u.value):
			c.problem(p.pos, p.path, "%s is not supported yet: %s", u.value, u.reason)
		}
	}
}

// differs reports whether a value says something else than the default does. A
// value of the wrong kind is another fault.
func differs(s *spec, n *node) bool {
	if n.empty() {
		return false
	}
	switch {
	case n.kind == kindObject && !s.freeForm:
		return slices.ContainsFunc(n.fields, func(f field) bool {
			child, known := s.fields[f.name]
			return known && differs(child, f.value)
		})
	case s.kind == kindBool:
		b, ok := n.boolean()
		return ok && b != (s.fallback == true)
	case s.kind == kindInt || s.kind == kindFloat:
		f, ok := n.asNumber(s)
		return ok && (s.fallback == nil || f != s.fallback)
	case s.kind == kindString:
		return n.kind == kindString && (s.fallback == nil || n.text != s.fallback)
	default:
		return true
	}
}

// protocols refuses to tell one protocol of clients from another: all of HTTP is
// served.
func (c *checker) protocols(p place) {
	if !p.set() || len(p.items()) == 0 {
		return
	}
	var http, https bool
	for _, item := range p.items() {
		http, https = http || item.is("http"), https || item.is("https")
	}
	if !http || !https {
		c.problem(p.pos, p.path, "not supported yet: a list without both http and https")
	}
}
