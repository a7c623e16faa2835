package schema

import (
	"fmt"
	"slices"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/tree"
)

// unsupported is something that Kong's schema has and this project does not do yet. It is
// refused when it is loaded, so that nothing is ignored silently.
type unsupported struct {
	// path is a field, such as "config.targets[].weight".
	path string
	// value is what is refused; "" is everything but the default.
	value string
	// reason completes "not supported yet: …".
	reason string
}

// Reasons that several rows share.
const (
	noAlgorithm  = "use semantic, round-robin or priority"
	noOption     = "an option of an unsupported algorithm"
	noFormat     = "use a provider that speaks OpenAI's format"
	noEmbedder   = "use openai or mistral"
	noProvider   = "an option of an unsupported provider"
	noCost       = "costs of cached tokens, service tiers and long contexts"
	noCloud      = "cloud credentials"
	noRouteType  = "use llm/v1/chat or llm/v1/completions"
	noStore      = "use redis"
	noCluster    = "Redis Cluster"
	noSentinel   = "Redis Sentinel"
	noMatch      = "matching routes by this field"
	noProtocol   = "use http or https"
	noCredential = "credentials of this kind"
)

// Fields that have many unsupported values or fields.
const (
	targetProvider   = "config.targets[].model.provider"
	embedderProvider = "config.embeddings.model.provider"
	targetOptions    = "config.targets[].model.options."
	embedderOptions  = "config.embeddings.model.options."
	redisStore       = "config.vectordb.redis."
)

// pluginSupport lists what is refused of a plugin.
var pluginSupport = slices.Concat(
	entrySupport,
	[]unsupported{
		{"config.acls", "", "access control lists"},
		{"config.llm_format", "", "formats other than openai"},
		{"config.genai_category", "", "categories other than text/generation"},
	},
	values("config.balancer.algorithm", noAlgorithm, "consistent-hashing", "least-connections", "lowest-latency", "lowest-usage"),
	fields("config.balancer.", noOption, "hash_on_header", "latency_strategy", "slots", "tokens_count_strategy"),
	values(targetProvider, noFormat, providers(config.Anthropic, config.Bedrock, config.Cohere, config.Databricks,
		config.Gemini, config.HuggingFace, config.Llama2, config.Ollama)...),
	values(embedderProvider, noEmbedder, providers(config.Azure, config.Bedrock, config.Gemini, config.HuggingFace, config.Ollama)...),
	fields(targetOptions, noProvider, "anthropic_version", "bedrock", "cohere", "databricks", "gemini", "huggingface", "llama2_format"),
	fields(targetOptions, noCost, "cache_read_cost", "cache_write_cost", "cache_write_cost_list", "context_window_factor", "service_tier_factor"),
	fields(embedderOptions, noProvider, "azure", "bedrock", "gemini", "huggingface"),
	cloudCredentials(),
	[]unsupported{
		{"config.embeddings.auth.allow_override", "", "client credentials for embeddings"},
		{targetOptions + "embeddings_dimensions", "", "targets that serve embeddings"},
		{targetOptions + "mistral_format", "ollama", "use openai"},
		{"config.targets[].model.model_alias", "", "model aliases"},
		{"config.targets[].metadata", "", "target metadata"},
	},
	values("config.targets[].route_type", noRouteType,
		"audio/v1/audio/speech", "audio/v1/audio/transcriptions", "audio/v1/audio/translations",
		"image/v1/images/edits", "image/v1/images/generations", "llm/v1/assistants", "llm/v1/batches",
		"llm/v1/embeddings", "llm/v1/files", "llm/v1/responses", "preserve", "realtime/v1/realtime",
		"video/v1/videos/generations"),
	[]unsupported{
		{"config.vectordb.strategy", "pgvector", noStore},
		{"config.vectordb.pgvector", "", "pgvector"},
		{redisStore + "cloud_authentication", "", noCloud},
	},
	fields(redisStore, noCluster, "cluster_max_redirections", "cluster_nodes"),
	[]unsupported{
		{redisStore + "connection_is_proxied", "", "a proxy in front of Redis"},
		{redisStore + "keepalive_backlog", "", "a limit on queued connections"},
	},
	fields(redisStore, noSentinel, "sentinel_master", "sentinel_nodes", "sentinel_password", "sentinel_role", "sentinel_username"),
)

// guardSupport lists what is refused of the plugins that guard. A path starts with the
// plugin's name.
var guardSupport = []unsupported{
	{"key-auth.config.key_in_body", "", "keys in bodies"},
	{"request-termination.config.echo", "", "echoes"},
	{"cors.config.preflight_continue", "", "preflights that a provider answers"},
}

// entrySupport lists what is refused of any plugin's entry.
var entrySupport = []unsupported{
	{"ordering", "", "plugin ordering"},
	{"partials", "", "partials"},
	{"condition", "", "conditional plugins"},
	{"expressions", "", "expressions of plugins"},
}

