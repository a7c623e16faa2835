package admin

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/load"
	"semlb/config/schema"
	"semlb/wire"
)

// guardBodies are the plugins that guard, with settings that differ from the defaults.
var guardBodies = map[string]string{
	"key-auth":              `{"key_names": ["x-key"], "hide_credentials": true}`,
	"basic-auth":            `{"realm": "models"}`,
	"jwt":                   `{"claims_to_verify": ["exp"], "maximum_expiration": 60}`,
	"acl":                   `{"allow": ["staff"]}`,
	"ip-restriction":        `{"deny": ["10.0.0.0/8"]}`,
	"cors":                  `{"origins": ["https://a.test"], "max_age": 9}`,
	"request-size-limiting": `{"allowed_payload_size": 1}`,
	"request-termination":   `{"status_code": 403, "message": "closed"}`,
}

// aGuard returns the body of a plugin that guards, with extra fields.
func aGuard(name, extra string) string {
	return `{"name": "` + name + `", ` + extra + `"config": ` + guardBodies[name] + `}`
}

// seedScopes makes an entity of every kind, and an instance.
func seedScopes(s *served) {
	s.call("POST", "/services", `{"name": "s", "host": "s.test"}`).is(201)
	s.call("POST", "/services/s/routes", `{"name": "r", "paths": ["/"]}`).is(201)
	s.call("POST", "/consumers", `{"username": "c"}`).is(201)
	s.call("POST", "/consumer_groups", `{"name": "g"}`).is(201)
	s.call("POST", "/plugins", aPlugin("")).is(201)
}

func TestPluginsThatGuardHaveEveryMethodInEveryScope(t *testing.T) {
	ks, err := newKinds(load.Options{})
	require.NoError(t, err)
	require.Subset(t, slices.Collect(maps.Keys(guardBodies)), slices.DeleteFunc(ks.named(plugins).pluginNames(), func(n string) bool { return n == schema.PluginName }))
	parents := map[string]config.Scope{
		"": {}, "/services/s": {Service: "s"}, "/routes/r": {Route: "r"},
		"/consumers/c": {Consumer: "c"}, "/consumer_groups/g": {ConsumerGroup: "g"},
	}
	for name := range guardBodies {
		t.Run(name, func(t *testing.T) {
			s := serve(t, Options{})
			seedScopes(s)
			ofConsumers := slices.Contains([]string{"ip-restriction", "request-size-limiting", "request-termination"}, name)
			for parent, scope := range parents {
				if scope.Consumer+scope.ConsumerGroup != "" && !ofConsumers {
					s.call("POST", parent+"/plugins", aGuard(name, "")).is(400)
					continue
				}
				e := s.call("POST", parent+"/plugins", aGuard(name, `"tags": ["a"], `)).is(201).object()
				require.Equal(t, scope, s.inForce().Guarding[0].Scope)
				require.Equal(t, name, s.inForce().Guarding[0].Name)
				s.call("POST", parent+"/plugins", aGuard(name, "")).is(409)
				at := parent + "/plugins/" + text(e, "id")
				require.Equal(t, e, s.call("GET", at, "").is(200).object())
				require.Equal(t, "off", s.call("PATCH", at, `{"enabled": false, "instance_name": "off"}`).is(200).object()["instance_name"])
				require.False(t, s.inForce().Guarding[0].Enabled)
				require.Equal(t, e["config"], s.call("GET", parent+"/plugins/off", "").is(200).object()["config"])
				replaced := s.call("PUT", at, aGuard(name, "")).is(200).object()
				require.Equal(t, e["config"], replaced["config"])
				require.True(t, s.inForce().Guarding[0].Enabled)
				s.call("DELETE", at, "").is(204)
				require.Empty(t, s.inForce().Guarding)
			}
		})
	}
}

