package admin

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/load"
	"semlb/config/schema"
	"semlb/wire"
)

const planted = "sk-planted-marker"

// withSecrets returns a value of a field in which every secret is a marker. It counts the
// secrets.
func withSecrets(f *schema.Field, count *int) any {
	switch {
	case f.Secret:
		*count++
		return fmt.Sprintf("%s-%d", planted, *count)
	case f.Type() == "record":
		o := object{}
		for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
			if v := withSecrets(f.Fields[name], count); v != nil {
				o[name] = v
			}
		}
		if len(o) == 0 {
			return nil
		}
		return o
	case f.Type() == "array":
		if v := withSecrets(f.Elements, count); v != nil {
			return []any{v, v}
		}
	}
	return nil
}

func TestEverySecretFieldIsRedacted(t *testing.T) {
	total := 0
	kinds, err := newKinds(load.Options{})
	require.NoError(t, err)
	for _, k := range kinds {
		count := 0
		v := withSecrets(k.fields, &count)
		require.NotContains(t, string(toJSON(redact(k.fields, v), "")), planted, k.name)
		restored, violations := restore(k.fields, redact(k.fields, v), v, nil)
		require.Empty(t, violations)
		require.Equal(t, v, restored, "redacted values that are sent back stand for the stored ones")
		_, violations = restore(k.fields, redact(k.fields, v), nil, nil)
		total += count
		if count > 0 {
			require.NotEmpty(t, violations)
		}
	}
	require.Greater(t, total, 20, "the plugin has many and each credential one")
}

// plantEverywhere writes marked secrets into every field with a secret, and returns all
// responses.
func plantEverywhere(s *served) []reply {
	settings := `{"balancer": {"algorithm": "semantic"},
		"embeddings": {"auth": {"header_name": "Authorization", "header_value": "Bearer ` + planted + `"}, "model": {"provider": "openai", "name": "m"}},
		"vectordb": {"strategy": "redis", "distance_metric": "cosine", "dimensions": 4, "threshold": 0.5,
			"redis": {"host": "localhost", "password": "` + planted + `"}},
		"targets": [{"route_type": "llm/v1/chat", "description": "d", "model": {"provider": "openai", "name": "gpt-4o"},
			"auth": {"header_name": "Authorization", "header_value": "Bearer ` + planted + `",
				"param_name": "key", "param_value": "` + planted + `", "param_location": "query"}}]}`
	plugin := `{"name": "ai-proxy-advanced", "config": ` + settings + `}`
	var all []reply
	call := func(method, path, body string) reply {
		r := s.call(method, path, body)
		all = append(all, r)
		return r
	}
	call("POST", "/consumers", `{"username": "alice"}`).is(201)
	id := text(call("POST", "/plugins", plugin).is(201).object(), "id")
	call("POST", "/consumers/alice/key-auth", `{"key": "`+planted+`"}`).is(201)
	call("POST", "/consumers/alice/key-auth", `{"key": "`+planted+`"}`).is(409)
	call("POST", "/consumers/alice/basic-auth", `{"username": "al", "password": "`+planted+`"}`).is(201)
	call("POST", "/consumers/alice/jwt", `{"key": "issuer", "secret": "`+planted+`"}`).is(201)
	call("POST", "/routes", `{"name": "rt", "headers": {"Authorization": ["`+planted+`"], "x-a": ["seen"]}}`).is(201)
	call("PATCH", "/plugins/"+id, `{"tags": ["x"]}`).is(200)
	call("PUT", "/plugins/"+id, plugin).is(200)
	call("POST", "/plugins", plugin).is(409)
	call("POST", "/schemas/plugins/validate", plugin).is(200)
	// Invalid values that contain the secret.
	for _, auth := range []string{
		`{"header_name": "Authorization", "header_value": ["` + planted + `"]}`, `{"header_value": "` + planted + `"}`,
		`{"header_name": "Authorization", "header_value": {"x": "` + planted + `"}}`, `{"header_valu": "` + planted + `"}`,
		`"` + planted + `"`, `{"header_name": "` + planted + `:", "header_value": "` + planted + `"}`, `{"allow_override": "` + planted + `"}`,
	} {
		wrong := strings.Replace(plugin, `{"header_name": "Authorization", "header_value": "Bearer `+planted+`"}`, auth, 1)
		call("POST", "/plugins", wrong).is(400)
		call("PATCH", "/plugins/"+id, `{"config": {"embeddings": {"auth": `+auth+`}}}`)
	}
	call("POST", "/consumers/alice/key-auth", `{"key": ["`+planted+`"]}`).is(400)
	call("POST", "/consumers/alice/basic-auth", `{"password": "`+planted+`"}`).is(400)
	for _, path := range []string{
		"/plugins", "/plugins/" + id, "/consumers", "/consumers/alice/key-auth", "/key-auths", "/basic-auths", "/jwts", "/routes",
		"/routes/rt", "/consumers/alice/plugins", "/config", "/config?export=secrets", "/plugins?export=secrets", "/", "/status", "/tags",
		"/schemas/plugins/ai-proxy-advanced", "/consumers/alice/basic-auth/al",
	} {
		call("GET", path, "")
	}
	return all
}

