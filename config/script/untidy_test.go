package script_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

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
		"false && " + annotate + "konghq.com/plugins-":     "only if a condition is met",
		"f() { " + annotate + "konghq.com/plugins-; }":     "only if a condition is met",
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
	require.EqualError(t, err, "a.sh:1: not supported yet: a body that only a shell knows")
}

func TestBodiesThatAreWrittenInOtherWaysAreRead(t *testing.T) {
	const request = "curl localhost:8001/plugins -d "
	for _, text := range []string{
		request + "\"$(cat <<E\n" + plainBody + "\nE\n)\"", request + "\"`cat <<'E'\n" + plainBody + "\nE\n`\"", request + "@- <<E\n" + plainBody + "\nE",
		request + "$'" + strings.ReplaceAll(plainBody, ", ", `,\n\u0020`) + "'", request + "\"$(echo '" + plainBody + "')\"", request + "\"$(printf '%s' '" + plainBody + "')\"",
		"B=$(cat <<E\n" + plainBody + "\nE\n)\n" + request + "\"$B\"", "B='" + plainBody + "'; C=$B; B=x; " + request + "\"$C\"",
		"read -r -d '' B <<E\n" + plainBody + "\nE\n" + request + "\"$B\"", "cat >/tmp/b.json <<E\n" + plainBody + "\nE\n" + request + "@/tmp/b.json",
		"f=$(mktemp)\ncat <<E >$f\n" + plainBody + "\nE\n" + request + "@$f", "tee b.json <<E\n" + plainBody + "\nE\n" + request + "\"$(cat b.json)\"",
		"echo '" + plainBody[:29] + "' >b; echo '" + plainBody[29:] + "' >> b; cat b | " + request + "@-", "echo '" + plainBody + "' | tee b; " + request + "@b",
		"echo '" + plainBody[:29] + "' >b; echo '" + plainBody[29:] + "' | tee -a b; " + request + "@b",
		"{ echo '" + plainBody[:29] + "'; cat <<E; } | " + request + "@-\n" + plainBody[29:] + "\nE", "for x in only; do " + request + "'" + plainBody + "'; done",
	} {
		c, _ := loadScript(t, text, nil)
		require.Len(t, c.Plugins, 1, text)
		require.Equal(t, "m", c.Plugins[0].Settings.Targets[0].Model.Name, text)
	}
	for text, want := range map[string]string{
		"cat b >c; " + request + "@c":                                                "a.sh:1: not supported yet: a body from a file that is not beside the script",
		"echo >>b '" + plainBody + "'; " + request + "@b":                            "a.sh:1: not supported yet: a substitution other than",
		"{ cat x; echo '" + plainBody + "'; } >b; " + request + "@b":                 "a.sh:1: not supported yet: a substitution other than",
		"echo '" + plainBody + "' >b; for i in a; do :; done >>b; " + request + "@b": "a.sh:1: not supported yet: a substitution other than",
		request + "@b":                                                   "a.sh:1: not supported yet: a body from a file that is not beside the script",
		request + "\"$(jq . <<E\n{}\nE\n)\"":                             "a.sh:1: not supported yet: a substitution other than",
		"add() { " + request + "\"$1\"; }":                               "a.sh:1: not supported yet: a body that is a parameter such as $1",
		"while read -r b; do " + request + "$b; done":                    "a.sh:1: not supported yet: variable b, whose value only a shell knows",
		"read b; " + request + "\"{\\\"name\\\": \\\"$b\\\"}\"":          "a.sh:1: not supported yet: variable b, whose value only a shell knows",
		"{ curl a.example; echo; } | " + request + "@-":                  "a.sh:1: not supported yet: a substitution other than",
		"curl a.example | " + request + "@-":                             "a.sh:1: not supported yet: a body that only a shell knows",
		"for ((i=0; i<2; i++)); do " + request + "name=$i; done":         "a.sh:1: not supported yet: variable i, whose value only a shell knows",
		"for i; do curl localhost:8001/services/$i -X DELETE; done":      "a.sh:1: not supported yet: variable i, whose value only a shell knows",
		"for i in *.json; do " + request + "@$i; done":                   "a.sh:1: not supported yet",
		"for i in $(seq 3); do " + request + "name=$i; done":             "a.sh:1: not supported yet: variable i, whose value only a shell knows",
		"for i in {1..999}; do for j in {1..999}; do :; done; done":      "a.sh:1: not supported yet: loops that run so often",
		"kubectl apply -f x.yaml":                                        "a.sh:1: kubectl applies a file that is not beside the script: give it as well, with -c",
		"deck gateway sync kong.yaml":                                    "a.sh:1: deck applies a file that is not beside the script: give it as well, with -c",
		"kubectl get x -o yaml | kubectl apply -f -":                     "a.sh:1: not supported yet: kubectl applies what only a shell knows",
		"deck gateway dump -o - | deck gateway sync":                     "a.sh:1: not supported yet: deck applies what only a shell knows",
		"kubectl apply -k overlays/prod":                                 "a.sh:1: not supported yet: kubectl apply -k: give what kubectl kustomize prints, with -c",
		"deck sync -s - <<'E'\nplugins: [{name: '${{ env \"K\" }}'}]\nE": "a.sh:1: not supported yet: a template of decK in a script: write it into a file",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(text)}}, load.Options{Env: configtest.Environment(map[string]string{"i": "x", "b": "x"})})
		require.ErrorContains(t, err, want, text)
	}
}

