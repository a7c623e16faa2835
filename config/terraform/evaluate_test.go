package terraform_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

func TestTerraformEvaluatesWhatHCLCan(t *testing.T) {
	text := `
/* Comments of
several lines, with prose in them: it's "fine"
*/
variable "models" {
  type    = list(object({ name = string, weight = optional(number, 3), on = optional(bool, true) }))
  default = [{ name = "a" }, { name = "b", weight = 7 }, { name = "c", on = false }]
}
variable "stage" { default = "prod" } /* and
one more */
variable "limits" {
  type = map(number)
}
locals {
  used  = [for m in var.models : m if m.on]
  names = var.models[*].name
  tags  = { for i, n in local.names : upper(n) => i }
}
` + strings.Replace(configtest.TerraformPlugin(`
  instance_name = format("%s-%03d", var.stage, length(local.used))
  tags          = concat(keys(local.tags), var.stage == "prod" ? ["live"] : [])
`, `
    response_streaming = try(local.missing.thing, "deny")
    balancer = {
      retries      = sum2 > 0 ? 1 : 2
      max_fails    = var.limits["fails"] * 2 + 1
      read_timeout = min([9, 5, 7]...)
    }
`), "["+configtest.TerraformTarget+"]", `[for m in local.used : {
      model       = { provider = "openai", name = m.name }
      route_type  = "llm/v1/chat"
      weight      = m.weight
      description = <<-EOT
        Knows ${m.name}
          and more: %{if m.weight > 5~}well%{else~}a little%{endif}
      EOT
    }]`, 1)
	text = strings.Replace(text, "sum2", "-length(local.names) + 4", 1)
	text = strings.Replace(text, "try(local.missing.thing, ", "try(var.models[9].name, ", 1)
	c, warnings := loadTerraform(t, text, map[string]string{"TF_VAR_limits": "{ fails = 4 }"})
	require.Empty(t, warnings)
	p := c.Plugins[0]
	require.Equal(t, "prod-002", p.InstanceName)
	require.Equal(t, []string{"A", "B", "C", "live"}, p.Tags)
	require.Equal(t, config.StreamingDeny, p.Settings.ResponseStreaming)
	require.Equal(t, 1, p.Settings.Balancer.Retries)
	require.Equal(t, 9, p.Settings.Balancer.MaxFails)
	require.EqualValues(t, 5e6, p.Settings.Balancer.ReadTimeout)
	require.Len(t, p.Settings.Targets, 2)
	require.Equal(t, []int{3, 7}, []int{p.Settings.Targets[0].Weight, p.Settings.Targets[1].Weight})
	require.Equal(t, "Knows a\n  and more: a little\n", p.Settings.Targets[0].Description)
	require.Contains(t, p.Settings.Targets[1].Description, "well")
}

// temperature is the text of a number that is forwarded as it is written.
func temperature(t *testing.T, sources []load.Source, env map[string]string) config.Number {
	t.Helper()
	c, _, err := load.Sources(sources, load.Options{Env: configtest.Environment(env)})
	require.NoError(t, err)
	return c.Plugins[0].Settings.Targets[0].Model.Options.Temperature
}

