package config

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
)

// withoutPlaces returns instances without their positions, to be compared.
func withoutPlaces(c *Config) []Plugin {
	var plugins []Plugin
	for _, p := range c.Plugins {
		p.Position = Position{}
		p.Settings.Targets = append([]Target(nil), p.Settings.Targets...)
		for i := range p.Settings.Targets {
			p.Settings.Targets[i].Position = Position{}
		}
		plugins = append(plugins, p)
	}
	return plugins
}

const manyFields = `plugins:
- name: ai-proxy-advanced
  instance_name: "yes"
  enabled: no
  tags: [a, "1"]
  route: r
  consumer: c
  config:
    balancer: {algorithm: semantic, retries: 0, read_timeout: 0x10}
    embeddings:
      auth: {header_name: Authorization, header_value: "{vault://env/some-key}"}
      model: {provider: openai, name: e, options: {upstream_url: "http://localhost:1/${x}?a=%{b}"}}
    vectordb: {strategy: redis, dimensions: 3, distance_metric: cosine, redis: {port: "6380", ssl: on, password: 'in "clear" \text'}}
    targets:
    - model: {provider: openai, name: "4", options: {temperature: 1.0, top_p: .5}}
      route_type: llm/v1/chat
      description: "a: b # c\nnext"
      auth: {header_name: Authorization, header_value: 'Bearer ${{ env "DECK_KEY" }}', param_name: p, param_location: query, param_value: $KEY}
- name: ai-proxy-advanced
  config:
    targets:
    - {model: {provider: vllm, options: {upstream_url: http://localhost}}, route_type: llm/v1/completions}
`

// anyVariable gives every variable a value that follows from its name, whichever
// format asks for it.
func anyVariable(name string) (string, bool) {
	name = strings.ToUpper(strings.TrimPrefix(strings.TrimPrefix(name, "DECK_"), "TF_VAR_"))
	if name == "NUMBER" {
		return "7", true
	}
	return "sk-" + name, true
}