func TestLoopsOverKnownWordsRunOnceForEach(t *testing.T) {
	const body = "do\ncurl localhost:8001/services -d name=$s -d url=http://$s.example\ncurl localhost:8001/services/$s/plugins -d '" + plainBody + "'\ndone"
	for head, want := range map[string][]config.Scope{
		"for s in a b; ":                           {{Service: "a"}, {Service: "b"}},
		"for s in 'a' \"b\"; ":                     {{Service: "a"}, {Service: "b"}},
		"A=a; for s in $A $A-b; ":                  {{Service: "a"}, {Service: "a-b"}},
		"LIST='a b'\nfor s in $LIST; ":             {{Service: "a"}, {Service: "b"}},
		"for s in $LIST; ":                         {{Service: "x"}, {Service: "y"}},
		"for s in {a,b}{1..2}; ":                   {{Service: "a1"}, {Service: "a2"}, {Service: "b1"}, {Service: "b2"}},
		"for s in a b; do :; done; for s in c d; ": {{Service: "c"}, {Service: "d"}},
	} {
		c, _ := loadScript(t, head+body, map[string]string{"LIST": "x y"})
		require.ElementsMatch(t, want, configtest.ScopesOf(c), head)
	}
	c, _ := loadScript(t, "for p in a b; do for s in ${p}1; "+body+"; done", nil)
	require.ElementsMatch(t, []config.Scope{{Service: "a1"}, {Service: "b1"}}, configtest.ScopesOf(c))
}