func TestNumbersOfTerraformKeepTheirText(t *testing.T) {
	plugin := func(value string) string {
		return strings.Replace(configtest.TerraformPlugin("", ""), `name = "m" }`, `name = "m", options = { temperature = `+value+` } }`, 1)
	}
	declare := "variable \"t\" { type = number }\nlocals {\n  t = 1.50\n  o = { t = 0.10 }\n}\n"
	for value, want := range map[string]config.Number{
		"1.0": "1.0", "1e0": "1e0", "local.t": "1.50", "local.o.t": "0.10", "local.o[\"t\"]": "0.10", "(1.0)": "1.0", "\"1.0\"": "1.0",
		"var.t": "0.70", "true ? 1.0 : 2.0": "1.0", "max(0.5, 1.0)": "1.0", "merge(local.o, {})[\"t\"]": "0.10", "tonumber(\"1.00\")": "1.00",
		"0.5 + 0.25": "0.75", "[0.20][0]": "0.20", "sensitive(1.0)": "1.0", "{a = 1.0}.a": "1.0", "one": "", "1 / 3 * 3": "1",
	} {
		if want == "" {
			continue
		}
		got := temperature(t, []load.Source{{Name: "main.tf", Data: []byte(declare + plugin(value))}}, map[string]string{"TF_VAR_t": "0.70"})
		require.Equal(t, want, got, value)
	}
	// A number of a .tfvars file is that file's, wherever its variable is declared.
	for name, sources := range map[string][]load.Source{
		"declared before":  {{Name: "main.tf", Data: []byte(declare + plugin("var.t"))}, {Name: "terraform.tfvars", Data: []byte(strings.Repeat("# x\n", 1000) + "t = 1.10")}},
		"declared behind":  {{Name: "a.tfvars", Data: []byte("\nt = 0.5")}, {Name: "b.tfvars", Data: []byte("t = 1.10\n")}, {Name: "main.tf", Data: []byte(declare + plugin("var.t"))}},
		"never declared":   {{Name: "a.tfvars", Data: []byte("t = 1.10\n")}, {Name: "main.tf", Data: []byte(plugin("var.t"))}},
		"inside of a list": {{Name: "a.tfvars", Data: []byte("l = [{t = 1.10}]\n")}, {Name: "main.tf", Data: []byte("variable \"l\" { type = list(object({t = number})) }\n" + plugin("var.l[0].t"))}},
	} {
		require.Equal(t, config.Number("1.10"), temperature(t, sources, map[string]string{"TF_VAR_t": "0.70"}), name)
	}
}

func TestFaultsOfTerraformsValuesNameThePlaceWithoutTheValue(t *testing.T) {
	const at = "konnect_gateway_plugin_ai_proxy_advanced.p.config."
	env := map[string]string{"TF_VAR_k": configtest.Marker, "TF_VAR_n": configtest.Marker, "TF_VAR_m": "{a = \"" + configtest.Marker + "\"}", "TF_VAR_j": "[\"" + configtest.Marker}
	declare := "variable \"k\" {}\nvariable \"n\" { type = number }\nvariable \"m\" { type = map(number) }\nvariable \"j\" { type = list(string) }\nvariable \"o\" { default = var.o }\nlocals {\n  a = local.b\n  b = [local.a]\n  c = { retries = 1, spill = 7 }\n}\n"
	for settings, want := range map[string]string{
		"response_streaming = var.k":                              "main.tf:14: " + at + "response_streaming: got a string [redacted], want one of allow, always, deny",
		"response_streaming = \"a${var.k}\"":                      "main.tf:14: " + at + "response_streaming: got a string [redacted], want one of allow, always, deny",
		"response_streaming = sensitive(\"a\")":                   "main.tf:14: " + at + "response_streaming: got a string [redacted], want one of allow, always, deny",
		"response_streaming = nonsensitive(sensitive(\"a\"))":     "main.tf:14: " + at + `response_streaming: got string "a", want one of allow, always, deny`,
		"response_streaming = split(\"\", var.k)[0]":              "main.tf:14: " + at + "response_streaming: got a string [redacted], want one of allow, always, deny",
		"response_streaming = tonumber(var.k)":                    "main.tf:14: " + at + "response_streaming: function tonumber: invalid function argument",
		"response_streaming = var.k + 1":                          "main.tf:14: " + at + "response_streaming: invalid operand",
		"response_streaming = regex(\"x\", var.k)":                "main.tf:14: " + at + "response_streaming: function regex: error in function call",
		"response_streaming = jsondecode(var.k)":                  "main.tf:14: " + at + "response_streaming: function jsondecode: error in function call",
		"response_streaming = {a = 1}[var.k]":                     "main.tf:14: " + at + "response_streaming: invalid index",
		"response_streaming = local.c.nothing":                    "main.tf:14: " + at + "response_streaming: unsupported attribute",
		"response_streaming = var.n":                              "main.tf:2: var.n: got a value that is not of the variable's type",
		"response_streaming = var.m":                              "main.tf:3: var.m: got a value that is not of the variable's type",
		"response_streaming = var.j":                              "main.tf:4: var.j: got a value in the environment that is not an expression of the variable's type",
		"response_streaming = var.o":                              "main.tf:5: var.o: variable \"o\" contains itself",
		"response_streaming = local.a":                            "main.tf:8: local.b[0]: local value \"a\" contains itself",
		"response_streaming = [for x in local.a : x]":             "main.tf:8: local.b: local value \"a\" contains itself",
		"response_streaming = var":                                "main.tf:14: " + at + `response_streaming: not supported yet: a reference to "var"`,
		"response_streaming = konnect_gateway_service.s.x":        "main.tf:14: " + at + `response_streaming: no such value in "s"`,
		"response_streaming = 1e999999999":                        "main.tf:14: got a number that is too large",
		"response_streaming = coalesce(null, \"\")":               "main.tf:14: " + at + "response_streaming: function coalesce: want a value that is neither null nor empty",
		"response_streaming = provider::x::y()":                   "main.tf:14: " + at + `response_streaming: not supported yet: function "provider::x::y"`,
		"balancer = local.c":                                      "main.tf:9: " + at + "balancer.spill: got string \"7\", want one of none, catchall, nearest",
		"balancer = merge(local.c, { retries = 2 })":              "main.tf:9: " + at + "balancer.spill: got string \"7\", want one of none, catchall, nearest",
		"balancer = { (var.k) = 1 }":                              "main.tf:14: " + at + "balancer.[redacted]: unknown field",
		"balancer = { for k in [\"b\"] : \"${var.k}${k}\" => 1 }": "main.tf:14: " + at + "balancer.[redacted]: unknown field",
	} {
		_, warnings, err := load.Sources([]load.Source{{Name: "main.tf", Data: []byte(declare + configtest.TerraformPlugin("", settings))}}, load.Options{Env: configtest.Environment(env)})
		require.Error(t, err, settings)
		require.Equal(t, want, strings.Split(err.Error(), "\n")[0], "%s\n%s", err, settings)
		require.NotContains(t, err.Error(), configtest.Marker, settings)
		require.Empty(t, warnings)
	}
}

