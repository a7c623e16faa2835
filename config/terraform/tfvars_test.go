package terraform_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/load"
)

func TestFilesOfValuesWinAsInTerraform(t *testing.T) {
	const main = `variable "model" {}
variable "options" { type = object({ temperature = number, top_k = optional(number, 3) }) }
resource "konnect_gateway_plugin_ai_proxy_advanced" "p" {
  config = { targets = [{ route_type = "llm/v1/chat", model = { provider = "openai", name = var.model, options = var.options } }] }
}
`
	const options = `"options": {"temperature": 0.50}`
	for want, files := range map[string][]string{
		"json":  {"terraform.tfvars.json", `{"model": "json", ` + options + `}`, "terraform.tfvars", `model = "plain"`},
		"auto":  {"a.auto.tfvars", `model = "auto"`, "terraform.tfvars.json", `{"model": "json", ` + options + `}`},
		"b":     {"d/a.auto.tfvars.json", `{"model": "a", ` + options + `}`, "d/b.auto.tfvars.json", `{"model": "b"}`, "d/terraform.tfvars", `model = "c"`},
		"named": {"prod.tfvars", `model = "named"`, "z.auto.tfvars.json", `{"model": "auto", ` + options + `}`},
		"${a}":  {"terraform.tfvars.json", `{"model": "${a}", ` + options + `}`},
	} {
		sources := []load.Source{{Name: "main.tf", Data: []byte(main)}}
		for i := 0; i < len(files); i += 2 {
			sources = append(sources, load.Source{Name: files[i], Data: []byte(files[i+1])})
		}
		c, _, err := load.Sources(sources, load.Options{})
		require.NoError(t, err, want)
		model := c.Plugins[0].Settings.Targets[0].Model
		require.Equal(t, want, model.Name)
		require.Equal(t, "0.50", string(model.Options.Temperature))
	}
	for text, want := range map[string]string{
		`{"model": 1 2}`: "terraform.tfvars.json:1: read JSON: invalid syntax",
		`[]`:             "terraform.tfvars.json:1: got a list, want an object",
		"{\n\"options\": {\"temperature\": \"hunter2pw\"}, \"model\": \"m\"}": "main.tf:2: var.options: got a value that is not of the variable's type",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "main.tf", Data: []byte(main)}, {Name: "terraform.tfvars.json", Data: []byte(text)}}, load.Options{})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2pw")
	}
}

func TestValuesOfTwoEnvironmentsAreWarnedOf(t *testing.T) {
	sources := func(names ...string) []load.Source {
		all := []load.Source{{Name: "main.tf", Data: []byte("variable \"model\" {}\n")}}
		for _, name := range names {
			all = append(all, load.Source{Name: name, Data: []byte("model = \"hunter2pw\"")})
		}
		return all
	}
	_, warnings, _ := load.Sources(sources("dev.tfvars", "prod.tfvars"), load.Options{})
	require.Contains(t, fmt.Sprint(warnings), "prod.tfvars:1: var.model: the value replaces that of dev.tfvars; give one of the files only")
	require.NotContains(t, fmt.Sprint(warnings), "hunter2pw")
	_, warnings, _ = load.Sources(sources("terraform.tfvars", "a.auto.tfvars", "b.auto.tfvars", "prod.tfvars"), load.Options{})
	require.NotContains(t, fmt.Sprint(warnings), "replaces")
}