// alike returns what a configuration says without places and without what the
// way through Kubernetes cannot keep.
func alike(c *Config, kubernetes bool) *Config {
	same := &Config{Plugins: withoutPlaces(c), Routes: placeless(slices.Clone(c.Routes))}
	same.Services, same.Consumers, same.ConsumerGroups = slices.Clone(c.Services), slices.Clone(c.Consumers), slices.Clone(c.ConsumerGroups)
	for i := range same.Services {
		same.Services[i].Position = Position{}
	}
	for i := range same.ConsumerGroups {
		same.ConsumerGroups[i].Position = Position{}
	}
	for i := range same.Consumers {
		same.Consumers[i].Position = Position{}
	}
	if kubernetes {
		forgetIDs(same)
	}
	slices.SortFunc(same.Services, func(a, b Service) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	slices.SortFunc(same.Routes, func(a, b Route) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	slices.SortFunc(same.Consumers, func(a, b Consumer) int { return strings.Compare(a.Username+a.ID, b.Username+b.ID) })
	slices.SortFunc(same.ConsumerGroups, func(a, b ConsumerGroup) int { return strings.Compare(a.Name, b.Name) })
	return same
}

// forgetIDs leaves ids out, which Kubernetes has none of.
func forgetIDs(c *Config) {
	for i := range c.Services {
		c.Services[i].Name, c.Services[i].ID, c.Services[i].Enabled = firstOf(c.Services[i].Name, c.Services[i].ID), "", true
	}
	for i := range c.Routes {
		c.Routes[i].Name, c.Routes[i].ID = firstOf(c.Routes[i].Name, c.Routes[i].ID), ""
	}
	for i := range c.Consumers {
		c.Consumers[i].ID = ""
	}
	for i := range c.ConsumerGroups {
		c.ConsumerGroups[i].ID = ""
	}
	for i := range c.Plugins {
		c.Plugins[i].ID = ""
	}
}

// sourceOf returns what a conversion wrote as a file of its format.
func sourceOf(format Format, data []byte) []Source {
	name := map[Format]string{FormatTerraform: "got.tf", FormatAdmin: "got.sh", FormatKonnect: "got.sh"}[format]
	return []Source{{Name: firstOf(name, "got.yaml"), Data: data}}
}

const clusterFile = `
apiVersion: v1
kind: Service
metadata: {name: llm, namespace: kong, annotations: {konghq.com/plugins: p}}
spec: {ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: chat, namespace: kong, annotations: {konghq.com/plugins: "q", konghq.com/methods: "POST", konghq.com/headers.x-a: "1,2"}}
spec:
  rules:
  - {host: a.example, http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: llm, port: {number: 80}}}}]}}
  - {host: b.example, http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: llm, port: {number: 80}}}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: open, namespace: kong}
spec: {hostnames: [c.example], rules: [{backendRefs: [{name: llm}]}]}
---
apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: {name: anna, namespace: kong, annotations: {konghq.com/plugins: "q"}}
username: anna
credentials: [anna-key]
consumerGroups: [gold]
---
apiVersion: configuration.konghq.com/v1beta1
kind: KongConsumerGroup
metadata: {name: gold}
---
apiVersion: v1
kind: Secret
metadata: {name: anna-key, namespace: kong, labels: {konghq.com/credential: key-auth}}
stringData: {key: sk-ANNA_KEY_KEY}
---
apiVersion: v1
kind: Secret
metadata: {name: openai, namespace: kong}
stringData: {value: '"sk-OPENAI_VALUE"'}
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: p, namespace: kong, annotations: {konghq.com/tags: "a,b"}}
plugin: ai-proxy-advanced
config: {targets: [{model: {provider: openai, name: m}, route_type: llm/v1/chat, auth: {header_name: Authorization}}]}
configPatches: [{path: /targets/0/auth/header_value, valueFrom: {secretKeyRef: {name: openai, key: value}}}]
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: q, namespace: kong}
plugin: ai-proxy-advanced
disabled: true
config: {targets: [{model: {provider: openai, name: n}, route_type: llm/v1/chat}]}
`

// conversions are sources of every format.
func conversions() map[string][]Source {
	return map[string][]Source{
		"many fields": {{Name: "a.yaml", Data: []byte(manyFields)}},
		"entities": {{Name: "a.yaml", Data: []byte(strings.ReplaceAll(everyEntity, "sk-MARKER", `${{ env "DECK_ANNA" }}`) + `plugins:
- name: ai-proxy-advanced
  service: llm
  consumer_group: gold
  id: 1c1c1c1c-0000-4000-8000-000000000009
  config: {targets: [{model: {provider: openai, name: 'it''s "m"'}, route_type: llm/v1/chat, description: "$(headers.x) 'y' $z"}]}
`)}},
		"terraform": {{Name: "a.tf", Data: []byte(`
variable "key" {}
resource "konnect_gateway_service" "s" { name = "llm" }
resource "konnect_gateway_route" "r" {
  name    = "chat"
  paths   = ["/chat", "~/v[0-9]+"]
  headers = { x-team = ["a", "b"] }
  service = { id = konnect_gateway_service.s.id }
}
resource "konnect_gateway_consumer" "anna" { username = "anna" }
resource "konnect_gateway_key_auth" "k" {
  consumer_id = konnect_gateway_consumer.anna.id
  key         = var.key
}
` + tfPlugin("route = { id = konnect_gateway_route.r.id }\n consumer = { id = konnect_gateway_consumer.anna.id }", ""))}},
		"cluster": {{Name: "a.yaml", Data: []byte(clusterFile)}},
		"script":  {{Name: "a.sh", Data: []byte(script)}},
	}
}

// TestConversionsLoadToTheSame goes from every format to every other, and on to
// every other.
func TestConversionsLoadToTheSame(t *testing.T) {
	t.Parallel()
	for name, source := range conversions() {
		t.Run(name, func(t *testing.T) {
			want, _, err := Load(source, Options{Env: anyVariable})
			require.NoError(t, err)
			for _, first := range Formats() {
				if first == FormatKubernetes && name == "script" {
					continue // a variable outside of a secret, see below
				}
				out := convert(t, source, first)
				requireSame(t, want, out, first)
				for _, second := range Formats() {
					if second == FormatKubernetes && name == "script" {
						continue
					}
					again := convert(t, sourceOf(first, out), second)
					requireSame(t, want, again, second, first)
				}
			}
		})
	}
}

func convert(t *testing.T, source []Source, to Format) []byte {
	t.Helper()
	out, _, err := Convert(source, to, Options{})
	require.NoError(t, err)
	require.NotContains(t, string(out), "sk-", "a value of the environment")
	return out
}

// requireSame says that a converted configuration says what another one says.
func requireSame(t *testing.T, want *Config, out []byte, formats ...Format) {
	t.Helper()
	got, _, err := Load(sourceOf(formats[0], out), Options{Env: anyVariable})
	require.NoError(t, err, "%s %s", formats, out)
	requireEqual(t, want, got, formats...)
}

// requireEqual compares two configurations, the second of which went through formats.
func requireEqual(t *testing.T, want, got *Config, formats ...Format) {
	t.Helper()
	kubernetes := slices.Contains(formats, FormatKubernetes)
	a, b := alike(want, kubernetes), alike(got, kubernetes)
	if kubernetes {
		// What an instance is bound to is written with it, and becomes an entity.
		b.Services = slices.DeleteFunc(b.Services, func(Service) bool { return len(a.Services) == 0 })
		b.Consumers = slices.DeleteFunc(b.Consumers, func(Consumer) bool { return len(a.Consumers) == 0 })
		b.ConsumerGroups = slices.DeleteFunc(b.ConsumerGroups, func(ConsumerGroup) bool { return len(a.ConsumerGroups) == 0 })
	}
	same := cmp.Diff(a, b, cmp.AllowUnexported(Config{}), cmp.Comparer(func(a, b Secret) bool { return a.Equal(b) }), cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(Config{}))
	require.Empty(t, same, "%s", formats)
}

func TestConversionToTerraformIsItsLanguage(t *testing.T) {
	out, _, err := Convert([]Source{{Name: "a", Data: []byte(manyFields)}}, FormatTerraform, Options{})
	require.NoError(t, err)
	golden := "testdata/many_fields.tf"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(golden, out, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(out))
}

func TestWhatOneFormatCannotSayIsAnError(t *testing.T) {
	number := minimal + "      weight: ${{ env \"DECK_W\" | toInt }}\n"
	text := minimal + "      description: ${{ env \"DECK_D\" }}\n"
	for _, tt := range []struct {
		text   string
		to     Format
		errors string
	}{
		{number, FormatAdmin, "convert to admin-api: the value of DECK_W goes through a template, which only deck has"},
		{text, FormatKubernetes, "convert to kubernetes: DECK_D is used outside of a secret, which kubernetes cannot"},
		{minimal, "xml", `convert to "xml": want deck, kubernetes, terraform, admin-api or konnect`},
		{"plugins: 1", FormatDeck, "a:1: plugins: got an integer, want a list"},
		{"plugins: \uE0000\uE001", FormatDeck, "convert a: it holds characters of the private use area"},
	} {
		_, _, err := Convert([]Source{{Name: "a", Data: []byte(tt.text)}}, tt.to, Options{})
		require.EqualError(t, err, tt.errors)
	}
	out, _, err := Convert([]Source{{Name: "a", Data: []byte(number)}}, FormatDeck, Options{})
	require.NoError(t, err)
	require.Contains(t, string(out), "weight: ${{ env \"DECK_W\" | toInt }}\n")
	require.Equal(t, 7, load(t, string(out), Options{Env: environment(map[string]string{"DECK_W": "7"})}).Plugins[0].Settings.Targets[0].Weight)
	out, _, err = Convert([]Source{{Name: "a", Data: []byte(text)}}, FormatTerraform, Options{})
	require.NoError(t, err)
	require.Contains(t, string(out), `description = "${var.d}"`)
}

func TestWhatAConversionLosesIsAWarning(t *testing.T) {
	warnings := func(text string, to Format) (all []string) {
		_, list, err := Convert([]Source{{Name: "a.yaml", Data: []byte(text)}}, to, Options{})
		require.NoError(t, err)
		for _, w := range list {
			all = append(all, w.String())
		}
		return all
	}
	require.Equal(t, []string{
		"there is no ai-proxy-advanced",
		`the id of service "llm" is left out, which kubernetes cannot give`,
		`that service "llm" is disabled is left out, which kubernetes cannot say`,
		`"a|b" is not a name that Kubernetes takes: replace it`,
	}, warnings("services: [{name: llm, id: x, enabled: false}, {name: 'a|b'}]", FormatKubernetes))
	require.Equal(t, []string{
		"a.yaml:24: credentials: the value of the secret becomes the variable ANNA_KEY_KEY",
	}, warnings(strings.Replace(clusterFile, "stringData: {key: sk-ANNA_KEY_KEY}", "data: {key: c2stQU5OQV9LRVlfS0VZ}", 1), FormatDeck)[:1])
	require.Contains(t, warnings(clusterFile, FormatDeck), "a.yaml:46: configPatches[0].valueFrom.secretKeyRef: the value of the secret becomes the variable OPENAI_VALUE")
}

func TestWhatCannotBeConvertedIsAnError(t *testing.T) {
	for text, want := range map[string]string{
		minimal + "  service: s\n  route: r\n": "convert to kubernetes: a.yaml:2: a scope of a service and a route at once, which kubernetes cannot",
		resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced\nconfigFrom: {secretKeyRef: {name: k, key: v}}"): "a.yaml:9: configFrom.secretKeyRef: no key \"v\" of a secret \"k\" in the files",
		"consumers: []": "convert: there is nothing to convert",
	} {
		_, _, err := Convert([]Source{{Name: "a.yaml", Data: []byte(text)}}, FormatKubernetes, Options{})
		require.EqualError(t, err, want)
	}
	_, _, err := Convert([]Source{{Name: "a.tf", Data: []byte("variable \"a\" {}\n" + tfPlugin("instance_name = upper(var.a)", ""))}}, FormatDeck, Options{})
	require.EqualError(t, err, "a.tf:7: konnect_gateway_plugin_ai_proxy_advanced.p.instance_name: the value of a variable goes through upper, which cannot be converted")
}
