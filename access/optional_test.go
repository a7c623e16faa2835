package access_test

import (
	"encoding/base64"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"semlb/access"
	"semlb/config/configtest"
	"semlb/config/load"
)

// consumers is a gate without plugins, whose consumers have a credential each.
func consumers(t *testing.T) *access.Gate {
	t.Helper()
	return access.New(configtest.Load(t, configtest.Minimal+`
consumers:
- {username: anna, keyauth_credentials: [{key: annas}]}
- {username: bob, basicauth_credentials: [{username: bobby, password: "pass:bobs"}]}
- {username: carol, jwt_secrets: [{key: carols, secret: secret-of-carol}, {key: strong, algorithm: HS512, secret: c2VjcmV0}]}
`, load.Options{}))
}

func basic(text string) map[string]string {
	return map[string]string{"authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(text))}
}

// signed is a token of an issuer, signed with carol's secret.
func signed(t *testing.T, method jwt.SigningMethod, secret, issuer string, more map[string]any) string {
	t.Helper()
	claims := jwt.MapClaims{"iss": issuer}
	for name, value := range more {
		claims[name] = value
	}
	text, err := jwt.NewWithClaims(method, claims).SignedString([]byte(secret))
	require.NoError(t, err)
	return text
}

// TestAnOptionalCredentialNamesItsConsumer: a wrong one is refused as by Kong's plugin with
// its defaults, and a request without one is anonymous.
func TestAnOptionalCredentialNamesItsConsumer(t *testing.T) {
	now := time.Now().Unix()
	carols := func(more map[string]any) map[string]string {
		return map[string]string{"authorization": "Bearer " + signed(t, jwt.SigningMethodHS256, "secret-of-carol", "carols", more)}
	}
	const key, password, token = "Key", `Basic realm="service"`, `Bearer error="invalid_token"`
	for _, tt := range []struct {
		name      string
		header    map[string]string
		consumer  string
		challenge string
	}{
		{"nothing", nil, "", ""},
		{"a key", map[string]string{"apikey": "annas"}, "anna", ""},
		{"an empty key", map[string]string{"apikey": ""}, "", ""},
		{"a wrong key", map[string]string{"apikey": "annaS"}, "", key},
		{"a key in another header", map[string]string{"x-api-key": "annas"}, "", ""},
		{"a password", basic("bobby:pass:bobs"), "bob", ""},
		{"a password without padding", map[string]string{"authorization": "basic Ym9iYnk6cGFzczpib2Jz"}, "bob", ""},
		{"a wrong password", basic("bobby:pass"), "", password},
		{"an unknown user", basic("bob:pass:bobs"), "", password},
		{"no password", basic("bobby"), "", password},
		{"no base64", map[string]string{"authorization": "Basic !!!"}, "", password},
		{"a token", carols(nil), "carol", ""},
		{"another algorithm", map[string]string{"authorization": "Bearer " + signed(t, jwt.SigningMethodHS512, "c2VjcmV0", "strong", nil)}, "carol", ""},
		{"the algorithm of another secret", map[string]string{"authorization": "Bearer " + signed(t, jwt.SigningMethodHS512, "secret-of-carol", "carols", nil)}, "", token},
		{"a forged token", map[string]string{"authorization": "Bearer " + signed(t, jwt.SigningMethodHS256, "another", "carols", nil)}, "", token},
		{"an unknown issuer", map[string]string{"authorization": "Bearer " + signed(t, jwt.SigningMethodHS256, "secret-of-carol", "x", nil)}, "", token},
		{"the times of clocks that are off", carols(map[string]any{"exp": now - 30, "nbf": now + 30}), "carol", ""},
		{"an end in the past", carols(map[string]any{"exp": now - 90}), "", token},
		{"a start in the future", carols(map[string]any{"nbf": now + 90}), "", token},
		{"an end that is no time", carols(map[string]any{"exp": "never"}), "", token},
		{"no JSON", map[string]string{"authorization": "Bearer a.b.c"}, "", token},
		{"a provider's key", map[string]string{"authorization": "Bearer sk-of-a-provider"}, "", ""},
		{"a provider's key with dots", map[string]string{"authorization": "Bearer sk.of-a.provider!"}, "", ""},
		{"a key and a token", map[string]string{"apikey": "annas", "authorization": carols(nil)["authorization"]}, "anna", ""},
		{"a key and a wrong token", map[string]string{"apikey": "annas", "authorization": "Bearer a.b.c"}, "", token},
	} {
		t.Run(tt.name, func(t *testing.T) {
			verdict := consumers(t).Check(head(tt.header))
			if tt.challenge != "" {
				require.Equal(t, access.CodeInvalidCredential, verdict.Refusal.Code)
				require.Equal(t, 401, verdict.Refusal.Status)
				require.Equal(t, []access.Header{{Name: "www-authenticate", Value: tt.challenge}}, verdict.Refusal.Headers)
				return
			}
			require.Nil(t, verdict.Refusal)
			require.Equal(t, tt.consumer, verdict.Consumer)
			if tt.consumer != "" {
				require.ElementsMatch(t, slices.Collect(maps.Keys(tt.header)), verdict.Spent)
			}
		})
	}
}

// TestATokenInAParameterIsAlwaysACredential, unlike a bearer token.
func TestATokenInAParameterIsAlwaysACredential(t *testing.T) {
	r := head(nil)
	r.Query = "jwt=nonsense"
	require.Equal(t, access.CodeInvalidCredential, code(consumers(t), r))
	r.Query = "jwt=" + signed(t, jwt.SigningMethodHS256, "secret-of-carol", "carols", nil)
	require.Equal(t, "carol", consumers(t).Check(r).Consumer)
}

// TestOnlyKindsThatConsumersHaveAreCredentials: another's token may be for a provider.
func TestOnlyKindsThatConsumersHaveAreCredentials(t *testing.T) {
	header := basic("bobby:wrong")
	verdict := gate(t, "").Check(head(header))
	require.Equal(t, access.Verdict{}, verdict)
	header["apikey"] = "bobs"
	require.Equal(t, access.Verdict{Consumer: "bob", Spent: []string{"apikey"}}, gate(t, "").Check(head(header)))
}

// TestPluginsOfAConsumerWithAnOptionalCredentialApply, and its groups count.
func TestPluginsOfAConsumerWithAnOptionalCredentialApply(t *testing.T) {
	g := gate(t, "- {name: acl, config: {allow: [staff]}}\n- {name: request-termination, consumer: anna, config: {trigger: x-stop}}")
	for key, want := range map[string]string{"annas": "", "bobs": access.CodeNotAllowed, "wrong": access.CodeInvalidCredential, "": access.CodeNoCredential} {
		require.Equal(t, want, code(g, head(map[string]string{"apikey": key})), key)
	}
	require.Equal(t, access.CodeTerminated, code(g, head(map[string]string{"apikey": "annas", "x-stop": "1"})))
}

// TestAConsumerThatTheListenerNamesNeedsNoCredential of this configuration: what the request
// has may be the listener's.
func TestAConsumerThatTheListenerNamesNeedsNoCredential(t *testing.T) {
	r := head(map[string]string{"apikey": "of-the-listener"})
	require.Equal(t, access.CodeInvalidCredential, code(gate(t, ""), r))
	r.Consumer = "bob"
	require.Equal(t, access.Verdict{Consumer: "bob"}, gate(t, "").Check(r))
}

// TestASecretThatIsEmptyAsBase64SignsNothing: anybody could sign with it.
func TestASecretThatIsEmptyAsBase64SignsNothing(t *testing.T) {
	g := access.New(configtest.Load(t, configtest.Minimal+`
- {name: jwt, config: {secret_is_base64: true}}
consumers: [{username: carol, jwt_secrets: [{key: carols, secret: "="}]}]
`, load.Options{}))
	token := signed(t, jwt.SigningMethodHS256, "", "carols", nil)
	require.Equal(t, access.CodeInvalidCredential, code(g, head(map[string]string{"authorization": "Bearer " + token})))
}
