package load_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
	"semlb/wire"
)

func TestEntitiesReachTheModel(t *testing.T) {
	env := configtest.Environment(map[string]string{"ANNA_PASSWORD": "unseen-MARKER-2", "JWT_SECRET": "unseen-MARKER-3"})
	c := configtest.Load(t, configtest.EveryEntity, load.Options{Env: env})
	require.Equal(t, []config.Service{{
		ID: "1c1c1c1c-0000-4000-8000-000000000001", Name: "llm", Enabled: true, Position: config.Position{File: "kong.yaml", Line: 3, Column: 3},
	}}, c.Services)
	require.Equal(t, config.Route{
		Name: "chat", Service: "llm",
		Hosts: []string{"llm.example.com", "*.example.com"}, Paths: []string{"/chat", "~/v[0-9]+/chat$"},
		Methods: []string{"POST"}, Headers: map[string][]string{"x-team": {"a", "b"}},
		RegexPriority: 7, Protocols: []string{"https"}, RedirectStatus: 426, Position: config.Position{File: "kong.yaml", Line: 8, Column: 5},
	}, c.Routes[0])
	require.Equal(t, "llm", c.Routes[1].Service)
	require.True(t, c.Routes[1].StripPath)
	require.Equal(t, []string{"http", "https"}, c.Routes[1].Protocols)
	anna := c.Consumers[0]
	require.Equal(t, []string{"gold", "silver"}, anna.Groups)
	require.Equal(t, []string{"silver"}, c.Consumers[1].Groups)
	require.Equal(t, "a-1", anna.CustomID)
	require.Equal(t, "unseen-MARKER", anna.KeyAuth[0].Key.Reveal())
	require.Equal(t, "unseen-MARKER-2", anna.BasicAuth[0].Password.Reveal())
	require.Equal(t, config.JWTSecret{Key: "issuer", Algorithm: "HS256", Secret: wire.NewSecret("unseen-MARKER-3")}, anna.JWTSecrets[0])
	require.Len(t, c.ConsumerGroups, 2)
	require.NotContains(t, configtest.EveryWayToPrint(t, c), configtest.Marker)
}

func TestNamesAndIdsAreOneEntity(t *testing.T) {
	settings := "\n  config: {targets: [{model: {provider: openai, name: m}, route_type: llm/v1/chat}]}\n"
	text := "services:\n- {name: one, id: uuid-1}\nplugins:\n- name: ai-proxy-advanced\n  service: {id: uuid-1}" + settings
	c := configtest.Load(t, text, load.Options{})
	require.Equal(t, config.Scope{Service: "one"}, c.Plugins[0].Scope)
	p, ok := c.Find(config.Request{Service: "uuid-1"})
	require.True(t, ok)
	require.Same(t, &c.Plugins[0], p)
	_, _, err := load.Sources([]load.Source{
		{Name: "a.yaml", Data: []byte(text)},
		{Name: "b.yaml", Data: []byte("plugins:\n- name: ai-proxy-advanced\n  service: one" + settings)},
	}, load.Options{})
	require.EqualError(t, err, "b.yaml:2: plugins[0]: got a second ai-proxy-advanced of the same scope, first at a.yaml:4")
}

func TestFaultyEntitiesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"services: [{name: a}, {name: b, id: a}]":                       "kong.yaml:1: services[1]: got a second service of the same name or id, first at kong.yaml:1",
		"routes: [{paths: [/]}]":                                        "kong.yaml:1: routes[0]: got neither a name nor an id, want one of them",
		"routes: [{name: r, snis: [a], expression: 'x'}]":               "kong.yaml:1: routes[0].snis: not supported yet: matching routes by this field\nkong.yaml:1: routes[0].expression: not supported yet: matching routes by this field",
		"routes: [{name: r, headers: {a: b}}]":                          "kong.yaml:1: routes[0].headers.a: got a string, want a list",
		"routes: [{name: r, path: /}]":                                  `kong.yaml:1: routes[0].path: unknown field, did you mean "paths"?`,
		"services: [{nmae: a, plugins: [{}]}]":                          "kong.yaml:1: services[0].nmae: unknown field, did you mean \"name\"?\nkong.yaml:1: services[0].plugins[0].name: got nothing, want ai-proxy-advanced",
		"consumers: [{username: a, keyauth_credentials: [{key: [x]}]}]": "kong.yaml:1: consumers[0].keyauth_credentials[0].key: got a list, want a non-empty string",
		"consumers: [{username: a, oauth2_credentials: [{name: x}]}]":   "kong.yaml:1: consumers[0].oauth2_credentials: not supported yet: credentials of this kind",
		"consumers: [a]": "kong.yaml:1: consumers[0]: got a string, want an object",
		configtest.Minimal + "  consumer: a\n  consumer_group: g\n": "kong.yaml:2: plugins[0]: got a consumer and a consumer_group, want one of them",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{})
		require.EqualError(t, err, want)
	}
}
