package config

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

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

func TestConversionsLoadToTheSame(t *testing.T) {
	env := environment(map[string]string{
		"DECK_KEY": "sk-1", "KEY": "sk-1", "SOME_KEY": "sk-2",
		"DECK_OPENAI_API_KEY": "sk-3", "OPENAI_API_KEY": "sk-3",
	})
	example := func(elements ...string) []byte {
		data, err := os.ReadFile(filepath.Join(append([]string{"..", "examples"}, elements...)...))
		require.NoError(t, err)
		return data
	}
	for name, data := range map[string][]byte{
		"many fields": []byte(manyFields),
		"deck":        example("deck", "consumer_group.yaml"),
		"kubernetes":  example("kubernetes", "global.yaml"),
		"admin":       bodyOf(t, filepath.Join("..", "examples", "admin-api", "global.sh")),
	} {
		for _, format := range []Format{FormatDeck, FormatAdmin, FormatKubernetes} {
			t.Run(name+" to "+string(format), func(t *testing.T) {
				source := []Source{{Name: "source", Data: data}}
				want, _, err := Load(source, Options{Env: env})
				require.NoError(t, err)
				out, warnings, err := Convert(source, format, Options{})
				require.NoError(t, err)
				require.Empty(t, warnings)
				require.NotContains(t, string(out), "sk-")
				if format == FormatKubernetes {
					out = bindResources(want, out)
				}
				got, _, err := Load([]Source{{Name: "got", Data: out}}, Options{Env: env})
				require.NoError(t, err, "%s", out)
				require.True(t, reflect.DeepEqual(withoutPlaces(want), withoutPlaces(got)), "%s", out)
			})
		}
	}
}

// bindResources adds what the comments of written resources ask for.
func bindResources(c *Config, out []byte) []byte {
	for i, p := range c.Plugins {
		use := "konghq.com/plugins: ai-proxy-advanced"
		if i > 0 {
			use += "-2"
		}
		if p.Scope.Route != "" {
			out = append(out, bytes.ReplaceAll([]byte(resource("HTTPRoute", p.Scope.Route, use, "")), []byte("  namespace: kong\n"), nil)...)
		}
		if p.Scope.Consumer != "" {
			out = append(out, bytes.ReplaceAll([]byte(resource("KongConsumer", "x", use, "username: "+p.Scope.Consumer)), []byte("  namespace: kong\n"), nil)...)
		}
		if p.Scope.ConsumerGroup != "" {
			out = append(out, bytes.ReplaceAll([]byte(resource("KongConsumerGroup", p.Scope.ConsumerGroup, use, "")), []byte("  namespace: kong\n"), nil)...)
		}
	}
	return out
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
		{number, FormatAdmin, "convert to admin: the value of DECK_W goes through a template, which only deck has"},
		{text, FormatKubernetes, "convert to kubernetes: DECK_D is used outside of a secret, which only deck and terraform can"},
		{minimal, "xml", `convert to "xml": want deck, admin, kubernetes or terraform`},
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

func TestWhatIsNotConvertedIsAWarning(t *testing.T) {
	_, warnings, err := Convert([]Source{{Name: "a", Data: []byte(everyEntity + minimal)}}, FormatDeck, Options{})
	require.NoError(t, err)
	require.Len(t, warnings, 1)
}