func TestSensitiveVariablesOfTerraformStayReferences(t *testing.T) {
	header := func(value string) string {
		return strings.Replace(configtest.TerraformPlugin("", ""), `route_type`, `auth = { header_name = "A", header_value = `+value+` }, route_type`, 1)
	}
	declare := "variable \"key\" {\n  sensitive = true\n  default = \"" + configtest.Marker + "\"\n}\nvariable \"open\" {}\nlocals {\n  k = \"Bearer ${var.key}\"\n  keys = [var.key, var.open]\n}\n"
	vars := load.Source{Name: "terraform.tfvars", Data: []byte("key = \"" + configtest.Marker + "\"\n")}
	for value, want := range map[string]string{
		"var.key":                              `${{ env "DECK_KEY" }}`,
		"local.k":                              `Bearer ${{ env "DECK_KEY" }}`,
		"\"Bearer var.key\"":                   `Bearer ${{ env "DECK_KEY" }}`,
		"format(\"%s %s\", \"B\", var.key)":    `B ${{ env "DECK_KEY" }}`,
		"join(\" \", local.keys)":              `${{ env "DECK_KEY" }} ${{ env "DECK_OPEN" }}`,
		"[for k in local.keys : \"x${k}\"][1]": `x${{ env "DECK_OPEN" }}`,
		"merge({ a = var.key }, {}).a":         `${{ env "DECK_KEY" }}`,
	} {
		for _, sources := range [][]load.Source{{vars}, nil} {
			out, _, err := load.Convert(append(sources, load.Source{Name: "main.tf", Data: []byte(declare + header(value))}), "deck", load.Options{})
			require.NoError(t, err, value)
			require.Contains(t, string(out), want, value)
			require.NotContains(t, string(out), configtest.Marker, value)
		}
	}
	for value, want := range map[string]string{
		"upper(var.key)":                      "the value of a variable goes through upper, which cannot be converted",
		"replace(var.key, \"a\", \"b\")":      "the value of a variable goes through replace, which cannot be converted",
		"var.open == \"a\" ? \"b\" : \"c\"":   "it depends on the value of a variable, which cannot be converted",
		"var.open == \"a\" ? var.key : \"c\"": "it depends on the value of a variable, which cannot be converted",
	} {
		_, _, err := load.Convert([]load.Source{{Name: "main.tf", Data: []byte(declare + header(value))}}, "deck", load.Options{})
		require.ErrorContains(t, err, want, value)
	}
}

