package schema

import (
	"slices"

	"semlb/config/report"
)

// guards are Kong's plugins with a say over who may do what: they authenticate clients,
// refuse requests, or limit them. A configuration that loses one of them serves requests
// that its author meant to refuse, or never to send to a provider. Functions and callouts
// are among them because what they do may be just that.
//
// https://developer.konghq.com/plugins/
var guards = slices.Concat(
	[]string{ // who a client is
		"basic-auth", "header-cert-auth", "hmac-auth", "jwt", "jwt-signer", "key-auth", "key-auth-enc",
		"konnect-application-auth", "ldap-auth", "ldap-auth-advanced", "mtls-auth", "oauth2",
		"oauth2-introspection", "openid-connect", "portal-application-registration",
		"application-registration", "saml", "session", "vault-auth", "ai-mcp-oauth2", "standard-webhooks",
	},
	[]string{ // what a client may do
		"ace", "acl", "bot-detection", "cors", "injection-protection", "ip-restriction", "json-threat-protection",
		"oas-validation", "opa", "request-termination", "request-validator", "websocket-validator",
		"xml-threat-protection",
	},
	[]string{ // how much
		"ai-rate-limiting-advanced", "graphql-rate-limiting-advanced", "rate-limiting", "rate-limiting-advanced",
		"request-size-limiting", "response-ratelimiting", "service-protection", "websocket-size-limit",
	},
	[]string{ // what prompts and answers may contain
		"ai-aws-guardrails", "ai-azure-content-safety", "ai-custom-guardrail", "ai-gcp-model-armor", "ai-lakera-guard",
		"ai-prompt-guard", "ai-sanitizer", "ai-semantic-prompt-guard", "ai-semantic-response-guard",
	},
	[]string{"aws-lambda", "azure-functions", "mocking", "redirect"}, // which answer in a provider's place
	[]string{"datakit", "post-function", "pre-function", "request-callout"},
)

// others are Kong's plugins without such a say.
var others = []string{
	"acme", "ai-llm-as-judge", "ai-mcp-proxy", "ai-prompt-compressor", "ai-prompt-decorator",
	"ai-prompt-template", "ai-proxy", "ai-rag-injector", "ai-request-transformer", "ai-response-transformer",
	"ai-semantic-cache", "app-dynamics", "canary", "confluent",
	"confluent-consume", "correlation-id", "datadog", "degraphql", "exit-transformer", "file-log",
	"forward-proxy", "graphql-proxy-cache-advanced", "grpc-gateway", "grpc-web", "http-log", "jq",
	"kafka-consume", "kafka-log", "kafka-upstream", "loggly", "opentelemetry", "prometheus",
	"proxy-cache", "proxy-cache-advanced", "request-transformer", "request-transformer-advanced",
	"response-transformer", "response-transformer-advanced", "route-by-header", "route-transformer-advanced",
	"solace-log", "solace-upstream", "statsd", "statsd-advanced", "syslog", "tcp-log", "tls-handshake-modifier",
	"tls-metadata-headers", "udp-log", "upstream-oauth", "upstream-timeout", "zipkin",
}

// Others returns Kong's plugins without a say over who may do what.
func Others() []string { return slices.Clone(others) }

// guardNames are those of guards.
var guardNames = func() map[string]bool {
	names := make(map[string]bool, len(guards))
	for _, name := range guards {
		names[name] = true
	}
	return names
}()

// Guards reports whether a plugin of that name has a say over who may do what.
func Guards(plugin string) bool { return guardNames[plugin] }

// MayGuard reports whether a plugin may have such a say: one that has it, a misspelt one,
// and one that is not Kong's.
func MayGuard(plugin string) bool {
	return plugin != PluginName && !slices.Contains(others, plugin) && report.Nearest(plugin, itself) == ""
}

// itself is the plugin that is read, for names that are like it.
var itself = map[string]bool{PluginName: true}

// GuardLike returns the plugin with a say that a misspelt name is most like, or "" where
// there is none.
func GuardLike(plugin string) string {
	if Guards(plugin) || plugin == PluginName || slices.Contains(others, plugin) {
		return ""
	}
	return report.Nearest(plugin, guardNames)
}
