package deck_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/load"
)

func TestDefaultsOfFilesApplyToEntities(t *testing.T) {
	c, warnings, err := load.Sources([]load.Source{
		{Name: "a.yaml", Data: []byte(`routes:
- {name: top, paths: [/top]}
services:
- name: s
  routes:
  - {name: nested, hosts: [own.example], protocols: [http, https]}
plugins:
- {name: ai-proxy-advanced, config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: m}}]}}
`)},
		{Name: "b.yaml", Data: []byte(`_info:
  select_tags: [team]
  defaults:
    route: {protocols: [https], hosts: [default.example], tags: [t]}
    service: {enabled: false}
    upstream: {slots: 100}
`)},
		{Name: "c.yaml", Data: []byte(`_info: {defaults: {route: {protocols: [http], https_redirect_status_code: 301}}}`)},
	}, load.Options{})
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.False(t, c.Services[0].Enabled)
	top, nested := c.Routes[1], c.Routes[0]
	require.Equal(t, []string{"default.example"}, top.Hosts)
	require.Equal(t, []string{"https"}, top.Protocols, "the first file's")
	require.Equal(t, 301, top.RedirectStatus)
	require.Equal(t, []string{"t"}, top.Tags)
	require.Equal(t, []string{"own.example"}, nested.Hosts)
	require.Equal(t, []string{"http", "https"}, nested.Protocols)
	require.Equal(t, 301, nested.RedirectStatus)
}

func TestFaultsOfDefaults(t *testing.T) {
	for text, want := range map[string]string{
		"_info: {defaults: {plugins: {}}}":                                 "a.yaml:1: _info.defaults.plugins: unknown field",
		"_info: {default: {}}":                                             `a.yaml:1: _info.default: unknown field, did you mean "defaults"?`,
		"_info: {defaults: {route: [1]}}":                                  "a.yaml:1: _info.defaults.route: got a list, want an object",
		"_info: {defaults: 1}":                                             "a.yaml:1: _info.defaults: got an integer, want an object",
		"_info: {defaults: {route: {protocol: [x]}}}\nroutes: [{name: r}]": `a.yaml:1: routes[0].protocol: unknown field, did you mean "protocols"?`,
	} {
		_, _, err := load.Sources([]load.Source{{Name: "a.yaml", Data: []byte(text)}}, load.Options{})
		require.EqualError(t, err, want)
	}
}
