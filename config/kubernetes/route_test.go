package kubernetes_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

func TestIngressesBecomeRoutes(t *testing.T) {
	text := configtest.Resource("Ingress", "i", `konghq.com/plugins: p, konghq.com/methods: "get,POST", konghq.com/headers.x-team: "a,b", konghq.com/strip-path: "true", konghq.com/preserve-host: "false", konghq.com/regex-priority: "7", konghq.com/protocols: https, konghq.com/https-redirect-status-code: "308", konghq.com/tags: x`, `spec:
  rules:
  - host: a.example
    http:
      paths:
      - {path: /chat, pathType: Prefix, backend: {service: {name: llm}}}
      - {path: /exact.x, pathType: Exact, backend: {service: {name: llm}}}
      - {path: "/~/v[0-9]+", pathType: ImplementationSpecific, backend: {service: {name: other}}}
  - http:
      paths:
      - {path: /plain, pathType: ImplementationSpecific, backend: {service: {name: llm}}}
  defaultBackend: {service: {name: rest}}`)
	c := configtest.Load(t, text+configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig), load.Options{})
	base := config.Route{
		Name: "kong/i", Service: "kong/llm", Hosts: []string{"a.example"}, Paths: []string{"~/chat$", "/chat/", `~/exact\.x$`},
		Methods: []string{"GET", "POST"}, Headers: map[string][]string{"x-team": {"a", "b"}},
		StripPath: true, RegexPriority: 7, Protocols: []string{"https"}, RedirectStatus: 308, Tags: []string{"x"},
	}
	second, third, rest := base, base, base
	second.Name, second.Service, second.Paths = "kong/i.2", "kong/other", []string{"~/v[0-9]+"}
	third.Name, third.Hosts, third.Paths = "kong/i.3", nil, []string{"/plain"}
	rest.Name, rest.Service, rest.Hosts, rest.Paths = "kong/i.4", "kong/rest", nil, nil
	require.Equal(t, []config.Route{base, second, third, rest}, configtest.Placeless(c.Routes))
	require.Equal(t, []config.Scope{{Route: "kong/i"}, {Route: "kong/i.2"}, {Route: "kong/i.3"}, {Route: "kong/i.4"}}, configtest.ScopesOf(c))
}

func TestHTTPRoutesBecomeRoutes(t *testing.T) {
	text := configtest.Resource("HTTPRoute", "r", "", `spec:
  hostnames: [a.example, "*.b.example"]
  rules:
  - matches:
    - path: {type: PathPrefix, value: /}
    - path: {type: Exact, value: /x}
    - path: {type: RegularExpression, value: "/v[0-9]"}
      method: POST
    - headers: [{name: x-a, value: one}, {name: x-b, type: RegularExpression, value: "t.*"}]
    backendRefs: [{name: llm}]
  - backendRefs: [{name: other, namespace: far}, {name: more}]`) +
		configtest.Resource("Ingress", "r", "", "")
	c, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{})
	require.NoError(t, err)
	require.Equal(t, "kong.yaml:18: spec.rules[1].backendRefs: only the first backend determines the service of the route", warnings[0].String())
	hosts := []string{"a.example", "*.b.example"}
	want := []config.Route{
		{Name: "kong/r", Service: "kong/llm", Hosts: hosts, Paths: []string{"/", "~/x$"}},
		{Name: "kong/r.2", Service: "kong/llm", Hosts: hosts, Paths: []string{"~/v[0-9]"}, Methods: []string{"POST"}},
		{Name: "kong/r.3", Service: "kong/llm", Hosts: hosts, Paths: []string{"/"}, Headers: map[string][]string{"x-a": {"one"}, "x-b": {"~*t.*"}}},
		{Name: "kong/r.4", Service: "far/other", Hosts: hosts},
		{Name: "kong/r.ingress"},
	}
	for i := range want {
		want[i].PreserveHost, want[i].Protocols, want[i].RedirectStatus = true, []string{"http", "https"}, 426
	}
	require.Equal(t, want, configtest.Placeless(c.Routes))
}

func TestWhatRoutesAskForAndDoNotGetIsAFault(t *testing.T) {
	for spec, want := range map[string]string{
		"spec: {rules: [{matches: [{queryParams: [{name: a}]}]}]}":    "kong.yaml:8: spec.rules[0].matches[0].queryParams: not supported yet: query parameter matches",
		"spec: {rules: [{matches: [{path: {type: Odd, value: /}}]}]}": `kong.yaml:8: spec.rules[0].matches[0].path.type: got string "Odd", want PathPrefix, Exact or RegularExpression`,
	} {
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.Resource("HTTPRoute", "r", "", spec))}}, load.Options{})
		require.EqualError(t, err, want)
	}
	_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.Resource("Ingress", "r", "konghq.com/strip-path: maybe", "spec: {rules: [{http: {paths: [{path: /, pathType: Odd}]}}]}"))}}, load.Options{})
	require.EqualError(t, err, "kong.yaml:7: strip_path: got string \"maybe\", want true or false\n"+
		`kong.yaml:8: spec.rules[0].http.paths[0].path: got string "Odd", want Prefix, Exact or ImplementationSpecific`)
}

