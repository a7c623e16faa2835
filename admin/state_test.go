package admin

import (
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/load"
)

// seedDeck is a decK file with nested entities, shared blocks, and templates in secrets and
// in other fields.
const seedDeck = `_format_version: "3.0"
_plugin_configs:
  base:
    balancer: {algorithm: semantic, retries: 2}
services:
- name: svc
  host: a.test
  routes:
  - name: rt
    paths: [/a]
    headers: {x-env: [prod]}
    plugins:
    - name: ai-proxy-advanced
      config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: gpt-4o, options: {temperature: 1.0}}, auth: {header_name: Authorization, header_value: Bearer SECRET}}]}
consumer_groups:
- name: gold
consumers:
- username: alice
  groups: [{name: gold}]
  keyauth_credentials: [{key: '${{ env "DECK_KEY" }}'}]
  basicauth_credentials: [{username: al, password: SECRET}]
  jwt_secrets: [{key: issuer, secret: SECRET}]
plugins:
- name: ai-proxy-advanced
  consumer_group: gold
  _config: base
  config:
    embeddings: {auth: {header_name: Authorization, header_value: 'Bearer ${{ env "DECK_KEY" }}'}, model: {provider: openai, name: text-embedding-3-small}}
    vectordb: {strategy: redis, distance_metric: cosine, threshold: 0.7, dimensions: 8, redis: {host: '${{ env "DECK_HOST" }}', port: 6379}}
    targets:
    - {route_type: llm/v1/chat, description: a, weight: 3, model: {provider: openai, name: gpt-4o, options: {max_tokens: 9}}, auth: {header_name: Authorization, header_value: 'Bearer $DECK_KEY'}}
    - {route_type: llm/v1/chat, description: CATCHALL, model: {provider: openai, name: m}}
- name: ai-proxy-advanced
  consumer: somebody-else
  config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: gpt-4o}}]}
`

func seedOptions() load.Options {
	return load.Options{Env: variablesOf("DECK_KEY", "sk-from-the-environment", "DECK_HOST", "redis.test")}
}

// reopen closes an API and opens its state again.
func reopen(t *testing.T, s *served, o Options) *served {
	t.Helper()
	require.NoError(t, s.api.Close())
	s.api.store.file = nil // closed
	o.State = s.state
	return serve(t, o)
}

// asDeck returns a configuration as a decK file, which has no positions in other files.
func asDeck(s *served, c *config.Config) string {
	return string(fromConfig(c, s.api.store.kinds).render().data)
}

func TestRestartServesTheSame(t *testing.T) {
	s := serve(t, Options{})
	plantEverywhere(s)
	s.call("POST", "/consumer_groups", `{"name": "gold", "tags": ["x"]}`).is(201)
	s.call("POST", "/consumer_groups/gold/consumers", `{"consumer": "alice"}`).is(201)
	s.call("POST", "/services", `{"name": "svc", "url": "https://a.test"}`).is(201)
	s.call("POST", "/services/svc/routes", `{"name": "r2", "paths": ["/2"]}`).is(201)
	s.call("POST", "/routes/r2/plugins", aPlugin("")).is(201)
	paths := []string{"/services", "/routes", "/consumers", "/consumer_groups", "/consumer_groups/gold", "/plugins", "/key-auths", "/basic-auths", "/jwts", "/config", "/tags"}
	before := map[string]string{}
	for _, path := range paths {
		before[path] = s.call("GET", path, "").is(200).raw
	}
	again := reopen(t, s, Options{})
	for _, path := range paths {
		require.Equal(t, before[path], again.call("GET", path, "").is(200).raw, path)
	}
	require.Equal(t, asDeck(s, s.inForce()), asDeck(s, again.api.Config()))
	again.call("PATCH", "/services/svc", `{"retries": 1}`).is(200)
}

