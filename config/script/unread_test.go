package script_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

// served makes a service, its route and an instance.
const served = "curl localhost:8001/services -d name=llm -d url=http://a.example\n" +
	"curl localhost:8001/services/llm/routes -d name=r -d paths[]=/r\n" +
	"curl localhost:8001/services/llm/plugins -d '" + plainBody + "'\n"

func TestAPluginThatGuardsIsReadWhereverACommandOfAScriptMakesIt(t *testing.T) {
	const request = "localhost:8001/services/llm/plugins -d name=key-auth"
	for _, line := range []string{
		"curl " + request,
		`echo "$(curl ` + request + `)"`, "echo `curl " + request + "`", "R=$(curl " + request + ")", "export R=$(curl " + request + ")",
		"for x in $(curl " + request + "); do :; done", "cat <(curl " + request + ")", "[[ $(curl " + request + ") ]]",
		"set <<E\n$(curl " + request + ")\nE", "echo $(echo $(curl " + request + "))", "coproc curl " + request,
		"sudo curl " + request, "/usr/bin/curl " + request, "command curl " + request, "env A=b curl " + request, "sudo env curl " + request,
		"CURL=curl; $CURL " + request, `CURL="curl -sS"; $CURL ` + request, "M=POST; curl -X $M " + request,
		"curl localhost:8001/default/services/llm/plugins -d name=key-auth", "curl http://localhost/default/plugins -d name=key-auth",
		"curl -d name=key-auth localhost:8001/services/llm/plugins https://a.example/x",
		"curl localhost:8001/services -d name=b -d host=b --next " + request,
		"curl --no-such-flag value " + request,
		"F='-d name=key-auth'; curl localhost:8001/services/llm/plugins $F", `F="-sS  --json"; curl $F '{"name": "key-auth"}' localhost:8001/services/llm/plugins`,
	} {
		c, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(served + line)}}, load.Options{})
		require.NoError(t, err, line)
		require.Len(t, c.Guarding, 1, line)
		require.Equal(t, "key-auth", c.Guarding[0].Name)
	}
}

func TestACommandThatIsNotReadAndMayConfigureIsAFault(t *testing.T) {
	const request = "curl localhost:8001/services/llm/plugins -d name=key-auth"
	for _, line := range []string{
		`bash -c "` + request + `"`, `eval "` + request + `"`, "xargs " + request, "sudo -E " + request, "kubectl exec deploy/kong -- " + request,
		"bash <<E\n" + request + "\nE", `echo "` + request + `" | sh`, "docker exec kong curl kong:8001/plugins -d @body.json",
		"http POST :8001/services/llm/plugins name=key-auth", "http POST $URL 'name:=\"key-auth\"'", "wget --post-data name=key-auth $URL",
		`python3 -c 'post("http://localhost:8001/plugins", {"name": "key-auth"})'`, `bash -c "curl $URL -d '{\"name\": \"key-auth\"}'"`,
		"wget https://eu.api.konghq.com/v2/control-planes/x/core-entities/plugins --post-file f", "A=localhost:8001; wget $A/plugins",
		"curl --expand-data '{{v}}' localhost:8001/plugins", "curl -K file", "curl -T body.json localhost:8001/plugins/p",
		"curl -X post localhost:8001/services/llm/plugins -d name=key-auth", "curl $URL -d name=key-auth", "curl $(url) --json '{\"name\": \"acl\"}'",
		"add() { curl localhost:8001/services/$1/plugins -d name=key-auth; }; add llm", `add() { curl "$ADMIN/services/${1}/plugins" -d name=key-auth; }`,
		"curl localhost:8001/unknown/thing -d a=b", "curl localhost:8001/team/services/llm/plugins -d name=key-auth",
		"curl 'localhost:8001/services/{llm,b}/plugins' -d name=key-auth", "curl -X $M localhost:8001/plugins -d a=b", "curl localhost:8001/config -F config=b",
		"F=(-d @body.json)\ncurl localhost:8001/plugins \"${F[@]}\"", "add() { curl localhost:8001/plugins \"$@\"; }", "curl $F localhost:8001/plugins", "curl localhost:8001/plugins $(flags)",
		"F=(localhost:8001/plugins -d @body.json)\ncurl \"${F[@]}\"", "F=(-d name=key-auth)\ncurl $URL \"${F[@]}\"", "F=(-f plugins.yaml)\nkubectl apply \"${F[@]}\"", "kubectl create $F",
		"sudo -E kubectl apply -f p.yaml", "minikube kubectl -- apply -n kong -f p.yaml", "oc create -f p.yaml", "docker run -v .:/d kong/deck:latest gateway sync /d/kong.yaml", "sudo -u x deck sync -s kong.yaml",
		"cat >a.sh <<'E'\n" + request + "\nE\nsh a.sh", "echo '" + request + "' >a.sh; source ./a.sh", "echo '" + request + "' >a.sh; ./a.sh", "echo '" + request + "' | tee a.sh | sh",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(served + line)}}, load.Options{})
		require.Error(t, err, line)
		require.Regexp(t, `a\.sh:[4-9]: `, err.Error(), line)
	}
	_, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte("xargs " + request)}}, load.Options{})
	require.EqualError(t, err, `a.sh:1: not supported yet: command "xargs" that may make a request to the Admin API: write it as a curl command`)
}

