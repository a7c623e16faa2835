package terraform_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

func TestTerraformExamplesLoadAsTheyAre(t *testing.T) {
	env := configtest.Environment(map[string]string{"TF_VAR_openai_api_key": "sk-1"})
	for name, scope := range map[string]config.Scope{
		"global":         {},
		"service":        {Service: "my_service"},
		"route":          {Route: "my_route"},
		"consumer":       {Consumer: "my_consumer"},
		"consumer_group": {ConsumerGroup: "my_consumer_group"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("..", "..", "examples", "terraform", name+".tf")
			c, warnings, err := load.Files(load.Options{Env: env}, file)
			require.NoError(t, err)
			require.Len(t, c.Plugins, 1)
			require.Equal(t, scope, c.Plugins[0].Scope)
			require.Equal(t, config.Position{File: file, Line: 13, Column: 1}, c.Plugins[0].Position)
			configtest.RequireExample(t, c.Plugins[0])
			require.Len(t, configtest.BesideReach(warnings), 5)
			require.Equal(t, file+":12: a line that is not Terraform is ignored", warnings[0].String())
			require.Equal(t, file+":24: konnect_gateway_plugin_ai_proxy_advanced.my_ai_proxy_advanced.config.embeddings.auth.header_value: "+
				"Terraform takes var.openai_api_key in a string literally; semlb substitutes it: write ${var.openai_api_key}", warnings[1].String())
		})
	}
}

func loadTerraform(t *testing.T, text string, env map[string]string) (*config.Config, []config.Warning) {
	t.Helper()
	c, warnings, err := load.Sources([]load.Source{{Name: "main.tf", Data: []byte(text)}}, load.Options{Env: configtest.Environment(env)})
	require.NoError(t, err)
	return c, warnings
}

func TestTerraformEntitiesReachTheModel(t *testing.T) {
	text := `
resource "konnect_gateway_control_plane" "cp" { name = "cp" }
resource "konnect_gateway_service" "s" {
  name             = "llm"
  host             = "localhost"
  control_plane_id = konnect_gateway_control_plane.cp.id
}
resource "konnect_gateway_route" "r" {
  name       = "chat"
  paths      = ["/chat"]
  strip_path = false
  service    = { id = konnect_gateway_service.s.id }
}
resource "konnect_gateway_route" "nameless" { hosts = ["a.example"] }
resource "konnect_gateway_consumer" "anna" { username = "anna" }
resource "konnect_gateway_consumer_group" "gold" { name = "gold" }
resource "konnect_gateway_consumer_group_member" "m" {
  consumer_id       = konnect_gateway_consumer.anna.id
  consumer_group_id = konnect_gateway_consumer_group.gold.id
}
resource "konnect_gateway_key_auth" "k" {
  consumer_id = konnect_gateway_consumer.anna.id
  key         = var.anna_key
}
resource "konnect_gateway_basic_auth" "b" {
  consumer_id = konnect_gateway_consumer.anna.id
  username    = "anna"
  password    = var.logins["anna"].password
}
variable "anna_key" { sensitive = true }
variable "logins" { type = map(object({ password = string })) }
` + configtest.TerraformPlugin("route = { id = konnect_gateway_route.r.id }\n  consumer = { id = konnect_gateway_consumer.anna.id }", "")
	c, warnings := loadTerraform(t, text, map[string]string{"TF_VAR_anna_key": "sk-1", "TF_VAR_logins": `{anna={password="sk-2"}}`})
	require.Empty(t, warnings)
	require.Equal(t, "llm", c.Services[0].Name)
	require.Equal(t, "llm", c.Routes[0].Service)
	require.False(t, c.Routes[0].StripPath)
	require.Equal(t, "nameless", c.Routes[1].Name)
	require.Equal(t, []string{"gold"}, c.Consumers[0].Groups)
	require.Equal(t, "sk-1", c.Consumers[0].KeyAuth[0].Key.Reveal())
	require.Equal(t, "sk-2", c.Consumers[0].BasicAuth[0].Password.Reveal())
	require.Equal(t, config.Scope{Route: "chat", Consumer: "anna"}, c.Plugins[0].Scope)
}