func TestFiltersOfARuleBindPluginsToItsRoutes(t *testing.T) {
	ignoring := load.Options{IgnoredPlugins: []string{"gone"}}
	text := configtest.Resource("HTTPRoute", "r", "konghq.com/plugins: q", `spec:
  rules:
  - matches: [{path: {value: /a}}, {method: POST}]
    filters:
    - {type: ExtensionRef, extensionRef: {group: configuration.konghq.com, kind: KongPlugin, name: p}}
    - {type: URLRewrite, urlRewrite: {hostname: x.example}}
    - {type: ExtensionRef, extensionRef: {group: configuration.konghq.com, kind: KongPlugin, name: gone}}
  - matches: [{path: {value: /b}}]
    backendRefs: [{name: llm, filters: [{type: RequestHeaderModifier}]}]`) +
		configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig) +
		configtest.Resource("KongPlugin", "q", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig)
	_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, ignoring)
	require.EqualError(t, err, "kong.yaml:32: got a second ai-proxy-advanced of the same scope, first at kong.yaml:18", "the first rule's routes have both")

	c, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(strings.Replace(text, "konghq.com/plugins: q", "", 1))}}, ignoring)
	require.NoError(t, err)
	require.Equal(t, []config.Scope{{Route: "kong/r"}, {Route: "kong/r.2"}}, configtest.ScopesOf(c))
	var texts []string
	for _, w := range warnings {
		texts = append(texts, w.String())
	}
	require.Equal(t, []string{
		`kong.yaml:13: spec.rules[0].filters[1]: filter "URLRewrite" is not run`,
		"kong.yaml:16: spec.rules[1].backendRefs[0].filters: filters of a backend are ignored: targets replace the backend",
		`kong.yaml:14: spec.rules[0].filters[2].extensionRef.name: a filter of HTTPRoute "r" names the plugin "gone", which is not in the files; it is ignored: requests are served without it`,
		`kong.yaml:14: spec.rules[0].filters[2].extensionRef.name: a filter of HTTPRoute "r" names the plugin "gone", which is not in the files; it is ignored: requests are served without it`,
		`kong.yaml:32: KongPlugin "q" is not attached to anything`,
	}, texts)
}

func TestFiltersThatCannotBeLeftOutAreFaults(t *testing.T) {
	for filter, want := range map[string]string{
		"{type: RequestRedirect, requestRedirect: {scheme: https}}":                               "not supported yet: rules that redirect",
		"{type: ExtensionRef, extensionRef: {group: example.com, kind: Waf, name: w}}":            "got an ExtensionRef to something else, want group configuration.konghq.com, kind KongPlugin and a name",
		"{type: ExtensionRef, extensionRef: {group: configuration.konghq.com, kind: KongPlugin}}": "got an ExtensionRef to something else, want group configuration.konghq.com, kind KongPlugin and a name",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.Resource("HTTPRoute", "r", "", "spec: {rules: [{filters: ["+filter+"]}]}"))}}, load.Options{})
		require.EqualError(t, err, "kong.yaml:8: spec.rules[0].filters[0]: "+want)
	}
}

func TestIngressesNameTheirClassInTheirSpec(t *testing.T) {
	ingress := func(annotations, spec string) string {
		return configtest.Resource("Ingress", "i", annotations, "spec: {"+spec+"}")
	}
	for name, tt := range map[string]struct {
		text, warning string
	}{
		"of another class":     {ingress("", "ingressClassName: nginx"), `kong.yaml:8: spec.ingressClassName: resource "Ingress" of another ingress class is ignored`},
		"of the class":         {ingress("", "ingressClassName: kong"), ""},
		"the annotation first": {ingress("kubernetes.io/ingress.class: kong", "ingressClassName: nginx"), ""},
	} {
		c, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(tt.text)}}, load.Options{})
		require.NoError(t, err, name)
		if tt.warning != "" {
			require.Empty(t, c.Routes, name)
			require.Equal(t, tt.warning, warnings[0].String(), name)
			continue
		}
		require.Len(t, c.Routes, 1, name)
	}
}
