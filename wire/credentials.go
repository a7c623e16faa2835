package wire

import (
	"slices"
	"strings"
)

// credentialHeaders are request headers with a credential, or with an identity that a
// proxy in front vouches for, in lower case.
var credentialHeaders = []string{
	"authorization", "proxy-authorization", "x-original-authorization", "cookie", "cookie2", "dpop",
	"api-key", "apikey", "x-api-key", "x-api-token", "x-auth-token", "x-access-token", "x-id-token", "private-token",
	// Google: API keys, Cloud Run, Identity-Aware Proxy.
	"x-goog-api-key", "x-serverless-authorization", "x-goog-iap-jwt-assertion",
	"x-goog-authenticated-user-email", "x-goog-authenticated-user-id",
	// Amazon: temporary credentials, load balancers with OpenID Connect.
	"x-amz-security-token", "x-amzn-oidc-accesstoken", "x-amzn-oidc-data", "x-amzn-oidc-identity",
	// Azure: API Management, Functions, App Service.
	"ocp-apim-subscription-key", "x-functions-key", "x-ms-client-principal", "x-ms-client-principal-id",
	"x-ms-client-principal-name", "x-ms-token-aad-access-token", "x-ms-token-aad-id-token", "x-ms-token-aad-refresh-token",
	// Cloudflare: Access, AI Gateway.
	"cf-access-client-id", "cf-access-client-secret", "cf-access-jwt-assertion", "cf-access-token", "cf-aig-authorization",
	// Kong's plugins, oauth2-proxy, and gateways for LLMs.
	"x-userinfo", "x-introspection-jwt", "x-credential-identifier", "x-authenticated-userid",
	"x-auth-request-access-token", "x-auth-request-email", "x-auth-request-user", "x-forwarded-access-token",
	"x-forwarded-user", "x-forwarded-email", "x-forwarded-groups", "x-forwarded-preferred-username",
	"remote-user", "remote-groups", "remote-email", "x-remote-user", "x-remote-group",
	"helicone-auth", "x-litellm-api-key", "x-portkey-api-key",
}

// sessionWord means a credential where it ends a name: X-Session. With another word
// after it, as in Codex's session_id, it tells which conversation a request is of.
const sessionWord = "session"

// harmlessNames have such a word and hold no credential.
var harmlessNames = []string{
	"idempotency-key", "x-idempotency-key", "sec-websocket-key",
	"cf-aig-cache-key", "x-cache-key", "prompt-cache-key", "x-prompt-cache-key", "prompt_cache_key", "surrogate-key",
	"x-routing-key", "x-partition-key",
}

// accountHeaders are request headers that name the account to which a provider charges
// a request. They mean nothing without the credential that they came with.
var accountHeaders = []string{"openai-organization", "openai-organization-id", "openai-project", "openai-project-id", "x-goog-user-project", "x-dashscope-workspace"}

// CredentialHeaders are well-known request headers with a credential, in lower case.
func CredentialHeaders() []string { return slices.Clone(credentialHeaders) }

// AccountHeaders are request headers that name the account of a credential, such as
// OpenAI-Organization, in lower case.
func AccountHeaders() []string { return slices.Clone(accountHeaders) }

// IsCredentialHeader reports whether a header, in any letter case, is one of
// [CredentialHeaders].
func IsCredentialHeader(name string) bool { return isCredentialHeader[strings.ToLower(name)] }

// Each header of each attempt is looked up in these.
var (
	isCredentialHeader = setOf(credentialHeaders)
	isHarmless         = setOf(harmlessNames)
)

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}

// NamesCredential reports whether a request header or a query parameter, in any letter
// case, holds a credential by its name: one of [CredentialHeaders], or a name with a word
// such as token, secret or key. Words end at '-', '_' and '.'. The words are a guess: use
// it where to leave out what is none does no harm.
func NamesCredential(name string) bool {
	name = strings.ToLower(name)
	return isCredentialHeader[name] || hasCredentialWord(name) && !isHarmless[name]
}

func hasCredentialWord(name string) bool {
	start := 0
	for i := range len(name) {
		switch name[i] {
		case '-', '_', '.':
			if meansCredential(name[start:i]) {
				return true
			}
			start = i + 1
		}
	}
	last := name[start:]
	return last == sessionWord || meansCredential(last)
}

// meansCredential reports whether a word of a header's or a query parameter's name means a
// credential, or an identity that a proxy in front vouches for. Some of these words are
// often written together with the word before: accesstoken, clientsecret.
func meansCredential(word string) bool {
	switch word {
	case "key", "auth", "oauth", "authorization", "authentication", "authenticated", "credential", "credentials",
		"cert", "certificate", "saml", "assertion", "bearer", "csrf", "xsrf", "passwd", "passphrase", "userinfo":
		return true
	}
	return strings.HasSuffix(word, "token") || strings.HasSuffix(word, "secret") || strings.HasSuffix(word, "password") ||
		strings.HasSuffix(word, "apikey") || strings.HasSuffix(word, "accesskey") || strings.HasSuffix(word, "secretkey") ||
		strings.HasSuffix(word, "cookie") || strings.HasSuffix(word, "jwt")
}