func TestSecretsAreInNoResponseAndNoLog(t *testing.T) {
	s := serve(t, Options{})
	for _, r := range plantEverywhere(s) {
		require.NotContains(t, r.raw, planted)
	}
	require.NotContains(t, s.log.String(), planted)
	require.Contains(t, s.log.String(), "admin write")
	data, err := os.ReadFile(s.state)
	require.NoError(t, err)
	require.Contains(t, string(data), planted, "the state file has them")
	info, err := os.Stat(s.state)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestExportNeedsAToken(t *testing.T) {
	s := serve(t, Options{Token: wire.NewSecret("the-token")})
	s.call("GET", "/config?export=secrets", "").is(401)
	authorised := s.with("Authorization", "Bearer the-token")
	plantEverywhere(authorised)
	require.NotContains(t, authorised.call("GET", "/config", "").is(200).raw, planted)
	require.Contains(t, authorised.call("GET", "/config?export=secrets", "").is(200).raw, planted)
	require.Contains(t, authorised.call("GET", "/key-auths?export=secrets", "").is(200).raw, planted)
	authorised.call("GET", "/config?export=all", "").is(403)

	_, _, err := load.Sources([]load.Source{{Name: "export.json", Data: []byte(authorised.call("GET", "/config?export=secrets", "").raw)}}, load.Options{})
	require.NoError(t, err, "an export is a decK file")
	open := serve(t, Options{})
	open.call("GET", "/config?export=secrets", "").is(403)
}

func TestGeneratedCredentialsAreShownOnce(t *testing.T) {
	s := serve(t, Options{})
	s.call("POST", "/consumers", `{"username": "alice"}`).is(201)
	for _, body := range []string{"", "{}", `{"tags": ["a"]}`} {
		created := s.call("POST", "/consumers/alice/key-auth", body).is(201).object()
		key := text(created, "key")
		require.Greater(t, len(key), 20)
		require.NotContains(t, s.call("GET", "/key-auths", "").raw, key)
		require.Equal(t, wire.Redacted, s.call("PATCH", "/key-auths/"+text(created, "id"), `{"tags": ["b"]}`).is(200).object()["key"])
		require.Equal(t, created["id"], s.call("GET", "/consumers/alice/key-auth/"+key, "").is(200).object()["id"])
		require.NotContains(t, s.log.String(), key)
	}
	require.Len(t, s.inForce().Consumers[0].KeyAuth, 3)
	jwt := s.call("POST", "/consumers/alice/jwt", "").is(201).object()
	require.Equal(t, s.inForce().Consumers[0].JWTSecrets[0].Secret.Reveal(), jwt["secret"])
	require.NotContains(t, s.call("GET", "/jwts", "").raw, jwt["secret"])
	require.Equal(t, wire.Redacted, s.call("POST", "/consumers/alice/jwt", `{"secret": "mine"}`).is(201).object()["secret"])
}

// Only package config resolves references.
func TestCredentialsThatResolveToTheSameValueAreAConflict(t *testing.T) {
	s := serve(t, Options{})
	s.call("POST", "/consumers", `{"username": "alice"}`).is(201)
	key := text(s.call("POST", "/consumers/alice/key-auth", `{"key": "$OPENAI_API_KEY"}`).is(201).object(), "id")
	current := s.api.store.snapshot().state
	fault := config.Fault{Path: "consumers[0].keyauth_credentials[0].key", Problem: "got a second credential with the same key, first elsewhere"}
	var e *apiError
	err := rejection(current.render(), edit{written: current.get(keyAuths, key)}, config.Faults{fault})
	require.ErrorAs(t, err, &e)
	require.Equal(t, 409, e.status)
	require.Equal(t, "UNIQUE violation detected on '{key=\"$OPENAI_API_KEY\"}'", e.message)
}

func TestReferencesStayReferences(t *testing.T) {
	s := serve(t, Options{})
	for i, ref := range []string{"Bearer $OPENAI_API_KEY", "Bearer '$OPENAI_API_KEY'", "{vault://env/openai-api-key}"} {
		name := fmt.Sprintf("c%d", i)
		s.call("POST", "/consumers", `{"username": "`+name+`"}`).is(201)
		raw := s.call("POST", "/consumers/"+name+"/plugins", strings.Replace(aPlugin(""), "Bearer sk-planted", ref, 1)).is(201).raw
		require.Contains(t, raw, `"header_value":"`+ref+`"`)
		data, err := os.ReadFile(s.state)
		require.NoError(t, err)
		require.Contains(t, string(data), ref)
		require.NotContains(t, string(data), "sk-from-the-environment")
	}
	for _, p := range s.inForce().Plugins {
		require.Contains(t, p.Settings.Targets[0].Auth.HeaderValue.Reveal(), "sk-from-the-environment")
	}
	s.call("POST", "/plugins", strings.Replace(aPlugin(""), "Bearer sk-planted", "Bearer $UNSET", 1)).is(400)
	mixed := s.call("POST", "/plugins", strings.Replace(aPlugin(""), "Bearer sk-planted", "sk-planted $OPENAI_API_KEY", 1)).is(201).raw
	require.NotContains(t, mixed, "sk-planted")
}

func TestTemplatesInRequestsAreText(t *testing.T) {
	s := serve(t, Options{})
	s.call("POST", "/consumers", `{"username": "${{ env \"DECK_HOME\" }}"}`).is(201)
	require.Equal(t, `${{ env "DECK_HOME" }}`, s.inForce().Consumers[0].Username)
}

func TestRedactedValuesSentBackKeepTheStoredOnes(t *testing.T) {
	s := serve(t, Options{})
	target := func(model, key string) string {
		return `{"route_type": "llm/v1/chat", "model": {"provider": "` + model + `", "name": "m"` +
			map[bool]string{true: `, "options": {"mistral_format": "openai"}`}[model == "mistral"] + `},
			"auth": {"header_name": "Authorization", "header_value": "` + key + `"}}`
	}
	body := func(targets ...string) string {
		return `{"name": "ai-proxy-advanced", "config": {"targets": [` + strings.Join(targets, ",") + `]}}`
	}
	stored := func() []string {
		var keys []string
		for _, t := range s.inForce().Plugins[0].Settings.Targets {
			keys = append(keys, t.Auth.HeaderValue.Reveal())
		}
		return keys
	}
	s.call("POST", "/plugins", body(target("openai", wire.Redacted))).is(400)
	created := s.call("POST", "/plugins", body(target("openai", "k-openai"), target("mistral", "k-mistral"))).is(201)
	at := "/plugins/" + text(created.object(), "id")

	// A client may send the whole response back.
	s.call("PUT", at, created.raw).is(200)
	require.Equal(t, []string{"k-openai", "k-mistral"}, stored())
	s.call("PATCH", at, body(target("openai", wire.Redacted), target("mistral", "k-new"))).is(200)
	require.Equal(t, []string{"k-openai", "k-new"}, stored())
	// If the order changes, credentials stay with their providers.
	s.call("PUT", at, body(target("mistral", wire.Redacted), target("openai", wire.Redacted))).is(200)
	require.Equal(t, []string{"k-new", "k-openai"}, stored())
	s.call("PUT", at, body(target("deepseek", wire.Redacted))).is(400)
	require.Equal(t, []string{"k-new", "k-openai"}, stored())

	s.call("POST", "/consumers", `{"username": "alice"}`).is(201)
	key := s.call("POST", "/consumers/alice/key-auth", `{"key": "the-key"}`).is(201)
	s.call("PUT", "/key-auths/"+text(key.object(), "id"), key.raw).is(200)
	require.Equal(t, "the-key", s.inForce().Consumers[0].KeyAuth[0].Key.Reveal())
}

func TestFilesAreShownRedacted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kong.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(seedDeck, "SECRET", planted)), 0o600))
	options := load.Options{Env: variablesOf("DECK_KEY", planted+"-env", "DECK_HOST", "redis.test")}
	cfg, _, err := load.Files(options, file)
	require.NoError(t, err)
	s := serve(t, Options{Config: cfg, Token: wire.NewSecret("t")}).with("Authorization", "Bearer t")
	for _, path := range []string{"/plugins", "/consumers/alice/key-auth", "/config", "/config?export=secrets", "/plugins?export=secrets"} {
		require.NotContains(t, s.call("GET", path, "").is(200).raw, planted, path)
	}
}

