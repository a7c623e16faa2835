package load_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

// FuzzLoad feeds any text to the readers. Whatever it is, loading ends soon and
// without a panic, a configuration comes with no error, and nothing of the
// environment is in a message.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"../../examples/*/*", "testdata/faults/*.*ml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(f, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(f, err)
			f.Add(string(data))
		}
	}
	f.Add(aliasBomb(8))
	f.Add(configtest.Resource("KongPlugin", "p", "konghq.com/tags: ${{ env \"DECK_AA\" }}", "plugin: ai-proxy-advanced"+configtest.PluginConfig) +
		configtest.Resource("${{ env \"DECK_AA\" }}", "c", "konghq.com/plugins: p", "username: $AA"))
	f.Add(configtest.EveryEntity + configtest.ManyFields)
	f.Add("{\"plugins\": [{\"name\": \"ai-proxy-advanced\"}]}")
	f.Add("a: ${{ env \"DECK_A\" | indent 3 }}\r\n\u2028b: ${{ env \"DECK_LINES\" }}")
	f.Add("${{ $a := env `DECK_A` -}}\nplugins: ${{ if eq $a \"x\" }}1${{ else }}${{ printf \"%s\" (env \"DECK_AA\") }}${{ end }}\n${{ range $i := 3 }}a${{ $i }}: ${{ slice $a 1 $i }}\n${{ end }}")
	f.Add("${{ define \"a\" }}${{ . | html }}${{ end }}x: ${{ template \"a\" env \"DECK_A\" }} ${{ index (env \"DECK_A\") 99 }} ${{ end }}")
	env := func(name string) (string, bool) {
		if strings.HasSuffix(name, "S") {
			return configtest.Marker + ": '\n" + configtest.Marker, true
		}
		return configtest.Marker, len(name)%2 == 0
	}
	fuzzLoad(f, "f", env)
}

// FuzzTerraform does the same to the reader of Terraform files.
func FuzzTerraform(f *testing.F) {
	files, err := filepath.Glob("../../examples/terraform/*")
	require.NoError(f, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(data))
	}
	f.Add(configtest.TerraformPlugin("tags = concat(local.a, [for x in y : x])", "balancer = merge(local.b, { retries = -var.c.d[0] })") +
		"locals {\n a = [\"x\", <<-EOT\n y\nEOT\n]\n b = {}\n}\nvariable \"c\" { type = map(any) }")
	f.Add("resource \"konnect_gateway_key_auth\" \"k\" {\n consumer_id = \"a\"\n key = \"Bearer var.k ${var.l}\"\n}\nvariable \"k\" {}\nvariable \"l\" {}\nprose { here")
	f.Add("locals {\n a = { for i, x in var.c.d[*] : upper(x) => try(x, 1.50, null)... if can(x) }\n b = var.c.e ? -1.0e2 : konnect_gateway_service.s.name\n}\nresource \"konnect_gateway_service\" \"s\" {\n name = sensitive(format(\"%s\", local.b))\n}\n" + configtest.TerraformPlugin("tags = values(local.a)", "x = toset(flatten([local.a, [\"${local.b}\"]]))"))
	fuzzLoad(f, "f.tf", func(name string) (string, bool) { return configtest.Marker, strings.HasPrefix(name, "TF_VAR_") })
}

// FuzzTerraformFiles does the same to a module of several files and a complex variable.
func FuzzTerraformFiles(f *testing.F) {
	f.Add("variable \"a\" {\n type = map(object({ t = optional(number, 1.0), l = list(any) }))\n}\n"+configtest.TerraformPlugin("tags = var.a[\"x\"].l", ""), "b = [1.50, null]\n", "{ x = { l = var.b } }")
	f.Add(configtest.TerraformPlugin("", "x = var.b"), "b = \"var.b ${var.a}\"\na = -1", "[1e5, \"a\"]")
	f.Add("variable \"b\" {\n type = set(string)\n default = [sensitive(\"a\")]\n}\n"+configtest.TerraformPlugin("", "x = setproduct(var.b, var.a)"), "a = [[], {}]", "")
	f.Fuzz(func(t *testing.T, main, vars, value string) {
		sources := []load.Source{{Name: "z.tfvars", Data: []byte(vars)}, {Name: "main.tf", Data: []byte(main)}}
		env := func(name string) (string, bool) { return value, name == "TF_VAR_a" }
		var c *config.Config
		var err error
		spent, allocated := configtest.Cost(t, func() { c, _, err = load.Sources(sources, load.Options{Env: env}) })
		require.Less(t, spent, 5*time.Second)
		require.Less(t, allocated, uint64(256<<20))
		requireNoPanic(t, err)
		require.Equal(t, err == nil, c != nil)
		_, _, err = load.Convert(sources, "deck", load.Options{})
		requireNoPanic(t, err)
	})
}