// entitySupport lists what is refused of the entities around plugins. A path starts with
// the kind.
var entitySupport = slices.Concat(
	fields("consumer.", noCredential, "hmacauth_credentials", "mtls_auth_credentials", "oauth2_credentials"),
	[]unsupported{{"consumer.keyauth_credentials[].ttl", "", "keys that expire"}},
	fields("route.", noMatch, "destinations", "expression", "priority", "snis", "sources"),
	values("route.protocols[]", noProtocol, "grpc", "grpcs", "tcp", "tls", "tls_passthrough", "udp", "ws", "wss"),
)

// values returns a row for each value of a field.
func values(path, reason string, texts ...string) []unsupported {
	rows := make([]unsupported, len(texts))
	for i, text := range texts {
		rows[i] = unsupported{path, text, reason}
	}
	return rows
}

// fields returns a row for each name behind a prefix.
func fields(prefix, reason string, names ...string) []unsupported {
	rows := make([]unsupported, len(names))
	for i, name := range names {
		rows[i] = unsupported{prefix + name, "", reason}
	}
	return rows
}

func providers(all ...config.Provider) []string {
	texts := make([]string, len(all))
	for i, p := range all {
		texts[i] = string(p)
	}
	return texts
}

func cloudCredentials() []unsupported {
	var rows []unsupported
	for _, name := range []string{
		"aws_access_key_id", "aws_secret_access_key", "azure_client_id", "azure_client_secret", "azure_tenant_id",
		"azure_use_managed_identity", "gcp_metadata_url", "gcp_oauth_token_url", "gcp_service_account_json",
		"gcp_use_service_account",
	} {
		rows = append(rows, fields("config.", noCloud, "targets[].auth."+name, "embeddings.auth."+name)...)
	}
	return rows
}

// markUnsupported puts the reasons of the lists into the tables.
func (t *Tables) markUnsupported() error {
	rowsOf := map[*Field][]unsupported{
		t.Plugin:                                pluginSupport,
		{Kind: tree.Object, Fields: t.Entities}: entitySupport,
		{Kind: tree.Object, Fields: t.Guards}:   guardSupport,
	}
	for _, guard := range t.Guards {
		rowsOf[guard] = entrySupport
	}
	for root, rows := range rowsOf {
		for _, row := range rows {
			if err := markUnsupported(root, row); err != nil {
				return err
			}
		}
	}
	return nil
}

func markUnsupported(root *Field, row unsupported) error {
	f := root.Find(row.path)
	if f == nil {
		return fmt.Errorf("mark %s as unsupported: no such field", row.path)
	}
	if row.value == "" {
		f.Unsupported = row.reason
		return nil
	}
	v := f.value(row.value)
	if v == nil {
		return fmt.Errorf("mark %s of %s as unsupported: no such value", row.value, row.path)
	}
	v.Unsupported = row.reason
	return nil
}

// CheckSupport reports what of a value is not supported yet.
func CheckSupport(r *report.Report, path string, f *Field, n *tree.Node) {
	if n.Broken || n.Kind == tree.Null {
		return
	}
	if f.Unsupported != "" && f.differs(n) {
		r.Problem(n.Pos, path, "not supported yet: %s", f.Unsupported)
	}
	if v := f.value(n.Str()); v != nil && v.Unsupported != "" {
		r.Problem(n.Pos, path, "%s is not supported yet: %s", v.Text, v.Unsupported)
	}
	if f.Elements != nil {
		for i, item := range n.Items {
			CheckSupport(r, report.Index(path, i), f.Elements, item)
		}
	}
	seen := map[string]bool{}
	for _, child := range n.Fields {
		if known := f.Fields[child.Name]; known != nil && !seen[child.Name] && child.Value.Kind != tree.Null {
			seen[child.Name] = true
			CheckSupport(r, report.Join(path, child.Name), known, child.Value)
		}
	}
}

// differs reports whether a value says something else than the default does. A value of
// the wrong kind is reported elsewhere.
func (f *Field) differs(n *tree.Node) bool {
	if n.Empty() {
		return false
	}
	switch {
	case n.Kind == tree.Object && !f.FreeForm:
		return slices.ContainsFunc(n.Fields, func(child tree.Field) bool {
			known := f.Fields[child.Name]
			return known != nil && known.differs(child.Value)
		})
	case f.Kind == tree.Bool:
		b, ok := n.Bool()
		return ok && b != (f.Default == true)
	case f.Kind == tree.Int || f.Kind == tree.Float:
		number, ok := f.Number(n)
		return ok && (f.Default == nil || number != f.Default)
	case f.Kind == tree.String:
		return n.Kind == tree.String && (f.Default == nil || n.Text != f.Default)
	default:
		return true
	}
}