// TestErrorsHoldNoKeyWhereverAClientPutsIt puts a key where a name or a value belongs.
func TestErrorsHoldNoKeyWhereverAClientPutsIt(t *testing.T) {
	s := serve(t, Options{})
	for at, bodies := range map[string][]string{
		"/plugins": {
			`{"name": "KEY"}`, `{"name": "ai-proxy-advanced", "KEY": 1}`, aPlugin(`"consumer": {"username": "KEY"}, `), aPlugin(`"instance_name": ["KEY"], `),
			`{"name": "ai-proxy-advanced", "config": {"response_streaming": "KEY", "targets": [{"route_type": "KEY", "weight": "KEY", "KEY": "KEY", "model": {"provider": "KEY"}}]}}`,
		},
		"/services":  {`{"host": "a", "port": "KEY"}`, `{"host": "a", "protocol": "KEY"}`, `{"url": "KEY"}`, `{"KEY": {"KEY": "KEY"}}`},
		"/routes":    {`{"name": "a", "protocols": ["KEY"]}`, `{"paths": ["KEY"]}`, `{"paths": ["/"], "service": {"name": "KEY"}}`, `{"methods": ["KEY"]}`},
		"/consumers": {`{"KEY": "KEY"}`, `{"username": ["KEY"]}`, `"KEY"`, `KEY`},
	} {
		for _, body := range bodies {
			r := s.call("POST", at, strings.ReplaceAll(body, "KEY", planted)).is(400)
			require.NotContains(t, r.raw, planted, body)
		}
	}
}
