package kubernetes_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

// TestAnAnnotationFromElsewhereIsForAllRoutesOfAResource: a plugin that guards the first one
// only would let the others pass.
func TestAnAnnotationFromElsewhereIsForAllRoutesOfAResource(t *testing.T) {
	const spec, old = `spec: {rules: [{matches: [{path: {value: /a}}, {path: {value: /b}, method: GET}]}]}`, "konghq.com/plugins: old"
	plugins := configtest.Resource("KongPlugin", "p", "", "plugin: key-auth") + configtest.Resource("KongPlugin", "old", "", "plugin: cors")
	const annotate, alone = "kubectl annotate -n kong --overwrite httproute r konghq.com/plugins=p", "konghq.com/plugins: p"
	ingress := configtest.Resource("Ingress", "r", "", "spec: {rules: [{http: {paths: [{path: /i, pathType: Prefix, backend: {service: {name: s}}}]}}]}")
	for name, tt := range map[string]struct{ before, route, script, after string }{
		"a script":            {"", configtest.Resource("HTTPRoute", "r", "", spec), annotate, ""},
		"another annotation":  {"", configtest.Resource("HTTPRoute", "r", old, spec), annotate, ""},
		"a resource before":   {configtest.Resource("HTTPRoute", "r", alone, ""), configtest.Resource("HTTPRoute", "r", "", spec), "", ""},
		"a resource behind":   {"", configtest.Resource("HTTPRoute", "r", "", spec), "", configtest.Resource("HTTPRoute", "r", alone, "")},
		"beside an Ingress":   {ingress, configtest.Resource("HTTPRoute", "r", "", spec), annotate, ""},
		"its own annotation":  {"", configtest.Resource("HTTPRoute", "r", alone, spec), "", ""},
		"its own, once again": {"", configtest.Resource("HTTPRoute", "r", alone, spec), annotate, ""},
	} {
		c, _, err := load.Sources([]load.Source{
			{Name: "a.yaml", Data: []byte(tt.before + tt.route + tt.after + plugins + globalInstance)}, {Name: "a.sh", Data: []byte("#!/bin/sh\n" + tt.script)},
		}, load.Options{})
		require.NoError(t, err, name)
		var guarded []string
		for _, g := range c.Guarding {
			require.Equal(t, "key-auth", g.Name, name)
			guarded = append(guarded, g.Scope.Route)
		}
		var routes []string
		for _, r := range c.Routes {
			if r.Paths[0] != "~/i$" {
				routes = append(routes, r.Name)
			}
		}
		require.Len(t, routes, 2, name)
		require.ElementsMatch(t, routes, guarded, name)
		require.Len(t, c.Guards(config.Request{Route: routes[1]}), 1, name)
	}
}
