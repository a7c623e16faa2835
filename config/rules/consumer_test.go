package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
	"semlb/config/load"
)

// TestNoTwoCredentialsAreTheSame: Envoy would refuse the listener, and say the key in
// clear; or a request would be of two consumers.
func TestNoTwoCredentialsAreTheSame(t *testing.T) {
	env := configtest.Environment(map[string]string{"ONE": configtest.Marker, "TWO": configtest.Marker, "DECK_KEY": configtest.Marker, "OTHER": "other"})
	for _, tt := range []struct{ name, first, second, want string }{
		{
			"keys", "keyauth_credentials: [{key: unseen-MARKER}]", "keyauth_credentials: [{key: other}, {key: unseen-MARKER}]",
			"kong.yaml:5: consumers[1].keyauth_credentials[1].key: got a second credential with the same key, first consumers[0].keyauth_credentials[0].key at kong.yaml:3",
		},
		{
			"keys behind references", "keyauth_credentials: [{key: $ONE}]", `keyauth_credentials: [{key: "{vault://env/two}"}]`,
			"kong.yaml:5: consumers[1].keyauth_credentials[0].key: got a second credential with the same key, first consumers[0].keyauth_credentials[0].key at kong.yaml:3",
		},
		{
			"a key and a template", "keyauth_credentials: [{key: unseen-MARKER}]", "keyauth_credentials: [{key: '${{ env \"DECK_KEY\" }}'}]",
			"kong.yaml:5: consumers[1].keyauth_credentials[0].key: got a second credential with the same key, first consumers[0].keyauth_credentials[0].key at kong.yaml:3",
		},
		{
			"keys of one consumer", "keyauth_credentials: [{key: unseen-MARKER}, {key: $ONE}]", "tags: [x]",
			"kong.yaml:3: consumers[0].keyauth_credentials[1].key: got a second credential with the same key, first consumers[0].keyauth_credentials[0].key at kong.yaml:3",
		},
		{
			"user names", "basicauth_credentials: [{username: unseen-MARKER, password: a}]", "basicauth_credentials: [{username: unseen-MARKER, password: b}]",
			"kong.yaml:5: consumers[1].basicauth_credentials[0].username: got a second credential with the same user name, first consumers[0].basicauth_credentials[0].username at kong.yaml:3",
		},
		{
			"issuers", "jwt_secrets: [{key: unseen-MARKER, secret: a}]", "jwt_secrets: [{key: unseen-MARKER, secret: b}]",
			"kong.yaml:5: consumers[1].jwt_secrets[0].key: got a second credential with the same key, first consumers[0].jwt_secrets[0].key at kong.yaml:3",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "consumers:\n- username: anna\n  " + tt.first + "\n- username: bob\n  " + tt.second + "\n"
			_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{Env: env})
			require.EqualError(t, err, tt.want)
			require.NotContains(t, err.Error(), configtest.Marker)
		})
	}
}

func TestCredentialsThatDifferLoad(t *testing.T) {
	configtest.Load(t, `consumers:
- username: anna
  keyauth_credentials: [{key: same}]
  basicauth_credentials: [{username: same, password: $SAME}]
  jwt_secrets: [{key: same, secret: $SAME}]
- username: bob
  keyauth_credentials: [{key: $OTHER}]
  basicauth_credentials: [{username: Same, password: $SAME}]
  jwt_secrets: [{key: other, secret: $SAME}]
`, load.Options{Env: configtest.Environment(map[string]string{"SAME": "same", "OTHER": "other"})})
	_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(
		"consumers: [{username: a, keyauth_credentials: [{key: $ONE}]}, {username: b, keyauth_credentials: [{key: $TWO}]}]",
	)}}, load.Options{AllowUnset: true})
	require.NoError(t, err, "nothing is known of variables without a value")
}

func TestCredentialsThatEnvoyWouldRefuseAreFaults(t *testing.T) {
	for credential, want := range map[string]string{
		`basicauth_credentials: [{username: "unseen-MARKER:b", password: p}]`:  `basicauth_credentials[0].username: got a string [redacted], want a user name without colons`,
		`basicauth_credentials: [{username: "unseen-MARKER\nb", password: p}]`: `basicauth_credentials[0].username: got a control character, want a name without any`,
		`jwt_secrets: [{key: a}]`: `jwt_secrets[0].secret: got nothing, want a value with algorithm HS256`,
		`jwt_secrets: [{key: a, algorithm: RS256, secret: unseen-MARKER}]`: `jwt_secrets[0].rsa_public_key: got nothing, want a value with algorithm RS256`,
	} {
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte("consumers:\n- username: a\n  " + credential)}}, load.Options{})
		require.EqualError(t, err, "kong.yaml:3: consumers[0]."+want)
	}
}