func TestCommandsThatCannotConfigureAreIgnored(t *testing.T) {
	for _, line := range []string{
		"docker run -p 8001:8001 kong", "kubectl port-forward svc/kong 8001:8001", "cp /opt/plugins/x /srv/services/", "nc -z localhost 8001",
		"wget https://a.example/services/x", "docker run --name kong kong", "curl https://a.example/api/services -d a=b", "X=$(jq . f)",
		"curl -X POST localhost:8001/upstreams -d name=u", "curl -X TRACE localhost:8001/x", "curl -T f https://a.example/f",
		"curl https://us.api.konghq.com/v2/control-planes -d name=cp", "until curl -s localhost:8001/status; do sleep 1; done",
		"curl -s $F localhost:8001/status", "F=(-s -f)\ncurl \"${F[@]}\" https://a.example/plugins", "A=' '; $A", "echo x >a; rm a", "curl -G $F localhost:8001/plugins", "echo ls >a.sh; sh a.sh",
		"oc create namespace kong", "minikube kubectl -- get pods -f", "docker run kong/deck gateway dump", "which kubectl", "cp deck /usr/bin/deck", "terraform apply -f", "kubectl create secret generic x -f y",
	} {
		c, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(served + line)}}, load.Options{})
		require.NoError(t, err, line)
		require.Equal(t, []config.Scope{{Service: "llm"}}, configtest.ScopesOf(c), line)
	}
}

func TestWhatMayTakeAPluginAwayIsAFault(t *testing.T) {
	const made, remove = served + "curl localhost:8001/plugins -d name=key-auth -d instance_name=k\n", "curl -X DELETE localhost:8001/plugins/k"
	for _, line := range []string{
		"if [ \"$X\" ]; then " + remove + "; fi", "if :; then :; else " + remove + "; fi", "[ \"$X\" ] && " + remove, "false || " + remove, "false || true || " + remove,
		"clean() { " + remove + "; }", "case $X in a) " + remove + ";; esac", "while false; do " + remove + "; done", "false && { ( " + remove + " ); }",
		"false && for i in a; do " + remove + "; done", "if false; then X=$(" + remove + "); fi", "false && curl -X PATCH localhost:8001/plugins/k -d enabled=false",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(made + line)}}, load.Options{})
		require.EqualError(t, err, "a.sh:5: not supported yet: a request that takes away what the script makes, only if a condition is met or a function is called", line)
	}
	for line, guards := range map[string]int{
		remove: 0, "true && true\n" + remove: 0, "{ " + remove + "; }": 0, "if ! " + remove + "; then exit 1; fi": 0, remove + " || exit 1": 0, "for i in k; do " + remove + "; done": 0, remove + " | jq .": 0,
		"false && curl -X DELETE localhost:8001/plugins/other": 1, "true && curl -X PATCH localhost:8001/plugins/k -d tags=a": 1,
	} {
		c, _ := loadScript(t, made+line, nil)
		require.Len(t, c.Guarding, guards, line)
	}
}

func TestRequestsOfAScriptAreInOneWorkspace(t *testing.T) {
	c, _ := loadScript(t, strings.ReplaceAll(served, "8001/", "8001/team/"), nil)
	require.Equal(t, "llm", c.Services[0].Name)
	_, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte("curl h:8001/a/plugins -d '" + plainBody + "'\ncurl h:8001/b/plugins -d '" + plainBody + "'")}}, load.Options{})
	require.EqualError(t, err, "a.sh:2: not supported yet: requests for several workspaces")
}