// FuzzFiles does the same to a module of files in several formats.
func FuzzFiles(f *testing.F) {
	names := []string{"a.yaml", "b.tf", "c.tfvars", "d.sh", "e.json"}
	f.Add(configtest.EveryEntity, uint8(0), configtest.TerraformPlugin("route = { id = konnect_gateway_route.chat.id }\n consumer = { id = var.c }", ""), uint8(1))
	f.Add("t = [1.50, -2e3]\nc = { x = 0.10 }\n", uint8(2), "variable \"t\" { type = list(number) }\n"+configtest.TerraformPlugin("", "balancer = { retries = var.t[0], fail_timeout = -var.c.x }"), uint8(1))
	f.Add(configtest.Script, uint8(3), configtest.ClusterFile, uint8(0))
	f.Add("kubectl annotate -n kong svc/llm konghq.com/plugins=p,q", uint8(3), configtest.ClusterFile, uint8(4))
	f.Add("_plugin_configs: {x: {targets: []}}\n${{ if eq (env \"DECK_A\") \"\" }}a: 1", uint8(0), "{\"name\": \"ai-proxy-advanced\", \"_config\": \"x\"}", uint8(4))
	f.Fuzz(func(t *testing.T, first string, one uint8, second string, two uint8) {
		sources := []load.Source{
			{Name: names[int(one)%len(names)], Data: []byte(first)}, {Name: "2/" + names[int(two)%len(names)], Data: []byte(second)},
		}
		c, _, err := load.Sources(sources, load.Options{Env: configtest.AnyVariable})
		requireNoPanic(t, err)
		require.Equal(t, err == nil, c != nil)
		for _, to := range load.Writable() {
			_, _, err = load.Convert(sources, to, load.Options{})
			requireNoPanic(t, err)
		}
	})
}

// FuzzScript does the same to the reader of shell scripts.
func FuzzScript(f *testing.F) {
	for _, pattern := range []string{"../../examples/admin-api/route.sh", "../../examples/kubernetes/route.sh", "../../examples/konnect/global.sh"} {
		data, err := os.ReadFile(pattern)
		require.NoError(f, err)
		f.Add(string(data))
	}
	f.Add(configtest.Script)
	f.Add("echo \"a: '$A' \\$b ${C} \\\n\" | kubectl apply -f -\nkubectl annotate x y konghq.com/plugins=$Z")
	f.Add("kubectl apply -f - <<-'A' <<B\n\tkind: $X\nA\nkind: \\$Y ${Z}\\\nB\ncat <<C | kubectl apply -f -\n")
	f.Add("curl -sXPOST a/plugins -d 'name=x&a[1].b[]=$C' --data-urlencode \"d=${E}\" -F f=g\\\n | jq .; A=b kubectl -nk annotate svc/a x/b konghq.com/plugins=p <<< \"$F\"")
	fuzzLoad(f, "f.sh", func(string) (string, bool) { return configtest.Marker + "\n\"", true })
}

func fuzzLoad(f *testing.F, file string, env func(string) (string, bool)) {
	f.Fuzz(func(t *testing.T, text string) {
		var c *config.Config
		var warnings []config.Warning
		var err error
		spent, allocated := configtest.Cost(t, func() {
			c, warnings, err = load.Sources([]load.Source{{Name: file, Data: []byte(text)}}, load.Options{Env: env})
		})
		require.Less(t, spent, 5*time.Second)
		require.Less(t, allocated, uint64(256<<20))
		requireNoPanic(t, err)
		require.Equal(t, err == nil, c != nil)
		if err != nil && !strings.Contains(text, configtest.Marker) {
			require.NotContains(t, err.Error(), configtest.Marker)
			for _, w := range warnings {
				require.NotContains(t, w.String(), configtest.Marker)
			}
		}
	})
}

// FuzzConvert converts any text. Whatever converts loads again.
func FuzzConvert(f *testing.F) {
	f.Add(configtest.ManyFields, 0)
	f.Add(configtest.EveryEntity+configtest.Minimal, 1)
	f.Add(configtest.ClusterFile, 2)
	f.Add(configtest.Minimal+"      description: \"${{ env `DECK_A` }}'\\\"$x\"\n", 3)
	f.Add(configtest.EveryEntity, 4)
	f.Fuzz(func(t *testing.T, text string, i int) {
		formats := load.Writable()
		to := formats[uint(i)%uint(len(formats))]
		out, _, err := load.Convert([]load.Source{{Name: "f", Data: []byte(text)}}, to, load.Options{})
		requireNoPanic(t, err)
		if err != nil {
			return
		}
		if _, _, err := load.Sources([]load.Source{{Name: "f", Data: []byte(text)}}, load.Options{Env: configtest.AnyVariable}); err != nil {
			return // a value of the environment may be wrong for its field
		}
		_, _, err = load.Sources(sourceOf(to, out), load.Options{Env: configtest.AnyVariable})
		require.NoError(t, err, "%s", out)
	})
}
