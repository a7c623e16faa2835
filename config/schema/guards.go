package schema

import "slices"

// guards are Kong's plugins with a say over who may do what: they authenticate clients,
// refuse requests, or limit them. A configuration that loses one of them serves requests
// that its author meant to refuse. Functions and callouts are among them because what
// they do may be just that.
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
	[]string{"datakit", "post-function", "pre-function", "request-callout"},
)

// Guards reports whether a plugin of that name has a say over who may do what.
func Guards(plugin string) bool { return slices.Contains(guards, plugin) }