func TestStateIsSeededOnce(t *testing.T) {
	seed := []load.Source{{Name: "kong.yaml", Data: []byte(seedDeck)}}
	s := serve(t, Options{Seed: seed, Load: seedOptions()})
	data, err := os.ReadFile(s.state)
	require.NoError(t, err)
	require.NotContains(t, string(data), "sk-from-the-environment", "references are kept")
	require.Contains(t, string(data), "Bearer $DECK_KEY")
	require.Contains(t, string(data), "redis.test", "references outside of secrets are resolved")
	require.Len(t, s.api.Config().Plugins, 3)
	raw := s.call("GET", "/consumer_groups/gold/plugins", "").is(200).raw
	require.Contains(t, raw, `"header_value":"Bearer $DECK_KEY"`)
	require.NotContains(t, raw, "sk-from")
	require.Len(t, s.call("GET", "/consumers/alice/key-auth", "").data(), 1)
	require.Equal(t, "gold", s.call("GET", "/consumers/alice/consumer_groups", "").data()[0]["name"])
	dangling := s.call("GET", "/plugins", "").raw
	require.Contains(t, dangling, `"consumer":{"name":"somebody-else"}`)

	s.call("DELETE", "/consumers/alice", "").is(204)
	require.NotContains(t, s.log.String(), "the state file exists")
	again := reopen(t, s, Options{Seed: seed, Load: seedOptions()})
	require.Contains(t, again.log.String(), `level=WARN msg="the state file exists; the configuration files are ignored"`)
	again.call("GET", "/consumers/alice", "").is(404)
	again.call("PATCH", "/services/svc", `{"tags": ["later"]}`).is(200)
	for _, p := range again.call("GET", "/plugins", "").data() {
		again.call("PATCH", "/plugins/"+text(p, "id"), `{"tags": ["later"]}`).is(200)
	}
}

func TestTheStateFileMayBeAnyDeckFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.yaml")
	require.NoError(t, os.WriteFile(file, []byte(seedDeck), 0o644))
	s := serve(t, Options{State: file, Load: seedOptions()})
	require.Len(t, s.call("GET", "/plugins", "").data(), 3)
	s.call("POST", "/consumers", `{"username": "bob"}`).is(201)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	cfg, _, err := load.Files(seedOptions(), file)
	require.NoError(t, err)
	require.Len(t, cfg.Consumers, 2)
	require.Len(t, cfg.Plugins, 3)
}

func TestABrokenStateFileIsNotOpened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	const half = `{"plugins": [`
	require.NoError(t, os.WriteFile(file, []byte(half), 0o600))
	_, err := Open(Options{Listen: "127.0.0.1:0", State: file})
	require.ErrorContains(t, err, "read state")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Len(t, data, len(half), "the file is kept as it is")
}

func TestOnlyOneProcessUsesAStateFile(t *testing.T) {
	s := serve(t, Options{})
	_, err := Open(Options{Listen: "127.0.0.1:0", State: s.state})
	require.ErrorContains(t, err, "used by another process")
}

func TestSymbolicLinksToTheStateFileAreKept(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "real.json"), filepath.Join(dir, "link.json")
	require.NoError(t, os.WriteFile(target, []byte(`{"_format_version": "3.0"}`), 0o600))
	require.NoError(t, os.Symlink(target, link))
	s := serve(t, Options{State: link})
	s.call("POST", "/consumers", `{"username": "alice"}`).is(201)
	leads, err := os.Readlink(link)
	require.NoError(t, err)
	require.Equal(t, target, leads)
	data, err := os.ReadFile(target)
	require.NoError(t, err)
	require.Contains(t, string(data), "alice")
}

func TestWithoutAStateTheAPIIsReadOnly(t *testing.T) {
	cfg, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(seedDeck)}}, seedOptions())
	require.NoError(t, err)
	s := serve(t, Options{Config: cfg})
	plugins := s.call("GET", "/plugins", "").is(200).data()
	require.Len(t, plugins, 3)
	s.call("GET", "/plugins/"+text(plugins[0], "id"), "").is(200)
	s.call("GET", "/routes/rt/plugins", "").is(200)
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		for _, path := range []string{"/plugins", "/plugins/x", "/services/svc/plugins", "/consumers/alice/key-auth", "/consumer_groups/gold/consumers"} {
			r := s.call(method, path, aPlugin("")).is(405)
			requireKong(t, r, codeUnsupported, "operation unsupported")
			require.Contains(t, r.raw, "--state")
		}
	}
	s.call("POST", "/schemas/plugins/validate", aPlugin("")).is(200)
	other, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte("consumers: [{username: carol}]")}}, load.Options{})
	require.NoError(t, err)
	s.api.Replace(other)
	require.Empty(t, s.call("GET", "/plugins", "").data())
	s.call("GET", "/consumers/carol", "").is(200)
}

