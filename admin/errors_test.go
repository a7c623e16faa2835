package admin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"semlb/config/load"
)

// requireKong fails unless a body is an error as Kong writes it.
func requireKong(t *testing.T, r reply, code int, name string) object {
	t.Helper()
	o := r.object()
	require.ElementsMatch(t, []string{"code", "name", "message", "fields"}, keys(o), r.raw)
	require.Equal(t, code, number(r, "code"))
	require.Equal(t, name, o["name"])
	f, ok := o["fields"].(object)
	require.True(t, ok)
	return f
}

func keys(o object) []string {
	all := []string{}
	for name := range o {
		all = append(all, name)
	}
	return all
}

func TestViolationsAreReportedByField(t *testing.T) {
	s := serve(t, Options{})
	r := s.call("POST", "/plugins", `{"name": "ai-proxy-advanced", "enabled": 3, "config": {
		"balancer": {"failtimeout": 5, "retries": "many"},
		"targets": [
			{"route_type": "llm/v1/chat", "model": {"provider": "openai"}},
			{"route_type": "llm/v1/chat", "weight": 0, "model": {"provider": "nobody"}}
		]}}`).is(400)
	f := requireKong(t, r, codeSchemaViolation, "schema violation")
	require.Contains(t, f, "enabled")
	balancer := f["config"].(object)["balancer"].(object)
	require.Equal(t, `unknown field, did you mean "fail_timeout"?`, balancer["failtimeout"])
	require.Contains(t, balancer["retries"], "want")
	targets := f["config"].(object)["targets"].([]any)
	require.Nil(t, targets[0])
	require.Equal(t, "got 0, want 1 to 65535", targets[1].(object)["weight"])
	require.Contains(t, targets[1].(object)["model"].(object), "provider")
	require.True(t, strings.HasPrefix(text(r.object(), "message"), "5 schema violations ("), r.raw)
	require.Contains(t, text(r.object(), "message"), "config.targets[1].weight: got 0, want 1 to 65535")
	require.Empty(t, s.call("GET", "/plugins", "").data(), "nothing is stored")
}

