package load_test

import (
	stdcmp "cmp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
	"semlb/test/golden"
	"semlb/wire"
)

// withoutPositions returns instances without their positions, to be compared.
func withoutPositions(c *config.Config) []config.Plugin {
	var plugins []config.Plugin
	for _, p := range c.Plugins {
		p.Position = config.Position{}
		p.Settings.Targets = append([]config.Target(nil), p.Settings.Targets...)
		for i := range p.Settings.Targets {
			p.Settings.Targets[i].Position = config.Position{}
		}
		plugins = append(plugins, p)
	}
	return plugins
}

// alike returns a configuration without its positions and, for Kubernetes, without what
// that format cannot keep.
func alike(c *config.Config, kubernetes bool) *config.Config {
	same := &config.Config{Plugins: withoutPositions(c), Routes: configtest.Placeless(slices.Clone(c.Routes))}
	same.Services, same.Consumers, same.ConsumerGroups = slices.Clone(c.Services), slices.Clone(c.Consumers), slices.Clone(c.ConsumerGroups)
	for i := range same.Services {
		same.Services[i].Position = config.Position{}
	}
	for i := range same.ConsumerGroups {
		same.ConsumerGroups[i].Position = config.Position{}
	}
	for i := range same.Consumers {
		same.Consumers[i].Position = config.Position{}
	}
	if kubernetes {
		forgetIDs(same)
	}
	slices.SortFunc(same.Services, func(a, b config.Service) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	slices.SortFunc(same.Routes, func(a, b config.Route) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	slices.SortFunc(same.Consumers, func(a, b config.Consumer) int { return strings.Compare(a.Username+a.ID, b.Username+b.ID) })
	slices.SortFunc(same.ConsumerGroups, func(a, b config.ConsumerGroup) int { return strings.Compare(a.Name, b.Name) })
	return same
}

// forgetIDs leaves ids out, which Kubernetes has none of.
func forgetIDs(c *config.Config) {
	for i := range c.Services {
		c.Services[i].Name, c.Services[i].ID, c.Services[i].Enabled = stdcmp.Or(c.Services[i].Name, c.Services[i].ID), "", true
	}
	for i := range c.Routes {
		c.Routes[i].Name, c.Routes[i].ID = stdcmp.Or(c.Routes[i].Name, c.Routes[i].ID), ""
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
func sourceOf(format string, data []byte) []load.Source {
	name := map[string]string{"terraform": "got.tf", "admin-api": "got.sh", "konnect": "got.sh"}[format]
	return []load.Source{{Name: stdcmp.Or(name, "got.yaml"), Data: data}}
}

// conversions are sources of every format.
func conversions() map[string][]load.Source {
	return map[string][]load.Source{
		"many fields": {{Name: "a.yaml", Data: []byte(configtest.ManyFields)}},
		"entities": {{Name: "a.yaml", Data: []byte(strings.ReplaceAll(configtest.EveryEntity, "unseen-MARKER", `${{ env "DECK_ANNA" }}`) + `plugins:
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
` + configtest.TerraformPlugin("route = { id = konnect_gateway_route.r.id }\n consumer = { id = konnect_gateway_consumer.anna.id }", ""))}},
		"cluster": {{Name: "a.yaml", Data: []byte(configtest.ClusterFile)}},
		"script":  {{Name: "a.sh", Data: []byte(configtest.Script)}},
	}
}

// TestConversionsLoadToTheSame goes from every format to every other, and on to
// every other.
func TestConversionsLoadToTheSame(t *testing.T) {
	t.Parallel()
	for name, source := range conversions() {
		t.Run(name, func(t *testing.T) {
			want, _, err := load.Sources(source, load.Options{Env: configtest.AnyVariable})
			require.NoError(t, err)
			for _, first := range load.Writable() {
				if first == "kubernetes" && name == "script" {
					continue // a variable outside of a secret, see below
				}
				out := convert(t, source, first)
				requireSame(t, want, out, first)
				for _, second := range load.Writable() {
					if second == "kubernetes" && name == "script" {
						continue
					}
					again := convert(t, sourceOf(first, out), second)
					requireSame(t, want, again, second, first)
				}
			}
		})
	}
}

func convert(t *testing.T, source []load.Source, to string) []byte {
	t.Helper()
	out, _, err := load.Convert(source, to, load.Options{})
	require.NoError(t, err)
	require.NotContains(t, string(out), "sk-", "a value of the environment")
	return out
}

// requireSame says that a converted configuration says what another one says.
func requireSame(t *testing.T, want *config.Config, out []byte, formats ...string) {
	t.Helper()
	got, _, err := load.Sources(sourceOf(formats[0], out), load.Options{Env: configtest.AnyVariable})
	require.NoError(t, err, "%s %s", formats, out)
	requireEqual(t, want, got, formats...)
}

// requireEqual compares two configurations, the second of which went through formats.
func requireEqual(t *testing.T, want, got *config.Config, formats ...string) {
	t.Helper()
	kubernetes := slices.Contains(formats, "kubernetes")
	a, b := alike(want, kubernetes), alike(got, kubernetes)
	if kubernetes {
		// What an instance is bound to is written with it, and becomes an entity.
		b.Services = slices.DeleteFunc(b.Services, func(config.Service) bool { return len(a.Services) == 0 })
		b.Consumers = slices.DeleteFunc(b.Consumers, func(config.Consumer) bool { return len(a.Consumers) == 0 })
		b.ConsumerGroups = slices.DeleteFunc(b.ConsumerGroups, func(config.ConsumerGroup) bool { return len(a.ConsumerGroups) == 0 })
	}
	same := cmp.Diff(a, b, cmp.AllowUnexported(config.Config{}), cmp.Comparer(func(a, b wire.Secret) bool { return a.Equal(b) }), cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(config.Config{}))
	require.Empty(t, same, "%s", formats)
}

func TestConversionToTerraformIsItsLanguage(t *testing.T) {
	out, _, err := load.Convert([]load.Source{{Name: "a", Data: []byte(configtest.ManyFields)}}, "terraform", load.Options{})
	require.NoError(t, err)
	golden.Check(t, "testdata/many_fields.tf", string(out))
}

func TestWhatOneFormatCannotSayIsAnError(t *testing.T) {
	number := configtest.Minimal + "      weight: ${{ env \"DECK_W\" | toInt }}\n"
	text := configtest.Minimal + "      description: ${{ env \"DECK_D\" }}\n"
	for _, tt := range []struct {
		text   string
		to     string
		errors string
	}{
		{number, "admin-api", "convert to admin-api: the value of DECK_W goes through a template, which only deck has"},
		{text, "kubernetes", "convert to kubernetes: DECK_D is used outside of a secret, which Kubernetes resources cannot express"},
		{configtest.Minimal, "xml", `convert to "xml": want deck, kubernetes, terraform, admin-api or konnect`},
		{"plugins: 1", "deck", "a:1: plugins: got an integer, want a list"},
		{"plugins: \uE0000\uE001", "deck", "convert a: it holds characters of the private use area"},
	} {
		_, _, err := load.Convert([]load.Source{{Name: "a", Data: []byte(tt.text)}}, tt.to, load.Options{})
		require.EqualError(t, err, tt.errors)
	}
	out, _, err := load.Convert([]load.Source{{Name: "a", Data: []byte(number)}}, "deck", load.Options{})
	require.NoError(t, err)
	require.Contains(t, string(out), "weight: ${{ env \"DECK_W\" | toInt }}\n")
	require.Equal(t, 7, configtest.Load(t, string(out), load.Options{Env: configtest.Environment(map[string]string{"DECK_W": "7"})}).Plugins[0].Settings.Targets[0].Weight)
	out, _, err = load.Convert([]load.Source{{Name: "a", Data: []byte(text)}}, "terraform", load.Options{})
	require.NoError(t, err)
	require.Contains(t, string(out), `description = "${var.d}"`)
}

func TestWhatAConversionLosesIsAWarning(t *testing.T) {
	warnings := func(text string, to string) (all []string) {
		_, list, err := load.Convert([]load.Source{{Name: "a.yaml", Data: []byte(text)}}, to, load.Options{})
		require.NoError(t, err)
		for _, w := range list {
			all = append(all, w.String())
		}
		return all
	}
	require.Equal(t, []string{
		"the configuration has no ai-proxy-advanced plugin",
		`the id of service "llm" is omitted: Kubernetes resources cannot express it`,
		`service "llm" is disabled, which Kubernetes resources cannot express`,
		`"a|b" is not a valid Kubernetes name: replace it`,
	}, warnings("services: [{name: llm, id: x, enabled: false}, {name: 'a|b'}]", "kubernetes"))
	require.Equal(t, []string{
		"a.yaml:24: credentials: the value of the secret becomes the variable ANNA_KEY_KEY",
	}, warnings(strings.Replace(configtest.ClusterFile, "stringData: {key: sk-ANNA_KEY_KEY}", "data: {key: c2stQU5OQV9LRVlfS0VZ}", 1), "deck")[:1])
	require.Contains(t, warnings(configtest.ClusterFile, "deck"), "a.yaml:46: configPatches[0].valueFrom.secretKeyRef: the value of the secret becomes the variable OPENAI_VALUE")
}

func TestWhatCannotBeConvertedIsAnError(t *testing.T) {
	for text, want := range map[string]string{
		configtest.Minimal + "  service: s\n  route: r\n":                                                                      "convert to kubernetes: a.yaml:2: a scope of a service and a route at once, which Kubernetes resources cannot express",
		configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced\nconfigFrom: {secretKeyRef: {name: k, key: v}}"): "a.yaml:9: configFrom.secretKeyRef: no key \"v\" of a secret \"k\" in the files",
		"consumers: []": "convert: there is nothing to convert",
	} {
		_, _, err := load.Convert([]load.Source{{Name: "a.yaml", Data: []byte(text)}}, "kubernetes", load.Options{})
		require.EqualError(t, err, want)
	}
	_, _, err := load.Convert([]load.Source{{Name: "a.tf", Data: []byte("variable \"a\" {}\n" + configtest.TerraformPlugin("instance_name = upper(var.a)", ""))}}, "deck", load.Options{})
	require.EqualError(t, err, "a.tf:7: konnect_gateway_plugin_ai_proxy_advanced.p.instance_name: the value of a variable goes through upper, which cannot be converted")
}
