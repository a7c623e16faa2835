package script_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

func TestAnnotationsOfKubectlAreThoseAfterAllCommands(t *testing.T) {
	text := "echo \"" + strings.ReplaceAll(configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig), `"`, `\"`) + "\" | kubectl apply -f -\n"
	const annotate, bound = "kubectl annotate -n kong svc llm ", "kubectl annotate -n kong svc llm konghq.com/plugins=p\n"
	for commands, want := range map[string][]config.Scope{
		bound + annotate + "konghq.com/plugins-":           {},
		bound + annotate + "konghq.com/plugins-\n" + bound: {{Service: "kong/llm"}},
		bound + bound: {{Service: "kong/llm"}},
		bound + annotate + "konghq.com/plugins=q --overwrite":                                    {},
		annotate + "konghq.com/plugins=q\n" + annotate + "--overwrite=true konghq.com/plugins=p": {{Service: "kong/llm"}},
		annotate + "konghq.com/plugins=p --dry-run":                                              {},
		annotate + "--dry-run=server konghq.com/plugins=p":                                       {},
		annotate + "--dry-run=none konghq.com/plugins=p":                                         {{Service: "kong/llm"}},
		bound + "kubectl delete svc llm --dry-run=client":                                        {{Service: "kong/llm"}},
		bound + "kubectl delete deployment llm":                                                  {{Service: "kong/llm"}},
		"kubectl annotate -n kong kc a konghq.com/plugins=p":                                     {{Consumer: "a"}},
	} {
		c, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(text + commands)}}, load.Options{})
		require.NoError(t, err, commands)
		require.ElementsMatch(t, want, configtest.ScopesOf(c), commands)
	}
	lines := strings.Count(text, "\n")
	for command, want := range map[string]string{
		annotate + "konghq.com/plugins=q":                  "got an annotation that is there with another value",
		"kubectl annotate svc --all konghq.com/plugins=p":  "--all or --selector",
		"kubectl annotate svc -l a=b konghq.com/plugins=p": "--all or --selector",
		"kubectl patch svc llm -p '{\"metadata\": {}}'":    "kubectl patch of a resource of a kind that is read",
		"kubectl delete kongplugin p":                      "kubectl delete of a resource of a kind that is read",
		"kubectl delete deployment,svc.v1 --all":           "kubectl delete of a resource of a kind that is read",
		"kubectl label kongclusterplugin p global=true":    "kubectl label of a resource of a kind that is read",
		"kubectl delete -f - <<E\n{}\nE":                   "kubectl delete of a resource of a kind that is read",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(text + bound + command)}}, load.Options{})
		require.ErrorContains(t, err, want, command)
		require.ErrorContains(t, err, fmt.Sprintf("a.sh:%d: ", lines+2), command)
	}
}

func TestRoutesOfScriptsNeedNoName(t *testing.T) {
	text := "curl localhost:8001/services -d name=llm -d url=http://a.example\ncurl localhost:8001/services/llm/routes -d paths[]=/a\n" +
		"curl localhost:8001/services/llm/routes -d paths[]=/b\ncurl localhost:8001/services/llm/plugins -d '" + plainBody + "'\n"
	c, _ := loadScript(t, text, nil)
	again, _ := loadScript(t, text, nil)
	require.Len(t, c.Routes, 2)
	require.NotEqual(t, c.Routes[0].ID, c.Routes[1].ID)
	require.Equal(t, c.Routes, again.Routes)
}

func TestFaultsOfBodiesAreWhereTheyAre(t *testing.T) {
	for _, command := range []string{"curl localhost:8001/plugins -X POST", "curl localhost:8001/plugins -d ''", "curl localhost:8001/plugins -d '{' -d '}'", "curl localhost:8001/plugins -d '[]'"} {
		_, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte("cd x\n\n" + command)}}, load.Options{})
		require.Error(t, err, command)
		for line := range strings.SplitSeq(err.Error(), "\n") {
			require.True(t, strings.HasPrefix(line, "a.sh:3: "), line)
		}
	}
	c, _ := loadScript(t, "curl -X PUT localhost:8001/consumers/anna", nil)
	require.Equal(t, "anna", c.Consumers[0].Username)
}

func TestWhatPrintfPrintsIsReadAsWhatEchoPrintsIs(t *testing.T) {
	for _, command := range []string{"printf '%s' '", `printf '%s\n' '`, "printf '", "echo -n '", "echo '"} {
		c, _ := loadScript(t, command+plainBody+"' | curl localhost:8001/plugins -d @-", nil)
		require.Len(t, c.Plugins, 1, command)
	}
	_, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte("printf '{\"name\": \"%s\"}' a | curl localhost:8001/plugins -d @-")}}, load.Options{})
	require.EqualError(t, err, "a.sh:1: not supported yet: a body from a file")
}