func TestInvalidEntitiesAreRefused(t *testing.T) {
	s := serve(t, Options{})
	for _, tt := range []struct{ name, at, body, field, want string }{
		{"a service without a host", "/services", `{"name": "a"}`, "host", missing},
		{"a service with a bad url", "/services", `{"url": "nowhere"}`, "url", "missing host in url"},
		{"a route that matches nothing", "/routes", `{"name": "a"}`, "@entity", "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'"},
		{"a consumer without names", "/consumers", `{}`, "@entity", "at least one of these fields must be non-empty: 'custom_id', 'username'"},
		{"a group without a name", "/consumer_groups", `{}`, "name", missing},
		{"a plugin without a name", "/plugins", `{"config": {}}`, "name", missing},
		{"a plugin that is not run", "/plugins", `{"name": "http-log"}`, "name", "plugin 'http-log' not enabled; add it to the 'plugins' configuration property"},
		{"a plugin that guards and is not served", "/plugins", `{"name": "oauth2"}`, "name", "plugin 'oauth2' is not supported yet; to keep it without running it, start semlb with --ignore-plugin oauth2"},
		{"a misspelt plugin that guards", "/plugins", `{"name": "key-auht"}`, "name", "did you mean \"key-auth\"?"},
		{"a setting of a plugin that guards", "/plugins", `{"name": "ip-restriction", "config": {"allow": ["10.0.0.0/99"]}}`, "config", "an IP address or a network"},
		{"an unknown field", "/consumers", `{"username": "a", "user": 1}`, "user", "unknown field"},
		{"a path with an invalid regular expression", "/routes", `{"name": "a", "paths": ["/fine", "~/re("]}`, "paths", "missing closing )"},
		{"a path with a lookahead", "/routes", `{"name": "a", "paths": ["~/x(?!y)"]}`, "paths", "a regular expression of RE2"},
		{"a path without a slash", "/routes", `{"name": "a", "paths": ["v1"]}`, "paths", `"/" or "~/" at its start`},
		{"a header with an invalid regular expression", "/routes", `{"name": "a", "headers": {"x": ["~*("]}}`, "headers", "missing closing )"},
		{"a host with two wildcards", "/routes", `{"name": "a", "hosts": ["*.a.*"]}`, "hosts", "leftmost or rightmost label"},
		{"a protocol without a listener", "/routes", `{"name": "a", "paths": ["/"], "protocols": ["grpc"]}`, "protocols", "grpc is not supported yet"},
		{"a name with a line feed", "/services", `{"host": "a", "name": "a\nb"}`, "name", "a name without any"},
		{"a group with an escape", "/consumer_groups", `{"name": "\u001b[31m"}`, "name", "a name without any"},
		{"a wrong type", "/services", `{"host": "a", "port": "http"}`, "port", "want"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := requireKong(t, s.call("POST", tt.at, tt.body).is(400), codeSchemaViolation, "schema violation")
			require.Contains(t, fmt.Sprint(f[tt.field]), tt.want)
		})
	}
	for _, body := range []string{`{`, `[]`, `"x"`, `{"username": "a", "username": "b"}`, `{"a": ` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`} {
		require.JSONEq(t, `{"message": "Cannot parse JSON body"}`, s.call("POST", "/consumers", body).is(400).raw)
	}
	s.call("POST", "/consumers", `{"username": "`+strings.Repeat("x", maxBody)+`"}`).is(413)
	require.Empty(t, s.call("GET", "/consumers", "").data())
}

func TestNamesThatLookLikeIndicesAreNames(t *testing.T) {
	s := serve(t, Options{})
	for _, name := range []string{"x[999999999]", "tags[999999999]", "a.b[5]", "[7]", "tags[-1]", ".", ""} {
		r := s.call("POST", "/consumers", `{"username": "a", "tags": ["b"], "`+name+`": 1}`).is(400)
		require.Less(t, len(r.raw), 500, name)
		require.Equal(t, codeSchemaViolation, number(r, "code"))
	}
	r := s.send("POST", "/consumers", "application/x-www-form-urlencoded", "username=%ff").is(400)
	require.Contains(t, r.raw, "UTF-8")
	s.call("PUT", "/consumers/%ff", `{}`).is(404)
}

func TestReferencesToUnknownEntitiesAreRefused(t *testing.T) {
	s := serve(t, Options{})
	const id = "6f1f9cc4-8a4d-4f2b-9d6c-1f4b7b0f0a11"
	f := requireKong(t, s.call("POST", "/plugins", aPlugin(`"service": {"id": "`+id+`"}, `)).is(400), codeForeignKey, "foreign key violation")
	require.Equal(t, object{"service": object{"id": id}}, f)
	f = requireKong(t, s.call("POST", "/plugins", aPlugin(`"consumer": {"username": "nobody"}, `)).is(400), codeUnresolved, "foreign keys unresolved")
	require.Contains(t, f["consumer"].(object)["username"], "cannot be resolved")
	s.call("POST", "/plugins", aPlugin(`"route": "rt", `)).is(400)
	s.call("POST", "/plugins", aPlugin(`"route": {}, `)).is(400)
}

func TestDuplicatesAreConflicts(t *testing.T) {
	s := serve(t, Options{})
	s.call("POST", "/services", `{"name": "a", "host": "a.test"}`).is(201)
	f := requireKong(t, s.call("POST", "/services", `{"name": "a", "host": "b.test"}`).is(409), codeUnique, "unique constraint violation")
	require.Equal(t, object{"name": "a"}, f)
	s.call("POST", "/services", `{"name": "b", "host": "b.test"}`).is(201)
	s.call("PATCH", "/services/b", `{"name": "a"}`).is(409)
	s.call("PATCH", "/services/b", `{"name": "c"}`).is(200)
	s.call("POST", "/consumers", `{"username": "alice", "custom_id": "c1"}`).is(201)
	s.call("POST", "/consumers", `{"username": "bob", "custom_id": "c1"}`).is(409)
	s.call("POST", "/consumers", `{"username": "c1"}`).is(409)
	s.call("POST", "/plugins", aPlugin("")).is(201)
	r := s.call("POST", "/plugins", aPlugin("")).is(409)
	require.Equal(t, `UNIQUE violation detected on '{consumer=null,consumer_group=null,name="ai-proxy-advanced",route=null,service=null}'`, r.object()["message"])
	s.call("POST", "/services/a/plugins", aPlugin("")).is(201)
	moved := text(s.call("POST", "/consumers/alice/plugins", aPlugin("")).is(201).object(), "id")
	s.call("PATCH", "/plugins/"+moved, `{"consumer": null}`).is(409)
	s.call("POST", "/plugins", aPlugin(`"enabled": "x", `)).is(400)
}

func TestAPluginCannotHaveBothConsumerAndGroup(t *testing.T) {
	s := serve(t, Options{})
	s.call("POST", "/consumers", `{"username": "alice"}`).is(201)
	s.call("POST", "/consumer_groups", `{"name": "gold"}`).is(201)
	f := requireKong(t, s.call("POST", "/consumers/alice/plugins", aPlugin(`"consumer_group": {"name": "gold"}, `)).is(400), codeSchemaViolation, "schema violation")
	require.Contains(t, f, "@entity")
}

func TestRefusedChangesAreNotStored(t *testing.T) {
	s := serve(t, Options{})
	s.call("POST", "/consumers", `{"username": "alice"}`).is(201)
	before, err := os.ReadFile(s.state)
	require.NoError(t, err)
	s.refusing(errors.New("no cluster for it"))
	r := s.call("POST", "/consumers", `{"username": "bob"}`).is(400)
	require.Contains(t, r.raw, "no cluster for it")
	s.refusing(fmt.Errorf("wait for Envoy: %w", context.DeadlineExceeded))
	s.call("POST", "/consumers", `{"username": "bob"}`).is(500)
	s.refusing(nil)
	require.Len(t, s.call("GET", "/consumers", "").data(), 1)
	after, err := os.ReadFile(s.state)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestStatusHasTheReasonWhyAChangeIsNotInForce(t *testing.T) {
	s := serve(t, Options{})
	status := func() object {
		o, _ := s.call("GET", "/status", "").is(200).object()["configuration"].(object)
		return o
	}
	require.Equal(t, object{"refused": nil}, status())
	s.mu.Lock()
	s.refused = errors.New("kong.yaml:3: no such thing")
	s.mu.Unlock()
	require.Equal(t, object{"refused": "kong.yaml:3: no such thing"}, status())
}

func TestEnvoysReasonIsNotShownToClients(t *testing.T) {
	s := serve(t, Options{})
	s.refusing(fmt.Errorf("wait for Envoy: %w", ErrRefused))
	r := s.call("POST", "/consumers", `{"username": "bob"}`).is(400)
	require.Contains(t, r.raw, "envoy rejected the configuration; the reason is in the log of semlb and at /status of the status port")
}

func TestAChangeIsRolledBackIfTheStateCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.Mkdir(dir, 0o700))
	s := serve(t, Options{State: filepath.Join(dir, "state.json")})
	s.call("POST", "/consumers", `{"username": "alice"}`).is(201)
	// A directory blocks the temporary file.
	blocker := filepath.Join(dir, ".state.json.new")
	require.NoError(t, os.MkdirAll(filepath.Join(blocker, "x"), 0o700))
	s.call("POST", "/consumers", `{"username": "bob"}`).is(500)
	require.Len(t, s.call("GET", "/consumers", "").data(), 1)
	require.Len(t, s.inForce().Consumers, 1, "the previous configuration is in force again")
	require.NoError(t, os.RemoveAll(blocker))
	s.call("POST", "/consumers", `{"username": "bob"}`).is(201)
}

func TestWritesAreCounted(t *testing.T) {
	r := prometheus.NewRegistry()
	s := serve(t, Options{})
	r.MustRegister(s.api.Collector())
	s.call("POST", "/consumers", `{"username": "alice"}`).is(201)
	s.call("POST", "/consumers", `{}`).is(400)
	s.call("POST", "/consumers/alice/key-auth", `{"key": "k"}`).is(201)
	s.call("POST", "/made-up/by-a-client", `{}`).is(404)
	s.call("GET", "/consumers", "").is(200)
	families, err := r.Gather()
	require.NoError(t, err)
	require.Len(t, families, 1)
	require.Equal(t, "semlb_admin_writes_total", families[0].GetName())
	got := map[string]float64{}
	for _, m := range families[0].GetMetric() {
		var labels []string
		for _, l := range m.GetLabel() {
			labels = append(labels, l.GetValue())
		}
		got[strings.Join(labels, " ")] = m.GetCounter().GetValue()
	}
	require.Equal(t, map[string]float64{
		"consumers applied": 1, "consumers refused": 1, "key-auths applied": 1, "other refused": 1,
	}, got)
}

// The resolved key is not shown.
func TestKeysAreComparedWithResolvedReferences(t *testing.T) {
	const key = "sk-MARKER-of-both"
	s := serve(t, Options{Load: load.Options{Env: func(string) (string, bool) { return key, true }}})
	for _, name := range []string{"anna", "bob"} {
		s.call("POST", "/consumers", `{"username": "`+name+`"}`).is(201)
	}
	s.call("POST", "/consumers/anna/key-auth", `{"key": "{vault://env/one}"}`).is(201)
	r := s.call("POST", "/consumers/bob/key-auth", `{"key": "{vault://env/two}"}`).is(409)
	require.Equal(t, object{"key": "{vault://env/two}"}, requireKong(t, r, codeUnique, "unique constraint violation"))
	require.NotContains(t, r.raw, key)
	require.Empty(t, s.call("GET", "/consumers/bob/key-auth", "").data())
}