func TestValuesOfTerraformThatAreMissingAreAllowedForACheck(t *testing.T) {
	text := "variable \"a\" {}\nvariable \"n\" { type = number }\nvariable \"l\" { type = list(string) }\n" +
		configtest.TerraformPlugin("tags = concat(var.l, [\"x\"])", "response_streaming = lower(var.a)\n balancer = { retries = var.n + 1 }")
	_, _, err := load.Sources([]load.Source{{Name: "main.tf", Data: []byte(text)}}, load.Options{AllowUnset: true})
	require.NoError(t, err)
	_, _, err = load.Sources([]load.Source{{Name: "main.tf", Data: []byte(text)}}, load.Options{})
	require.Len(t, strings.Split(err.Error(), "\n"), 3)
	require.ErrorContains(t, err, "config.balancer.retries: variable n has no value: export TF_VAR_n=…")
}

func TestPartsOfSensitiveVariablesStayReferences(t *testing.T) {
	header := func(value string) string {
		return strings.Replace(configtest.TerraformPlugin("", ""), `route_type`, `auth = { header_name = "A", header_value = `+value+` }, route_type`, 1)
	}
	secret := "\"" + configtest.Marker + "\""
	declare := "variable \"keys\" {\n type = map(string)\n sensitive = \"true\"\n default = { open-ai = " + secret + " }\n}\n" +
		"variable \"creds\" {\n type = object({ a = string, b = optional(list(string)) })\n sensitive = true\n}\n" +
		"variable \"list\" {\n sensitive = true\n default = [{ k = " + secret + " }, " + secret + "]\n}\n" +
		"variable \"unset\" {\n type = map(string)\n sensitive = true\n}\n" +
		"variable \"short-lived\" {\n ephemeral = true\n default = " + secret + "\n}\n"
	vars := load.Source{Name: "terraform.tfvars", Data: []byte("creds = { a = " + secret + ", b = [" + secret + "] }\n")}
	for value, want := range map[string]string{
		"var.keys[\"open-ai\"]":                     `${{ env "DECK_KEYS_OPEN_AI" }}`,
		"\"Bearer ${var.keys.open-ai}\"":            `Bearer ${{ env "DECK_KEYS_OPEN_AI" }}`,
		"lookup(var.keys, \"open-ai\", \"x\")":      `${{ env "DECK_KEYS_OPEN_AI" }}`,
		"[for k, v in var.keys : \"${k}=${v}\"][0]": `open-ai=${{ env "DECK_KEYS_OPEN_AI" }}`,

		"var.creds.a":     `${{ env "DECK_CREDS_A" }}`,
		"var.creds.b[0]":  `${{ env "DECK_CREDS_B_0" }}`,
		"var.list[0].k":   `${{ env "DECK_LIST_0_K" }}`,
		"var.list[1]":     `${{ env "DECK_LIST_1" }}`,
		"var.short-lived": `${{ env "DECK_SHORT_LIVED" }}`,
	} {
		out, _, err := load.Convert([]load.Source{vars, {Name: "main.tf", Data: []byte(declare + header(value))}}, "deck", load.Options{})
		require.NoError(t, err, value)
		require.Contains(t, string(out), "header_value: "+want+"\n", value)
		require.NotContains(t, string(out), configtest.Marker, value)
	}
	_, _, err := load.Convert([]load.Source{{Name: "main.tf", Data: []byte(declare + header("var.unset[\"a\"]"))}}, "deck", load.Options{})
	require.ErrorContains(t, err, "it depends on the value of a variable, which cannot be converted")
}

// instanceName is a text that a plugin's expression makes.
func instanceName(t *testing.T, expression string) string {
	t.Helper()
	c, _ := loadTerraform(t, configtest.TerraformPlugin("instance_name = "+expression, ""), nil)
	return c.Plugins[0].InstanceName
}

