package load_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

// plantedKey looks like a key. Every message of these tests is searched for it.
const plantedKey = "sk-live-Q7x9Kq2mV8Lp4Zt3"

// plantable are the words of a file: names, literals, arguments, references.
var plantable = regexp.MustCompile(`[\w$.:/{}@=+-]*\w[\w$.:/{}@=+-]*`)

// plantedTexts are texts of all formats, by the names of their files.
func plantedTexts(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{
		"entities.yaml": configtest.EveryEntity, "fields.yaml": configtest.ManyFields, "cluster.yaml": configtest.ClusterFile,
		"all.sh":   configtest.Script + "\nKEY=value env A=b\nexport KEY=value\nkubectl -n kong annotate service llm konghq.com/plugins=p\nkubectl get pods\n",
		"main.tf":  "variable \"key\" { default = \"value\" }\nlocals {\n  a = var.key\n}\n" + configtest.TerraformPlugin("tags = [local.a]", "balancer = { retries = 1 }"),
		"a.tfvars": "key = \"value\"\nnumber = 1.50\n",
	}
	for _, file := range []string{"deck/consumer.yaml", "kubernetes/route.yaml", "kubernetes/route.sh", "terraform/service.tf", "admin-api/global.sh", "konnect/consumer.sh"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "examples", file))
		require.NoError(t, err)
		texts[file] = string(data)
	}
	return texts
}

// plantedBeside are the ways in which a key stands in the place of a word.
func plantedBeside(word string) []string {
	return []string{plantedKey, `"` + plantedKey, word + plantedKey, "A=" + plantedKey, plantedKey + " x", plantedKey + ": x"}
}

// TestNoMessageHoldsAKeyWhereverItStands puts a key in the place of every word of files
// of all formats, one at a time. The environment holds keys too.
func TestNoMessageHoldsAKeyWhereverItStands(t *testing.T) {
	opts := load.Options{Env: func(string) (string, bool) { return plantedKey, true }}
	for name, text := range plantedTexts(t) {
		t.Run(name, func(t *testing.T) {
			for i, at := range plantable.FindAllStringIndex(text, -1) {
				word := text[at[0]:at[1]]
				ways := plantedBeside(word)
				planted := ways[i%len(ways)]
				source := []load.Source{{Name: name, Data: []byte(text[:at[0]] + planted + text[at[1]:])}}
				_, warnings, err := load.Sources(source, opts)
				requireNoKey(t, warnings, err, word)
				_, warnings, err = load.Convert(source, "terraform", load.Options{})
				requireNoKey(t, warnings, err, word)
			}
		})
	}
}

func requireNoKey(t *testing.T, warnings []config.Warning, err error, word string) {
	t.Helper()
	for _, w := range warnings {
		require.NotContains(t, w.String(), plantedKey, word)
	}
	if err != nil {
		require.NotContains(t, err.Error(), plantedKey, word)
	}
}