func TestTerraformValuesComeFromVariablesLocalsAndFunctions(t *testing.T) {
	text := `
variable "retries" {
  type    = number
  default = 2
}
variable "key" {}
locals {
  criteria = ["error", "timeout"]
  timeouts = { read_timeout = var.read, connect_timeout = 7 }
  name     = "X-${upper("id")}"
}
variable "read" { default = "5" }
` + configtest.TerraformPlugin("tags = concat([\"a\"], tolist([\"b\"]))\n  enabled = \"true\"", `
  balancer = merge(local.timeouts, {
    "retries"         = var.retries
    failover_criteria = local.criteria
    max_fails         = tonumber("3")
    algorithm         = coalesce("", "round-robin")
  })
  response_streaming = <<-EOT
    ${trimspace(" deny ")}EOT
  vectordb = { strategy = "redis", dimensions = 3, distance_metric = "cosine", threshold = 1.50,
    redis = { host = join(".", ["a", local.name]), password = "Bearer ${var.key}" } }`)
	text = strings.ReplaceAll(text, "<<-EOT\n    ${trimspace(\" deny \")}EOT", `"${trimspace(" deny ")}"`)
	c, warnings := loadTerraform(t, text, map[string]string{"TF_VAR_key": "sk-$1", "TF_VAR_read": "9"})
	require.Empty(t, warnings)
	s := c.Plugins[0].Settings
	require.Equal(t, 2, s.Balancer.Retries)
	require.EqualValues(t, 9e6, s.Balancer.ReadTimeout)
	require.EqualValues(t, 7e6, s.Balancer.ConnectTimeout)
	require.Equal(t, 3, s.Balancer.MaxFails)
	require.Equal(t, []config.FailoverCriterion{config.OnError, config.OnTimeout}, s.Balancer.FailoverCriteria)
	require.Equal(t, config.StreamingDeny, s.ResponseStreaming)
	require.Equal(t, "a.X-ID", s.VectorDB.Redis.Host)
	require.Equal(t, "Bearer sk-$1", s.VectorDB.Redis.Password.Reveal())
	require.Equal(t, 1.5, *s.VectorDB.Threshold)
	require.Equal(t, []string{"a", "b"}, c.Plugins[0].Tags)
}

func TestTerraformFilesAreOneModule(t *testing.T) {
	c, _, err := load.Sources([]load.Source{
		{Name: "main.tf", Data: []byte(configtest.TerraformPlugin("service = { id = konnect_gateway_service.s.id }", "response_streaming = var.mode"))},
		{Name: "terraform.tfvars", Data: []byte("mode = \"deny\"\n")},
		{Name: "more.tf", Data: []byte("variable \"mode\" {}\nresource \"konnect_gateway_service\" \"s\" { name = \"llm\" }\n")},
	}, load.Options{Env: configtest.Environment(map[string]string{"TF_VAR_mode": "always"})})
	require.NoError(t, err)
	require.Equal(t, config.Scope{Service: "llm"}, c.Plugins[0].Scope)
	require.Equal(t, config.StreamingDeny, c.Plugins[0].Settings.ResponseStreaming)
}

func TestWhatIsNotOfKongIsNamedInWarnings(t *testing.T) {
	_, warnings := loadTerraform(t, `
resource "aws_instance" "x" { ami = unknown.thing }
resource "konnect_gateway_plugin_http_log" "y" {}
data "http" "z" {}
Then add:
`+configtest.TerraformPlugin(`instance_name = "var.nothing"`, ""), nil)
	var texts []string
	for _, w := range warnings {
		texts = append(texts, w.String())
	}
	require.Equal(t, []string{
		"main.tf:5: a line that is not Terraform is ignored",
		`main.tf:2: resource "aws_instance.x" is ignored`,
		`main.tf:3: plugin "http-log" is not run`,
		`main.tf:4: block "data http z" is ignored`,
		`main.tf:11: konnect_gateway_plugin_ai_proxy_advanced.p.instance_name: "var.nothing" is not a declared variable; it is used literally`,
	}, texts)
}

func TestTerraformFaultsNameThePlace(t *testing.T) {
	const at = "konnect_gateway_plugin_ai_proxy_advanced.p"
	for text, want := range map[string]string{
		configtest.TerraformPlugin("", "balancer = { retries = 40000 }"):                             "main.tf:4: " + at + ".config.balancer.retries: got 40000, want 0 to 32767",
		configtest.TerraformPlugin("", "balancer = { retrys = 1 }"):                                  "main.tf:4: " + at + `.config.balancer.retrys: unknown field, did you mean "retries"?`,
		configtest.TerraformPlugin("", "response_streaming = var.a") + `variable "a" {}`:             "main.tf:4: " + at + ".config.response_streaming: variable a has no value: export TF_VAR_a=…",
		configtest.TerraformPlugin("", "response_streaming = var.a"):                                 "main.tf:4: " + at + `.config.response_streaming: no variable "a" is declared`,
		configtest.TerraformPlugin("", "response_streaming = local.a"):                               "main.tf:4: " + at + `.config.response_streaming: no local value "a" is declared`,
		configtest.TerraformPlugin("", "response_streaming = local.a") + "locals {\n a = local.a\n}": "main.tf:9: local.a: local value \"a\" contains itself",
		configtest.TerraformPlugin("", "response_streaming = data.a.b"):                              "main.tf:4: " + at + `.config.response_streaming: not supported yet: a reference to "data"`,
		configtest.TerraformPlugin("", "response_streaming = file(\"a\")"):                           "main.tf:4: " + at + ".config.response_streaming: function file: no such file in the directory of this one",
		configtest.TerraformPlugin("", "response_streaming = false ? \"a\" : \"b\""):                 "main.tf:4: " + at + `.config.response_streaming: got string "b", want one of allow, always, deny`,
		configtest.TerraformPlugin("count = 2", ""):                                                  "main.tf:6: " + at + ": not supported yet: count",
		configtest.TerraformPlugin("config {}", ""):                                                  "main.tf:6: " + at + ".config: got a block, want an attribute: config = …",
		configtest.TerraformPlugin("", "response_streaming = \"allow\n"):                             "main.tf:4: read Terraform: invalid multi-line string",
		"a = 1\n": "main.tf:1: read Terraform: an attribute outside of a block",
		"resource \"konnect_gateway_service\" \"s\" {}\nresource \"konnect_gateway_service\" \"s\" {}":               "main.tf:2: konnect_gateway_service.s: got the resource twice, first at main.tf:1",
		"resource \"konnect_gateway_service\" \"s\" {}\nresource \"konnect_gateway_service\" \"t\" { name = \"s\" }": "main.tf:2: konnect_gateway_service.t: got a second service of the same name or id, first at main.tf:1",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "main.tf", Data: []byte(text)}}, load.Options{})
		require.Error(t, err, text)
		require.Equal(t, want, strings.Split(err.Error(), "\n")[0], "%s\n%s", err, text)
	}
}