func TestInformation(t *testing.T) {
	s := serve(t, Options{})
	require.Equal(t, "3.16.0", s.call("GET", "/", "").is(200).object()["version"])
	first := s.call("GET", "/status", "").is(200).object()
	require.Equal(t, object{"reachable": true}, first["database"])
	s.call("POST", "/consumers", `{"username": "alice"}`).is(201)
	require.NotEqual(t, first["configuration_hash"], s.call("GET", "/status", "").object()["configuration_hash"])
	require.Subset(t, s.call("GET", "/plugins/enabled", "").is(200).object()["enabled_plugins"], []any{"ai-proxy-advanced"})

	raw := s.call("GET", "/schemas/plugins/ai-proxy-advanced", "").is(200).raw
	for _, want := range []string{
		`{"retries":{"between":[0,32767],"default":5,"type":"integer"}}`, `{"header_value":{"encrypted":true,"referenceable":true,"type":"string"}}`,
		`{"weight":{"between":[1,65535],"default":100,"type":"integer"}}`, `{"service":{"type":"foreign"}}`,
		`{"threshold":{"between":[0,1.7976931348623157e+308],"type":"number"}}`, `{"dimensions":{"between":[1,65536],"required":true,"type":"integer"}}`,
		`{"max_tokens":{"gt":0,"type":"integer"}}`, `{"distance_metric":{"one_of":["cosine","euclidean"],"required":true,"type":"string"}}`,
		`"len_min":1,"required":true,"type":"array"}`,
	} {
		require.Contains(t, raw, want)
	}
	s.call("GET", "/schemas/plugins/other", "").is(404)
	services := s.call("GET", "/schemas/services", "").is(200).raw
	for _, want := range []string{
		`{"host":{"required":true,"type":"string"}}`, `{"port":{"between":[0,65535],"default":80,"type":"integer"}}`, `"default":"http","one_of":["grpc","grpcs","http"`,
	} {
		require.Contains(t, services, want)
	}
	require.Equal(t, "schema validation successful", s.call("POST", "/schemas/plugins/validate", aPlugin("")).is(200).object()["message"])
	s.call("POST", "/schemas/plugins/validate", `{"name": "ai-proxy-advanced", "config": {}}`).is(400)
	s.call("POST", "/schemas/services/validate", `{"name": "x"}`).is(400)
	s.call("POST", "/schemas/services/validate", `{"host": "x"}`).is(200)
	s.call("GET", "/schemas/plugins/validate", "").is(405)
	require.Len(t, s.call("GET", "/consumers", "").data(), 1, "validation stores nothing")
	require.Equal(t, 204, s.call("OPTIONS", "/services", "").status)
	s.call("DELETE", "/status", "").is(405)
}

func TestConcurrentWrites(t *testing.T) {
	s := serve(t, Options{})
	done := make(chan int)
	for i := range 20 {
		go func() {
			r := httptest.NewRequest("POST", "http://localhost/consumers", strings.NewReader(`{"username": "user`+string(rune('a'+i))+`"}`))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			s.api.Handler(s).ServeHTTP(w, r)
			done <- w.Code
		}()
	}
	for range 20 {
		require.Equal(t, 201, <-done)
	}
	require.Len(t, s.call("GET", "/consumers", "").data(), 20)
	require.Len(t, reopen(t, s, Options{}).api.Config().Consumers, 20)
}

func TestValidateRefusesWhatAWriteRefuses(t *testing.T) {
	s := serve(t, Options{})
	s.refuse = errors.New("config.targets[0]: azure_instance: want letters")
	r := s.call("POST", "/schemas/plugins/validate", aPlugin("")).is(400)
	require.Contains(t, r.raw, "azure_instance: want letters")
	require.Empty(t, s.applied)
}
