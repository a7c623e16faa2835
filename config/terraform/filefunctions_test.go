package terraform_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"semlb/config/load"
)

func TestFunctionsOfTerraformThatReadFilesAndYAML(t *testing.T) {
	files := fstest.MapFS{
		"model.txt": {Data: []byte("\uFEFFm1\n")}, "d/settings.yaml": {Data: []byte("name: m2\nweights: [1, 0x10]\n")}, "key.txt": {Data: []byte("sk-live-of-a-file")},
		"bomb.yaml": {Data: []byte("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e]\n")},
	}
	source := func(model, credential string) []load.Source {
		return []load.Source{{Name: "d0/main.tf", Files: files, Data: []byte(`resource "konnect_gateway_plugin_ai_proxy_advanced" "p" {
  config = { targets = [{ route_type = "llm/v1/chat", model = { provider = "openai", name = ` + model + ` }, auth = { header_name = "A", header_value = ` + credential + ` } }] }
}
`)}}
	}
	for expression, want := range map[string]string{
		`trimspace(file("model.txt"))`:                          "m1",
		`trimspace(file("${path.module}/model.txt"))`:           "m1",
		`yamldecode(file("${path.root}/d/settings.yaml")).name`: "m2",
		`tostring(yamldecode("- 1\n- 0x10")[1])`:                "16",
		`fileexists("nowhere") ? "a" : "b"`:                     "b",
		`basename("a/b.txt")`:                                   "b.txt",
		`dirname("a/b.txt")`:                                    "a",
		`md5("a")`:                                              "0cc175b9c0f1b6a831c399e269772661",
		`sha1("a")`:                                             "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
		`substr(sha512("a"), 0, 8)`:                             "1f40fc92",
		`base64sha256("a")`:                                     "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=",
		`substr(base64sha512("a"), 0, 8)`:                       "H0D8ktok",
		`urldecode("a%20b")`:                                    "a b",
		`transpose({ a = ["x"], b = ["x", "y"] }).x[1]`:         "b",
	} {
		c, _, err := load.Sources(source(expression, `"x"`), load.Options{})
		require.NoError(t, err, expression)
		require.Equal(t, want, c.Plugins[0].Settings.Targets[0].Model.Name, expression)
	}
	for expression, want := range map[string]string{
		`file("../main.tf")`:                 "function file: no such file in the directory of this one",
		`file("/etc/passwd")`:                "function file: no such file in the directory of this one",
		`yamldecode("a: [")`:                 "function yamldecode: want one document of YAML",
		`yamldecode(file("bomb.yaml")).a[0]`: "function yamldecode: want one document of YAML",
		`urldecode("%zz")`:                   "function urldecode: want text that is encoded for URLs",
		`path.cwd`:                           `not supported yet: a reference to "path"`,
		`templatefile("model.txt", {})`:      "not supported yet: function templatefile",
		`timestamp()`:                        "not supported yet: function timestamp",
	} {
		_, _, err := load.Sources(source(expression, `"x"`), load.Options{})
		require.ErrorContains(t, err, want, expression)
	}
	text, _, err := load.Convert(source(`"m"`, `file("key.txt")`), "deck", load.Options{})
	require.NoError(t, err)
	require.NotContains(t, string(text), "sk-live")
	require.Contains(t, string(text), "DECK_PLUGIN_AI_PROXY_ADVANCED_P_CONFIG_TARGETS_0_AUTH_HEADER_VALUE")
}