func TestTerraformsOwnFunctions(t *testing.T) {
	for expression, want := range map[string]string{
		`"${startswith("gpt-4o", "gpt")} ${endswith("a", "b")} ${strcontains("abc", "b")}"`: "true false true",
		`base64decode(base64encode("hé"))`:                                                  "hé",
		`urlencode("a b&c")`:                                                                "a+b%26c",
		`sha256("a")`:                                                                       "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
		`"${alltrue([true, true])} ${alltrue([true, null])} ${anytrue([false, null])} ${anytrue([false, true])} ${alltrue([])}"`: "true false false true true",
		`"n${sum([1, 2.5])} ${one(["a"])} ${index(["x", "y"], "y")}"`:                                                            "n3.5 a 1",

		`one([]) == null ? "none" : "some"`: "none",

		`"${lookup({ a = 1 }, "a")} ${lookup(tomap({ a = "x" }), "a")} ${lookup({ a = 1 }, "b", "no")}"`: "1 x no",
	} {
		require.Equal(t, want, instanceName(t, expression), expression)
	}
	for expression, want := range map[string]string{
		`base64decode("?")`:   "function base64decode: want base64 of UTF-8 text",
		`one(["a", "b"])`:     "function one: want a list of at most one element",
		`index(["a"], "b")`:   "function index: the list does not have the value",
		`lookup({}, "a")`:     "function lookup: the map lacks the key, and there is no default",
		`"${sum([])}"`:        "function sum: want a list that is not empty",
		`file("/etc/passwd")`: "function file: no such file in the directory of this one",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "main.tf", Data: []byte(configtest.TerraformPlugin("instance_name = "+expression, ""))}}, load.Options{})
		require.ErrorContains(t, err, want, expression)
	}
}

func TestBlockCommentsStandAnywhere(t *testing.T) {
	text := `/* one */ /* two
  { three "*/ locals {
  a = /* x
  y */ "m" /* z
  resource "x" "y" { */
  # it's /* no comment
  b = "/* no comment */"
}
/*
prose, with a quote " and a brace {
*/
` + configtest.TerraformPlugin("instance_name = \"${/* inside\n */ local.a}${local.b}\"\n  /* tags = [\n  */", "/* balancer = {\n retries = 7 */")
	c, warnings := loadTerraform(t, text, nil)
	require.Empty(t, warnings)
	require.Equal(t, "m/* no comment */", c.Plugins[0].InstanceName)
}

// A credential that comes from a variable is not written, sensitive or not.
func TestCredentialsOfVariablesAndLocalsAreNotWritten(t *testing.T) {
	header := func(value string) string {
		return strings.Replace(configtest.TerraformPlugin("", ""), `route_type`, `auth = { header_name = "A", header_value = `+value+` }, route_type`, 1)
	}
	secret := "\"" + configtest.Marker + "\""
	declare := "variable \"given\" {}\nvariable \"default\" {\n default = " + secret + "\n}\nvariable \"vault\" {\n default = \"{vault://env/k}\"\n}\n" +
		"locals {\n s = sensitive(" + secret + ")\n n = nonsensitive(local.s)\n plain = " + secret + "\n auth = { key = sensitive(" + secret + ") }\n}\n"
	vars := load.Source{Name: "terraform.tfvars", Data: []byte("given = " + secret + "\n")}
	convert := func(value string) string {
		out, _, err := load.Convert([]load.Source{vars, {Name: "main.tf", Data: []byte(declare + header(value))}}, "deck", load.Options{})
		require.NoError(t, err, value)
		return string(out)
	}
	for _, value := range []string{
		"local.s", "local.n", "nonsensitive(local.n)", "local.plain", "local.auth.key", "var.given", "nonsensitive(var.given)", "var.default",
		"\"Bearer ${local.s}\"", "\"Bearer ${local.plain}\"", "\"Bearer ${var.given}\"", "sensitive(" + secret + ")", "nonsensitive(sensitive(" + secret + "))",
	} {
		out := convert(value)
		require.NotContains(t, out, configtest.Marker, value)
		require.Regexp(t, `header_value: \$\{\{ env "DECK_[A-Z0-9_]*CONFIG_TARGETS_0_AUTH_HEADER_VALUE" \}\}`, out, value)
	}
	require.Contains(t, convert("var.vault"), "{vault://env/k}")
	require.Contains(t, convert(secret), configtest.Marker, "the resource has it in clear")
}
