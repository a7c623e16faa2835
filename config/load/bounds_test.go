package load_test

import (
	"fmt"
	"strings"
	"testing"

	"semlb/config/configtest"
	"semlb/config/load"
	"semlb/config/tree"
)

// aliasBomb doubles a list with each of n anchors.
func aliasBomb(n int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x]\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	fmt.Fprintf(&b, "plugins: *a%d\n", n)
	return b.String()
}

func TestHostileFilesCostLittle(t *testing.T) {
	env := configtest.Environment(map[string]string{"DECK_LONG": strings.Repeat("x\n", 1<<16)})
	for _, tt := range []struct{ name, text, want string }{
		{"alias bomb", aliasBomb(60), "got more than 100000 values"},
		{"alias bomb of merges", "a: &a {b: 1}\nc: &c {<<: [" + strings.Repeat("*a,", 100_000) + "]}\nplugins: *c", "got more than 100000 values"},
		{"wide merges", wideMerges(40_000), "unknown field"},
		{"shared blocks", sharedBomb(3000), "further faults are not shown"},
		{"alias of itself", "plugins: &a [*a]", "an alias contains itself"},
		{"deep flow list", "plugins: " + strings.Repeat("[", 200_000), "exceeded max depth"},
		{"deep list", "plugins: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "got values nested deeper than 64 levels"},
		{"deep blocks", strings.Repeat("- ", 9000) + "x", "got values nested deeper than 64 levels"},
		{"deep JSON", `{"plugins":` + strings.Repeat("[", 200_000), "got values nested deeper than 64 levels"},
		{"depth through aliases", deepAliases(100), "got values nested deeper than 64 levels"},
		{"too large", strings.Repeat("#", tree.MaxBytes+1), "got 4194305 bytes, want at most 4194304"},
		{"too many values", "plugins: [" + strings.Repeat("1,", 700_000) + "]", "too many values"},
		{"many values", "plugins: [" + strings.Repeat("1,", 250_000) + "]", "got more than 100000 values"},
		{"many values in JSON", `{"plugins": [` + strings.Repeat("1,", 250_000) + "1]}", "got more than 100000 values"},
		{"many templates", strings.Repeat("${{ env (", 100_000), "render template"},
		{"deep template", "a: ${{ " + strings.Repeat("toInt (", 500_000), "too many parentheses"},
		{"templates that grow", strings.Repeat("# x\na: ${{ env \"DECK_LONG\" | indent 1000 }}\n", 50), "bytes, want at most"},
		{"long line of templates", strings.Repeat(`é${{ env "DECK_NO" }}`, 100_000), "is not set"},
		{"long names", `{"plugins": [{"name": "ai-proxy-advanced", "` + strings.Repeat("a", 2_000_000) + `": 1}]}`, "unknown field"},
		{"many faults", "plugins: [" + strings.Repeat("1,", 50_000) + "]", "further faults are not shown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			configtest.RequireCheap(t, load.Source{Name: "kong.yaml", Data: []byte(tt.text)}, env, tt.want)
		})
	}
}

