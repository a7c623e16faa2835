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
	"helicone-auth", "x-litellm-api-key", "x-portkey-api-key",
}

// accountHeaders are request headers that name the account to which a provider charges
// a request. They mean nothing without the credential that they came with.
var accountHeaders = []string{"openai-organization", "openai-project", "x-goog-user-project", "x-dashscope-workspace"}

// CredentialHeaders are well-known request headers with a credential, in lower case.
func CredentialHeaders() []string { return slices.Clone(credentialHeaders) }

// AccountHeaders are request headers that name the account of a credential, such as
// OpenAI-Organization, in lower case.
func AccountHeaders() []string { return slices.Clone(accountHeaders) }

// IsCredentialHeader reports whether a header, in any letter case, is one of
// [CredentialHeaders].
func IsCredentialHeader(name string) bool {
	return slices.Contains(credentialHeaders, strings.ToLower(name))
}
