package faults_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// askAsConsumers uses the consumer's credentials, right and wrong.
func (v *vaultUser) askAsConsumers() {
	key, password := v.markers["consumer.keyauth_credentials[].key"], v.markers["consumer.basicauth_credentials[].password"]
	basic := func(user string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	token := signed(v.markers["consumer.jwt_secrets[].secret"])
	for _, h := range []http.Header{{"Apikey": {key}}, {"Authorization": {basic("al")}}, {"Authorization": {"Bearer " + token}}, {}} {
		for _, prompt := range []string{code, cooking} {
			require.Equal(v.t, http.StatusOK, v.ask(prompt, h).Status)
		}
	}
	for _, h := range []http.Header{{"Apikey": {key + "x"}}, {"Authorization": {basic("someone")}}, {"Authorization": {"Bearer " + token + "x"}}, {"Apikey": {key, key}}} {
		require.Equal(v.t, http.StatusUnauthorized, v.ask(code, h).Status)
	}
}

// signed is a token of the consumer's issuer.
func signed(secret string) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(`{"iss":"issuer"}`))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

// askForFailures has targets and embedder fail, the embedder with its own key in its
// words.
func (v *vaultUser) askForFailures() {
	for _, b := range []harness.Behaviour{harness.Status(429), harness.Status(400), harness.Reset(), harness.Garbage(), harness.Hang()} {
		v.cook1.Do(b)
		v.ask(cooking)
	}
	v.cook1.Do(harness.OK())
	for i, status := range []int{401, 429, 500} {
		key := v.markers["config.embeddings.auth.header_value"]
		v.e.Do(text(status, fmt.Sprintf(`{"error":{"message":"incorrect key %s","code":%q}}`, key, key)))
		v.ask(fmt.Sprintf("an unknown program, %d", i))
	}
	v.e.recover()
	v.keep(v.request(v.t.Context(), strings.NewReader(`{"model":`)))
}

// askAdmin asks the Admin API for everything, including what it does not serve, and
// without a token.
func (v *vaultUser) askAdmin() {
	token := http.Header{"Kong-Admin-Token": {v.markers["SEMLB_ADMIN_TOKEN"]}}
	paths := []string{"/", "/status", "/config", "/config?export=secrets", "/tags", "/schemas/plugins/ai-proxy-advanced", "/nowhere"}
	for _, collection := range []string{
		"services", "routes", "consumers", "consumer_groups", "plugins", "key-auths", "basic-auths", "jwts",
		"consumers/alice/key-auth", "consumers/alice/basic-auth", "consumers/alice/jwt", "consumers/alice/plugins",
	} {
		paths = append(paths, "/"+collection, "/"+collection+"?export=secrets")
		var list struct{ Data []struct{ ID string } }
		require.NoError(v.t, json.Unmarshal([]byte(v.askAdminFor("GET", "/"+collection, "", token).Body), &list), collection)
		for _, e := range list.Data {
			paths = append(paths, "/"+collection+"/"+e.ID)
		}
	}
	require.Greater(v.t, len(paths), 36, "there are entities")
	for _, path := range paths {
		v.askAdminFor("GET", path, "", token)
		v.askAdminFor("GET", path, "", http.Header{})
		v.askAdminFor("GET", "/v2/control-planes/x/core-entities"+path, "", http.Header{"Authorization": {"Bearer " + v.markers["KONNECT_TOKEN"]}})
	}
	d := v.document()
	for _, path := range append(v.supported, v.unsupported...) {
		v.plant(d, path, func(m string) any { return []any{m} })
	}
	for kind, path := range map[string]string{"plugins": "/plugins", "consumers": "/consumers"} {
		body, err := json.Marshal(d[kind].([]any)[0])
		require.NoError(v.t, err)
		require.Equal(v.t, http.StatusMethodNotAllowed, v.askAdminFor("POST", path, string(body), token).Status)
	}
	plugin, err := json.Marshal(d["plugins"].([]any)[0])
	require.NoError(v.t, err)
	require.Equal(v.t, http.StatusBadRequest, v.askAdminFor("POST", "/schemas/plugins/validate", string(plugin), token).Status)
}

func (v *vaultUser) askAdminFor(method, path, body string, headers http.Header) harness.Answer {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.api+path, strings.NewReader(body))
	require.NoError(v.t, err)
	r.Header.Set("Content-Type", "application/json")
	maps.Copy(r.Header, headers)
	return v.keep(r)
}