func TestHostileScriptsCostLittle(t *testing.T) {
	const request = "curl localhost/plugins -d '{}'\n"
	for name, text := range map[string]string{
		"commands":    strings.Repeat("a;", 2_000_000),
		"requests":    strings.Repeat(request, 100_000),
		"indexes":     "curl localhost/plugins" + formIndexes(300) + "\n",
		"one word":    strings.Repeat("a", 4_000_000) + "\ncurl localhost/plugins -d @a",
		"escapes":     strings.Repeat(`\a`, 2_000_000),
		"dollars":     strings.Repeat("$.", 2_000_000),
		"braces":      "curl " + strings.Repeat("{a", 1_000_000),
		"variables":   "curl localhost/plugins -d \"" + strings.Repeat("$A", 50_000) + "\"",
		"address":     "curl -d '{}' " + strings.Repeat("{aId}", 50_000),
		"open quote":  "curl localhost/plugins -d '" + strings.Repeat("[", 250_000),
		"open quotes": strings.Repeat(`"a'b`, 900_000),
		"brackets":    strings.Repeat("(", 1_000_000),
		"conditions":  strings.Repeat("if ", 1_000_000),
		"nested":      strings.Repeat("if ", 40_000) + strings.Repeat("(", 40_000),
		"operators":   "echo $((" + strings.Repeat("!", 1_000_000),
		"pipes":       strings.Repeat("a|", 40_000) + "a; (",
		"one command": "a" + strings.Repeat(" a", 1_900_000),
		"form":        "curl localhost/plugins -d '" + strings.Repeat("a=b&", 1_000_000) + "'",
		"patches":     "curl localhost/plugins -d '{\"instance_name\": \"p\", \"x\": [" + strings.Repeat("1,", 50_000) + "1]}'\n" + strings.Repeat("curl localhost/plugins/p -X PATCH -d '{}'\n", 15_000),
		"deletes":     strings.Repeat("curl localhost/routes/p -X PUT -d '{}'\ncurl localhost/routes/p -X DELETE\n", 8_000) + "curl localhost/plugins -d '{}'",
		"assignments": "B=" + strings.Repeat("x", 1000) + "\n" + strings.Repeat("B=$B$B\n", 100) + strings.Repeat("C=$B$A\n", 10_000) + request,
		"doubling":    "B=x\n" + strings.Repeat("B=$B$B\n", 60) + "curl localhost:8001/plugins -d \"$B\"",
		"loops":       "for a in {1..9999}; do for b in {1..9999}; do curl localhost:8001/plugins -d name=x; done; done",
		"a log":       "echo >f; for a in {1..9999}; do echo $a >>f; done; curl localhost:8001/plugins -d @f",
		"same bodies": "B='" + strings.Repeat("x", 3<<20) + "'\nfor a in {1..9999}; do curl localhost:8001/plugins -d \"$B\"; done",
		"copies":      "echo x >f\n" + strings.Repeat("cat f >g; cat g >f; cat f >>f\n", 500) + "curl localhost:8001/plugins -d @f",
		"form steps":  "curl localhost/plugins -d '" + strings.Repeat("a.", 1_000_000) + "=b'",
	} {
		t.Run(name, func(t *testing.T) {
			configtest.RequireCheap(t, load.Source{Name: "a.sh", Data: []byte(text)}, configtest.Environment(map[string]string{"A": strings.Repeat("x", 1<<16)}), "a.sh")
		})
	}
}

func TestHostileClustersCostLittle(t *testing.T) {
	paths := strings.Repeat("{path: /}, ", 20_000)
	many := configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig)
	for i := range 200 {
		many += configtest.Resource("Service", fmt.Sprint("s", i), "konghq.com/plugins: p", "") + configtest.Resource("KongConsumer", fmt.Sprint("c", i), "konghq.com/plugins: p", fmt.Sprint("username: c", i))
	}
	for name, tt := range map[string]struct{ text, want string }{
		"names":  {configtest.Resource("Service", "s", "konghq.com/plugins: '"+strings.Repeat("p,", 150_000)+"'", ""), "got more than 10000 bindings of plugins"},
		"routes": {configtest.Resource("HTTPRoute", "r", "konghq.com/plugins: '"+strings.Repeat("p,", 1000)+"'", "spec: {rules: ["+strings.Repeat("{}, ", 5000)+"]}"), "got more than 10000 bindings of plugins"},
		"scopes": {many, "got more than 10000 scopes of one plugin"},
		"paths":  {configtest.Resource("Ingress", "i", "", "spec: {rules: [{http: {paths: ["+paths+"{path: 1, pathType: x}]}}]}"), "want Prefix"},
	} {
		t.Run(name, func(t *testing.T) {
			configtest.RequireCheap(t, load.Source{Name: "kong.yaml", Data: []byte(tt.text)}, configtest.Environment(nil), tt.want)
		})
	}
}

// deepAliases nests a list n deep, one level with each anchor.
func deepAliases(n int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x]\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d]\n", i, i, i-1)
	}
	return b.String()
}

// wideMerges merges an object of n fields and then n small ones.
func wideMerges(n int) string {
	var b strings.Builder
	b.WriteString("_comment: &wide {a: 1")
	for i := range n {
		fmt.Fprintf(&b, ", a%d: 1", i)
	}
	b.WriteString("}\nx: {<<: [*wide" + strings.Repeat(", &a {b: 1}", 1) + strings.Repeat(", *a", n/2) + "]}\n")
	return b.String()
}

// sharedBomb has n plugins share a block of n values.
func sharedBomb(n int) string {
	return "_plugin_configs: {s: {targets: [" + strings.Repeat("1,", n) + "]}}\nplugins:\n" +
		strings.Repeat("- {name: ai-proxy-advanced, _config: s}\n", n)
}

// formIndexes are form fields whose indexes make 1,000 elements each.
func formIndexes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " -d 'a%d[1000]=x'", i)
	}
	return b.String()
}