func TestPluginsThatGuardAreShownWithKongsDefaults(t *testing.T) {
	s := serve(t, Options{})
	e := s.send("POST", "/plugins", "application/x-www-form-urlencoded", "name=key-auth&config.key_names=x-key&config.hide_credentials=true").is(201).object()
	require.Equal(t, parsed(t, `{"key_names": ["x-key"], "hide_credentials": true, "anonymous": null, "identity_realms": null,
		"key_in_body": false, "key_in_header": true, "key_in_query": true, "realm": null, "run_on_preflight": true}`), e["config"])
	patched := s.send("PATCH", "/plugins/"+text(e, "id"), "application/x-www-form-urlencoded", "config.key_names[]=a&config.key_names[]=b").is(200).object()
	require.Equal(t, []any{"a", "b"}, patched["config"].(object)["key_names"])
	require.Equal(t, true, patched["config"].(object)["hide_credentials"])

	require.Equal(t, []any{
		"acl", "ai-proxy-advanced", "basic-auth", "cors", "ip-restriction", "jwt", "key-auth", "request-size-limiting", "request-termination",
	}, s.call("GET", "/plugins/enabled", "").is(200).object()["enabled_plugins"])
	require.Equal(t, []any{"key-auth"}, s.call("GET", "/", "").is(200).object()["plugins"].(object)["enabled_in_cluster"])
	require.Contains(t, s.call("GET", "/schemas/plugins/key-auth", "").is(200).raw, `"run_on_preflight"`)
	s.call("GET", "/schemas/plugins/oauth2", "").is(404)
	s.call("POST", "/schemas/plugins/validate", aGuard("jwt", "")).is(200)
	s.call("POST", "/schemas/plugins/validate", `{"name": "jwt", "config": {"key_names": ["a"]}}`).is(400)
	s.call("POST", "/schemas/plugins/validate", `{"name": "oauth2"}`).is(400)
	for _, anonymous := range []string{"nobody", "6f1f9cc4-8a4d-4f2b-9d6c-1f4b7b0f0a11"} { // other entities take no part
		s.call("POST", "/schemas/plugins/validate", `{"name": "jwt", "config": {"anonymous": "`+anonymous+`"}}`).is(200)
	}
	s.call("POST", "/plugins", `{"name": "jwt", "config": {"anonymous": "nobody"}}`).is(400)
}

// TestASettingThatIsNotServedIsRefusedWhereItGuards: it is kept while it guards nothing.
func TestASettingThatIsNotServedIsRefusedWhereItGuards(t *testing.T) {
	s := serve(t, Options{})
	id := text(s.call("POST", "/plugins", `{"name": "key-auth", "config": {"key_in_body": true}}`).is(201).object(), "id")
	f := requireKong(t, s.call("POST", "/plugins", aPlugin("")).is(400), codeSchemaViolation, "schema violation")
	require.Contains(t, string(toJSON(f, "")), "plugins "+id+": config.key_in_body: not supported yet: keys in bodies")
	s.call("PATCH", "/plugins/"+id, `{"config": {"key_in_body": false}}`).is(200)
	s.call("POST", "/plugins", aPlugin("")).is(201)
	s.call("PATCH", "/plugins/"+id, `{"config": {"key_in_body": true}}`).is(400)
}

func TestACLGroupsBelongToTheirConsumers(t *testing.T) {
	s := serve(t, Options{})
	for _, name := range []string{"anna", "bob"} {
		s.call("POST", "/consumers", `{"username": "`+name+`"}`).is(201)
		s.call("POST", "/consumers/"+name+"/acls", `{"group": "staff"}`).is(201)
	}
	requireKong(t, s.call("POST", "/consumers/anna/acls", `{"group": "staff"}`).is(409), codeUnique, "unique constraint violation")
	id := text(s.call("GET", "/consumers/anna/acls/staff", "").is(200).object(), "id")
	require.NotEqual(t, id, text(s.call("GET", "/consumers/bob/acls/staff", "").is(200).object(), "id"))
	require.Len(t, s.call("GET", "/acls", "").is(200).data(), 2)
	require.Len(t, s.call("GET", "/consumers/anna/acls", "").is(200).data(), 1)
	s.call("GET", "/acls/staff", "").is(404)
	require.Equal(t, id, text(s.call("PATCH", "/consumers/anna/acls/staff", `{"tags": ["a"]}`).is(200).object(), "id"))
	require.Equal(t, id, text(s.call("PUT", "/consumers/anna/acls/staff", `{}`).is(200).object(), "id"))
	s.call("PUT", "/consumers/anna/acls/gold", `{}`).is(200)
	s.call("DELETE", "/consumers/bob/acls/"+id, "").is(404)
	s.call("DELETE", "/consumers/anna/acls/staff", "").is(204)
	require.Equal(t, "anna", s.call("GET", "/acls/"+text(s.call("GET", "/consumers/anna/acls/gold", "").object(), "id")+"/consumer", "").is(200).object()["username"])

	again := reopen(t, s, Options{})
	groups := map[string]string{}
	for _, c := range again.api.Config().Consumers {
		require.Len(t, c.ACLs, 1)
		groups[c.Username] = c.ACLs[0].Group
	}
	require.Equal(t, map[string]string{"anna": "gold", "bob": "staff"}, groups)
}

func TestPluginsThatGuardSurviveARestart(t *testing.T) {
	s := serve(t, Options{})
	seedScopes(s)
	for name := range guardBodies {
		s.call("POST", "/routes/r/plugins", aGuard(name, `"instance_name": "`+name+`", `)).is(201)
	}
	s.call("POST", "/consumers/c/basic-auth", `{"username": "u", "password": "planted"}`).is(201)
	require.NotContains(t, s.call("GET", "/consumers/c/basic-auth", "").raw, "planted")
	before, shown := s.inForce().Guarding, s.call("GET", "/plugins", "").is(200).raw
	require.Len(t, before, len(guardBodies))

	again := reopen(t, s, Options{})
	after := again.api.Config().Guarding
	for i := range after {
		require.Equal(t, before[i].Settings, after[i].Settings)
		require.Equal(t, before[i].Scope, after[i].Scope)
	}
	require.Equal(t, shown, again.call("GET", "/plugins", "").is(200).raw)
}