func TestHostileTerraformCostsLittle(t *testing.T) {
	doubling := "locals {\n  a0 = [1]\n"
	for i := range 60 {
		a := "a" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		before := "a0"
		if i > 0 {
			before = "a" + string(rune('a'+(i-1)/26)) + string(rune('a'+(i-1)%26))
		}
		doubling += "  " + a + " = [local." + before + ", local." + before + "]\n"
		doubling += "  s" + a + " = \"${join(\"\", local." + a + ")}${local.s" + before + "}${local.s" + before + "}\"\n"
	}
	doubling += "  sa0 = \"x\"\n}\n"
	for name, text := range map[string]string{
		"lists":      doubling + configtest.TerraformPlugin("tags = local.acc", ""),
		"texts":      doubling + configtest.TerraformPlugin("tags = [local.sacc]", ""),
		"brackets":   "locals {\n a = " + strings.Repeat("[", 1_000_000),
		"operators":  "locals {\n a = " + strings.Repeat("!", 200_000) + "true\n}",
		"conditions": "locals {\n a = " + strings.Repeat("1 ? 1 : ", 50_000) + "1\n}",
		"templates":  "locals {\n a = " + strings.Repeat(`"${`, 50_000) + "\n}",
		"words":      "variable \"x\" {}\n" + configtest.TerraformPlugin("tags = [\""+strings.Repeat("var.x ", 50_000)+"\", file(1)]", ""),
		"prose":      strings.Repeat("a b c\n", 50_000) + "}",
		"loops":      "locals {\n a = range(1000)\n}\n" + configtest.TerraformPlugin("tags = [for a in local.a : [for b in local.a : [for c in local.a : [for d in local.a : d]]]]", ""),
		"idle loops": "locals {\n a = range(1000)\n}\n" + configtest.TerraformPlugin("tags = [for a in local.a : a if [for b in local.a : local.a == local.a if false] == []]", "") + "\nx = 1",
		"products":   "locals {\n a = range(1000)\n}\n" + configtest.TerraformPlugin("tags = setproduct(local.a, local.a, local.a)", ""),
		"joins":      "locals {\n a = [for i in range(1024) : \"a\"]\n}\n" + configtest.TerraformPlugin("tags = [for i in range(1024) : join(\",\", local.a)]", ""),
		"widths":     configtest.TerraformPlugin("tags = [format(\"%999999999d\", 1)]", ""),
		"repeated":   configtest.TerraformPlugin("tags = [replace(\""+strings.Repeat("a", 1<<20)+"\", \"a\", \""+strings.Repeat("b", 1<<20)+"\")]", ""),
		"indented":   configtest.TerraformPlugin("tags = [indent(1000000000, \"a\\nb\")]", ""),
		"numbers":    configtest.TerraformPlugin("tags = [\"${1e99999999}\"]", ""),
		"powers":     "locals {\n a0 = 1e1000\n" + powers(40) + "}\n" + configtest.TerraformPlugin("tags = [\"${local.a39}\"]", ""),
		"a chain":    "locals {\n" + chain(30_000) + "}\n" + configtest.TerraformPlugin("tags = [local.a0]", ""),
		"tokens":     "locals {\n" + strings.Repeat("a=1\n", 400_000) + "}",
	} {
		t.Run(name, func(t *testing.T) {
			configtest.RequireCheap(t, load.Source{Name: "main.tf", Data: []byte(text)}, configtest.Environment(map[string]string{"TF_VAR_x": "y"}), "main.tf")
		})
	}
}

// powers squares a number again and again.
func powers(n int) string {
	var b strings.Builder
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, " a%d = local.a%d * local.a%d\n", i, i-1, i-1)
	}
	return b.String()
}

// chain has each value refer to the next.
func chain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d = lower(local.a%d)\n", i, i+1)
	}
	return b.String()
}