func TestFilesThatAScriptNamesAreReadBesideIt(t *testing.T) {
	resource := configtest.Resource("KongClusterPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig)
	files := fstest.MapFS{
		"body.json":    {Data: []byte(plainBody)},
		"k8s/p.yaml":   {Data: []byte(strings.Replace(resource, "metadata:", "metadata:\n  labels: {global: \"true\"}", 1))},
		"k8s/notes.md": {Data: []byte("#")},
		"kong.yaml":    {Data: []byte("_format_version: \"3.0\"\nplugins:\n- " + strings.Replace(plainBody, `"m"`, `"${{ env "DECK_M" }}"`, 1) + "\n")},
	}
	for _, text := range []string{
		"curl localhost:8001/plugins -d @body.json", "curl localhost:8001/plugins --json @./body.json", "curl localhost:8001/plugins -X POST -T body.json", "cat body.json | curl localhost:8001/plugins -d @-",
		"curl localhost:8001/plugins -d @- < body.json", "curl localhost:8001/plugins -d \"$(<body.json)\"", "for f in body; do curl localhost:8001/plugins -d @$f.json; done",
		"deck gateway sync kong.yaml", "deck gateway apply --konnect-token $T kong.yaml", "deck sync -s kong.yaml", "deck gateway sync kong.yaml; deck gateway sync ./kong.yaml",
		"deck --verbose 1 sync -s kong.yaml", "deck gateway sync --verbose 2 --parallelism 1 kong.yaml",
	} {
		var opened []string
		c, _, err := load.Sources([]load.Source{{Name: "d/a.sh", Data: []byte(text), Files: files}}, load.Options{
			Env: configtest.Environment(map[string]string{"DECK_M": "m"}), Opened: func(path string) { opened = append(opened, path) },
		})
		require.NoError(t, err, text)
		require.Len(t, c.Plugins, 1, text)
		require.NotEmpty(t, opened, text)
		require.True(t, strings.HasPrefix(opened[0], "d/"), opened[0])
	}
	for _, writing := range []string{"{ date; } >body.json", "date &>body.json", ">body.json", "for f in a; do date; done >>body.json", "date | tee -a body.json"} {
		text := writing + "\ncurl localhost:8001/plugins -d @body.json"
		_, _, err := load.Sources([]load.Source{{Name: "d/a.sh", Data: []byte(text), Files: files}}, load.Options{})
		require.ErrorContains(t, err, "not supported yet", "the script has written another one: "+text)
	}
	_, _, err := load.Sources([]load.Source{{Name: "d/a.sh", Data: []byte("deck gateway sync kong.yaml"), Files: files}}, load.Options{})
	require.EqualError(t, err, "d/kong.yaml:3: DECK_M is not set: export DECK_M=…")
	_, _, err = load.Sources([]load.Source{{Name: "d/a.sh", Data: []byte("curl localhost:8001/plugins -d @../body.json"), Files: files}}, load.Options{})
	require.ErrorContains(t, err, "not beside the script")
	_, _, err = load.Sources([]load.Source{{Name: "d/a.sh", Data: []byte("deck gateway sync kong.yaml other/kong.yaml"), Files: files}}, load.Options{Env: configtest.AnyVariable})
	require.ErrorContains(t, err, "not beside the script", "the script names two files of one name")
	given := []load.Source{{Name: "d/a.sh", Data: []byte("deck gateway sync other/kong.yaml"), Files: files}, {Name: "x/kong.yaml", Data: []byte(configtest.Minimal)}}
	c, _, err := load.Sources(given, load.Options{Env: configtest.AnyVariable})
	require.NoError(t, err)
	require.Len(t, c.Plugins, 1)
}

// TestDirectoriesThatAScriptNamesAreReadAsTheCommandReadsThem: a plugin that guards may be
// below the directory.
func TestDirectoriesThatAScriptNamesAreReadAsTheCommandReadsThem(t *testing.T) {
	global := func(plugin string) *fstest.MapFile {
		resource := configtest.Resource("KongClusterPlugin", "p-"+plugin[:3], "", "plugin: "+plugin)
		return &fstest.MapFile{Data: []byte(strings.Replace(resource, "metadata:", "metadata:\n  labels: {global: \"true\"}", 1))}
	}
	files := fstest.MapFS{
		"k8s/p.yaml": global("ai-proxy-advanced" + configtest.PluginConfig), "k8s/team/keys.yml": global("key-auth"), "k8s/notes.md": {Data: []byte("#")},
		"state/kong.yaml": {Data: []byte(configtest.Minimal)}, "state/team/keys.YAML": {Data: []byte("_format_version: \"3.0\"\nplugins: [{name: key-auth}]\n")},
	}
	for command, guards := range map[string]int{
		"kubectl apply -f k8s": 0, "kubectl apply -R -f k8s/": 1, "kubectl apply --recursive -f k8s": 1, "kubectl apply -Rf ./k8s": 1, "deck gateway sync state": 1,
	} {
		c, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(command), Files: files}}, load.Options{Env: configtest.AnyVariable})
		require.NoError(t, err, command)
		require.Len(t, c.Plugins, 1, command)
		require.Len(t, c.Guarding, guards, command)
	}
}

func TestAnnotationsOfKubectlChangeThoseOfResources(t *testing.T) {
	const service = "kubectl apply -f - <<E\napiVersion: v1\nkind: Service\nmetadata: {name: llm, namespace: kong, annotations: {konghq.com/plugins: q}}\nE\n"
	text := service + "echo \"" + strings.ReplaceAll(configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig), `"`, `\"`) + "\" | kubectl apply -f -\n"
	const annotate = "kubectl annotate -n kong svc llm "
	for command, want := range map[string][]config.Scope{
		annotate + "konghq.com/plugins=p --overwrite": {{Service: "kong/llm"}},
		annotate + "konghq.com/plugins-":              {},
		strings.Replace(text, "plugins: q", "plugins: p", 1)[:len(service)] + annotate + "konghq.com/plugins=p": {{Service: "kong/llm"}},
	} {
		text := text
		if strings.HasPrefix(command, service[:20]) {
			text = strings.Replace(text, "plugins: q", "plugins: p", 1)
			command = command[len(service):]
		}
		c, warnings, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(text + command)}}, load.Options{})
		require.NoError(t, err, command)
		require.Equal(t, want, configtest.ScopesOf(c), command)
		require.NotContains(t, fmt.Sprint(warnings), `"q"`)
	}
	_, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(text + annotate + "konghq.com/plugins=p")}}, load.Options{})
	require.ErrorContains(t, err, "kubectl changes it with --overwrite only")
}