func TestAStateMayBeginWithFilesThatHavePluginsThatGuard(t *testing.T) {
	const file = `_format_version: "3.0"
services:
- name: s
  plugins: [{name: key-auth, config: {key_names: [x-key], anonymous: nobody}}, {name: acl, config: {allow: [staff]}}]
consumers: [{username: nobody}, {username: anna, acls: [{group: staff}], keyauth_credentials: [{key: $ANNA}]}]
consumer_groups:
- name: gold
  plugins: [{name: ip-restriction, config: {allow: [127.0.0.1]}}]
plugins:
- {name: key-auth, enabled: false, config: {key_in_body: true}}
`
	source := load.Source{Name: "kong.yaml", Data: []byte(file)}
	env := load.Options{Env: variablesOf("ANNA", "annas-key")}
	want, _, err := load.Sources([]load.Source{source}, env)
	require.NoError(t, err)
	s := serve(t, Options{Seed: []load.Source{source}, Load: env})
	shown := s.call("GET", "/config", "").is(200).raw
	require.Contains(t, shown, `"key_in_body":true`, "what is not served stays while it guards nothing")
	require.Contains(t, shown, `$ANNA`)
	for _, got := range [][]config.GuardPlugin{s.api.Config().Guarding, reopen(t, s, Options{Load: env}).api.Config().Guarding} {
		require.Len(t, got, len(want.Guarding))
		for _, g := range want.Guarding {
			i := slices.IndexFunc(got, func(o config.GuardPlugin) bool { return o.Name == g.Name && o.Enabled == g.Enabled })
			require.NotEqual(t, -1, i, g.Name)
			require.Equal(t, g.Settings, got[i].Settings)
			require.Equal(t, g.Scope, got[i].Scope)
		}
	}
}

func TestAReadOnlyAPIShowsPluginsThatGuard(t *testing.T) {
	c, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte("plugins: [{name: ip-restriction, config: {allow: [127.0.0.1]}}]\nconsumers: [{username: a, acls: [{group: x}]}]")}}, load.Options{})
	require.NoError(t, err)
	s := serve(t, Options{Config: c})
	require.Equal(t, []any{"127.0.0.1"}, s.call("GET", "/plugins", "").is(200).data()[0]["config"].(object)["allow"])
	require.Equal(t, "x", s.call("GET", "/consumers/a/acls/x", "").is(200).object()["group"])
	s.call("POST", "/consumers/a/acls", `{"group": "y"}`).is(405)
	s.call("POST", "/plugins", aGuard("acl", "")).is(405)
}

// TestAPluginToBeIgnoredIsKept: it never runs, and any of its texts may be a credential.
func TestAPluginToBeIgnoredIsKept(t *testing.T) {
	ignoring := load.Options{IgnoredPlugins: []string{"oauth2", "our-own"}}
	s := serve(t, Options{Load: ignoring, Token: wire.NewSecret("token")})
	s.header.Set("Kong-Admin-Token", "token")
	seeded := s.call("POST", "/plugins", `{"name": "oauth2", "config": {"scopes": ["email"], "provision_key": "planted", "token_expiration": 7}}`).is(201)
	require.Equal(t, parsed(t, `{"provision_key": "[redacted]", "scopes": ["[redacted]"], "token_expiration": 7}`), seeded.object()["config"])
	s.call("POST", "/plugins", aPlugin("")).is(201)
	id := text(seeded.object(), "id")
	require.Empty(t, s.inForce().Guarding)
	s.call("PATCH", "/plugins/"+id, `{"config": {"mandatory_scope": true}}`).is(200)
	s.call("PUT", "/plugins/"+id, `{"name": "oauth2", "config": {"provision_key": "[redacted]", "mandatory_scope": true}}`).is(200)
	require.Contains(t, s.call("GET", "/plugins/"+id+"?export=secrets", "").raw, `"provision_key":"planted"`)
	require.NotContains(t, s.call("GET", "/config", "").raw, "planted")
	require.Contains(t, s.call("GET", "/schemas/plugins/oauth2", "").is(200).raw, `"config"`)

	again := reopen(t, s, Options{Load: ignoring, Token: wire.NewSecret("token")}).with("Kong-Admin-Token", "token")
	require.Contains(t, again.call("GET", "/plugins", "").raw, `"oauth2"`)
	require.NoError(t, again.api.Close())
	_, err := Open(Options{State: s.state, Listen: "127.0.0.1:8001"})
	require.ErrorContains(t, err, `plugin "oauth2" guards an ai-proxy-advanced`)
	again.api.store.file = nil
}
