package script_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

func TestScriptsOfExamplesAreReadWithoutBeingExecuted(t *testing.T) {
	env := configtest.Environment(map[string]string{"OPENAI_API_KEY": "sk-1"})
	for _, api := range []string{"admin-api", "konnect"} {
		for name, part := range map[string]func(string) config.Scope{
			"global":         func(string) config.Scope { return config.Scope{} },
			"service":        func(s string) config.Scope { return config.Scope{Service: s} },
			"route":          func(s string) config.Scope { return config.Scope{Route: s} },
			"consumer":       func(s string) config.Scope { return config.Scope{Consumer: s} },
			"consumer_group": func(s string) config.Scope { return config.Scope{ConsumerGroup: s} },
		} {
			t.Run(api+"/"+name, func(t *testing.T) {
				file := filepath.Join("..", "..", "examples", api, name+".sh")
				c, warnings, err := load.Files(load.Options{Env: env}, file)
				require.NoError(t, err)
				require.Len(t, c.Plugins, 1)
				placeholder := map[string]string{
					"admin-api/service": "serviceName|Id", "admin-api/route": "routeName|Id", "admin-api/consumer": "consumerName|Id",
					"admin-api/consumer_group": "consumerGroupName|Id", "konnect/service": "serviceId", "konnect/route": "routeId",
					"konnect/consumer": "consumerId", "konnect/consumer_group": "consumerGroupId",
				}[api+"/"+name]
				require.Equal(t, part(placeholder), c.Plugins[0].Scope)
				if placeholder == "" {
					require.Empty(t, warnings)
				} else {
					require.Equal(t, file+":1: replace {"+placeholder+"} by a name or an id", warnings[0].String())
				}
				configtest.RequireExample(t, c.Plugins[0])
			})
		}
	}
	for name, warning := range map[string]string{
		"global": "", "service": "bound to nothing", "consumer": "bound to nothing",
	} {
		c, warnings, err := load.Files(load.Options{Env: env}, filepath.Join("..", "..", "examples", "kubernetes", name+".sh"))
		require.NoError(t, err)
		if warning == "" {
			require.Empty(t, warnings)
			configtest.RequireExample(t, c.Plugins[0])
		}
	}
}

func TestScriptsMakeEntities(t *testing.T) {
	source := []load.Source{{Name: "all.sh", Data: []byte(configtest.Script)}}
	c, warnings, err := load.Sources(source, load.Options{Env: configtest.Environment(map[string]string{"ANNA_KEY": "sk-1", "MODEL": "m"})})
	require.NoError(t, err)
	require.Equal(t, "llm", c.Services[0].Name)
	require.Equal(t, "llm", c.Routes[0].Service)
	require.Equal(t, []string{"gold"}, c.Consumers[0].Groups)
	require.Equal(t, "sk-1", c.Consumers[0].KeyAuth[0].Key.Reveal())
	require.Equal(t, config.Scope{Route: "chat", Consumer: "anna"}, c.Plugins[0].Scope)
	require.Equal(t, "it's $5", c.Plugins[0].InstanceName)
	require.Equal(t, "m", c.Plugins[0].Settings.Targets[0].Model.Name)
	require.Equal(t, 11, c.Plugins[0].Position.Line)
	require.Equal(t, 13, c.Plugins[0].Settings.Targets[0].Position.Line)
	var texts []string
	for _, w := range warnings {
		texts = append(texts, w.String())
	}
	require.Equal(t, []string{
		`all.sh:9: a request to "/upstreams" is ignored`,
		`all.sh:10: command "rm" is ignored`,
	}, texts)

	_, _, err = load.Sources(source, load.Options{})
	require.EqualError(t, err, "all.sh:7: ANNA_KEY is not set: export ANNA_KEY=…\nall.sh:13: MODEL is not set: export MODEL=…")
	_, _, err = load.Sources([]load.Source{{Name: "a.sh", Data: []byte("curl localhost/plugins -d '{\n\"name\": 1 2}'")}}, load.Options{})
	require.EqualError(t, err, "a.sh:2: read JSON: invalid syntax")
	_, _, err = load.Sources([]load.Source{{Name: "a.sh", Data: []byte("curl localhost/plugins -d @body.json")}}, load.Options{})
	require.EqualError(t, err, "a.sh:1: not supported yet: a body from a file that is not beside the script")
}

func TestScriptsBindKubernetesResources(t *testing.T) {
	text := "echo \"" + strings.ReplaceAll(configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig), `"`, `\"`) + "\" | kubectl apply -f -\n"
	for command, want := range map[string][]config.Scope{
		"kubectl annotate -n kong service llm konghq.com/plugins=p":         {{Service: "kong/llm"}},
		"kubectl annotate -n kong httproute r konghq.com/plugins=p":         {{Route: "kong/r"}},
		"kubectl annotate -n kong kongconsumer c konghq.com/plugins=p":      {{Consumer: "c"}},
		"kubectl annotate -n kong kongconsumergroup g konghq.com/plugins=p": {{ConsumerGroup: "g"}},
		"kubectl annotate -n kong ingress konghq.com/plugins=p":             {},
		"kubectl annotate -n kong deployment d konghq.com/plugins=p":        {},
		"kubectl annotate -n kong service llm other=x konghq.com/plugins=q": {},
	} {
		c, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(text + command)}}, load.Options{})
		require.NoError(t, err)
		require.Equal(t, want, configtest.ScopesOf(c), command)
	}
}

func TestOtherFilesAreFaultsThatNameTheFormats(t *testing.T) {
	for name, text := range map[string]string{
		"a.toml": "[plugins]\na = 1\n", "README.md": "# Title\n\n`x`: y: z\n", "Makefile": "a: b\n\tc: d: e\n", "docker.yaml": "version: 3\nnetworks: {}\n",
	} {
		_, _, err := load.Sources([]load.Source{{Name: name, Data: []byte(text)}}, load.Options{})
		require.ErrorContains(t, err, "this is none of the formats that are read: a decK file")
		require.NotContains(t, err.Error(), "YAML:")
	}
	_, _, err := load.Sources([]load.Source{{Name: "main.tf.json", Data: []byte("{\"resource\": {}}")}}, load.Options{})
	require.EqualError(t, err, "main.tf.json: not supported yet: Terraform in JSON; write it as .tf")
}

const plainBody = `{"name": "ai-proxy-advanced", "config": {"targets": [{"model": {"provider": "openai", "name": "m"}, "route_type": "llm/v1/chat"}]}}`

// formBody is plainBody as fields of a form.
const formBody = "-d name=ai-proxy-advanced -d 'config.targets[1].model.provider=openai&config.targets[1].model.name=m' --data config.targets[1].route_type=llm%2Fv1%2Fchat "

func TestFlagsOfCurlAreReadAsCurlDoes(t *testing.T) {
	for name, command := range map[string]string{
		"clustered flags":        "curl -sSX POST localhost:8001/plugins -d '" + plainBody + "'",
		"attached values":        "curl -XPOST localhost:8001/plugins -d'" + plainBody + "'",
		"long, attached":         "curl --request=POST --url=localhost:8001/plugins --json='" + plainBody + "'",
		"any order":              "curl -d '" + plainBody + "' --resolve a:1:b -o /dev/null localhost:8001/plugins --retry 3",
		"unknown flags":          "curl --no-such-flag -d '" + plainBody + "' localhost:8001/plugins",
		"continued lines":        "curl \\\r\n -s \\\r\n -d '" + plainBody + "' \\\r\n localhost:8001/plugins\r\n",
		"behind a pipe":          "curl -d '" + plainBody + "' localhost:8001/plugins | jq .id",
		"in a condition":         "if ! curl -d '" + plainBody + "' localhost:8001/plugins; then exit 1; fi",
		"in a function":          "go() { curl -d '" + plainBody + "' localhost:8001/plugins || return; }",
		"after an assignment":    "A=b curl -d '" + plainBody + "' localhost:8001/plugins",
		"a form":                 "curl localhost:8001/plugins " + formBody,
		"a multipart form":       "curl localhost:8001/plugins " + strings.ReplaceAll(strings.ReplaceAll(formBody, "&", "' -F '"), "-d ", "--form "),
		"escaped by curl":        "curl localhost:8001/plugins " + formBody + " --data-urlencode 'instance_name=a&b' --form-string tags[]=@b",
		"JSON in pieces":         "curl localhost:8001/plugins --json '" + plainBody[:20] + "' --json '" + plainBody[20:] + "'",
		"behind two dashes":      "curl -d '" + plainBody + "' -- localhost:8001/plugins",
		"from the environment":   "curl localhost:8001/plugins " + strings.Replace(formBody, "=m'", "='$M", 1),
		"a here-string":          "kubectl -n kong apply -f - <<< '{\"apiVersion\": \"configuration.konghq.com/v1\", \"kind\": \"KongClusterPlugin\", \"metadata\": {\"name\": \"p\", \"labels\": {\"global\": \"true\"}}, \"plugin\": " + plainBody[9:] + "'",
		"a here-document of <<-": "cat <<-E | kubectl apply -f -\n\t{\"apiVersion\": \"configuration.konghq.com/v1\", \"kind\": \"KongClusterPlugin\",\n\t\"metadata\": {\"name\": \"p\", \"labels\": {\"global\": \"true\"}}, \"plugin\":\n\t" + plainBody[9:] + "\n\tE\n",
	} {
		t.Run(name, func(t *testing.T) {
			c, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(command)}}, load.Options{Env: configtest.Environment(map[string]string{"M": "m"})})
			require.NoError(t, err, command)
			require.Len(t, c.Plugins, 1)
			require.Equal(t, "m", c.Plugins[0].Settings.Targets[0].Model.Name)
		})
	}
}

func TestFormsMakeEntitiesOfTheRightTypes(t *testing.T) {
	text := `curl -i localhost:8001/services -d name=llm -d url=http://a.example:81/v1 -d retries=7 -d tags=a
curl localhost:8001/services/llm/routes -d 'name=chat&paths[]=/chat' -d paths[]=/b%2Dc -d strip_path=false -d headers.x-team=a -d headers.x-tier[]=b
curl localhost:8001/consumers -d username=anna
curl localhost:8001/consumers/anna/key-auth -d key=$KEY
curl localhost:8001/routes/chat/plugins ` + strings.ReplaceAll(formBody, "targets[1]", "targets[2]") + strings.ReplaceAll(formBody, "name=ai-proxy-advanced", "config.targets[1].weight=7") + "-d config.balancer.retries=3"
	c, warnings, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(text)}}, load.Options{Env: configtest.Environment(map[string]string{"KEY": "sk+1&x"})})
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Equal(t, "sk+1&x", c.Consumers[0].KeyAuth[0].Key.Reveal())
	require.Equal(t, []string{"/chat", "/b-c"}, c.Routes[0].Paths)
	require.Equal(t, map[string][]string{"x-team": {"a"}, "x-tier": {"b"}}, c.Routes[0].Headers)
	require.False(t, c.Routes[0].StripPath)
	require.Equal(t, 7, c.Plugins[0].Settings.Targets[0].Weight)
	require.Equal(t, 3, c.Plugins[0].Settings.Balancer.Retries)
	for fields, want := range map[string]string{
		"-d name=a -d name.b=c":     "a.sh:2: got a form field whose name is malformed or does not fit the others",
		"-d a[0]=b":                 "a.sh:2: got a form field whose name is malformed or does not fit the others",
		"-d a[]=b -d a.c=d":         "a.sh:2: got a form field whose name is malformed or does not fit the others",
		"-d a..b=c":                 "a.sh:2: got a form field whose name is malformed or does not fit the others",
		"-d a[1001]=b":              "a.sh:2: got a form field whose name is malformed or does not fit the others",
		"-F name=@file":             "a.sh:2: not supported yet: a form's field from a file",
		"-F 'name=<file'":           "a.sh:2: not supported yet: a form's field from a file",
		"--data-urlencode name@f":   "a.sh:2: not supported yet: a form's field from a file",
		"-d name=$(cat name)":       "a.sh:2: not supported yet: a file that is not beside the script",
		"-d \"name=${NAME%other}\"": "a.sh:2: not supported yet: a substitution other than $NAME, ${NAME}, ${NAME:-default} and $(cat …), $(echo …) and $(printf …) of plain text",
		"-d name=$NAME":             "a.sh:2: NAME is not set: export NAME=…",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte("\ncurl localhost:8001/services " + fields)}}, load.Options{})
		require.EqualError(t, err, want, fields)
	}
}

func TestFlagsAndNamesOfKubectl(t *testing.T) {
	text := "echo \"" + strings.ReplaceAll(configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig), `"`, `\"`) + "\" | kubectl apply -f -\n"
	for command, want := range map[string][]config.Scope{
		"kubectl annotate -n=kong service llm konghq.com/plugins=p":                                   {{Service: "kong/llm"}},
		"kubectl annotate -nkong svc/llm konghq.com/plugins=p --overwrite":                            {{Service: "kong/llm"}},
		"kubectl --namespace=kong annotate service llm konghq.com/plugins=p":                          {{Service: "kong/llm"}},
		"kubectl --context x -n kong annotate service a b konghq.com/plugins=p":                       {{Service: "kong/a"}, {Service: "kong/b"}},
		"kubectl annotate -n kong service/a httproute/r konghq.com/plugins=p":                         {{Route: "kong/r"}, {Service: "kong/a"}},
		"kubectl annotate -n kong httproutes.gateway.networking.k8s.io/r other- konghq.com/plugins=p": {{Route: "kong/r"}},
	} {
		c, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(text + command)}}, load.Options{})
		require.NoError(t, err)
		require.ElementsMatch(t, want, configtest.ScopesOf(c), command)
	}
}

func TestMessagesOfScriptsHoldNoArguments(t *testing.T) {
	env := configtest.Environment(map[string]string{"KEY": configtest.Marker, "JSON": `{"a": "` + configtest.Marker + `"`})
	for _, text := range []string{
		"OPENAI_API_KEY=" + configtest.Marker,
		"export OPENAI_API_KEY=" + configtest.Marker,
		"declare -x OPENAI_API_KEY=" + configtest.Marker,
		"KEY=" + configtest.Marker + " env",
		configtest.Marker,
		configtest.Marker + " x",
		"hunterpw x; true " + configtest.Marker + "; " + configtest.Marker,
		"bash -c 'curl localhost:8001/plugins -d key=" + configtest.Marker + "'",
		"V=" + configtest.Marker + "; curl localhost:8001/$V -d name=x",
		"V=" + configtest.Marker + "; kubectl annotate $V x konghq.com/plugins=x",
		"V=" + configtest.Marker + "; kubectl annotate svc x konghq.com/$V=x",
		"http POST localhost:8001/plugins key=" + configtest.Marker,
		"curl localhost:8001/" + configtest.Marker + " -d '{}'",
		"curl localhost:8001/consumers/anna/key-auth/" + configtest.Marker + " -X PUT -d '{}'",
		"curl -u admin:" + configtest.Marker + " admin:" + configtest.Marker + "@localhost:8001 -d '{}'",
		"curl -H 'apikey: " + configtest.Marker + "' localhost:8001/status",
		"curl localhost:8001/plugins -d '{\"" + configtest.Marker + "\" 1}'",
		"curl localhost:8001/plugins -d $JSON",
		"curl localhost:8001/plugins -d " + configtest.Marker + "=1 -d " + configtest.Marker + ".x=1",
		"curl localhost:8001/plugins -d @" + configtest.Marker,
		"kubectl annotate " + configtest.Marker + " x a=b",
		"kubectl annotate service x --token=" + configtest.Marker,
		"kubectl create secret generic x --from-literal=k=" + configtest.Marker,
		"echo '" + configtest.Marker + "' | kubectl apply -f -",
		"echo '" + configtest.Marker,
		"[[ " + configtest.Marker + " " + configtest.Marker + " ]]",
		"cat <<" + configtest.Marker,
		"curl localhost:8001/plugins -d '{\"name\": \"ai-proxy-advanced\", \"config\": {\"response_streaming\": \"" + configtest.Marker + "\", \"max_request_body_size\": \"" + configtest.Marker + "\"}}'",
		"curl localhost:8001/routes -d paths[]=" + configtest.Marker + " -d strip_path=" + configtest.Marker,
		"echo '" + strings.Replace(configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig), "v1\n", "v"+configtest.Marker+"\n", 1) + "' | kubectl apply -f -",
		"curl $(" + configtest.Marker + ") -d \"$(echo " + configtest.Marker + ")\"",
	} {
		_, warnings, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(text)}}, load.Options{Env: env})
		messages := ""
		for _, w := range warnings {
			messages += w.String() + "\n"
		}
		if err != nil {
			messages += err.Error()
		}
		require.NotEmpty(t, messages, text)
		require.NotContains(t, messages, configtest.Marker, text)
		require.NotContains(t, messages, "hunterpw")
	}
	_, warnings, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte("OPENAI_API_KEY=$(cat x)\n")}}, load.Options{})
	require.NoError(t, err)
	require.Equal(t, "a.sh:1: the assignment of OPENAI_API_KEY is ignored: export the variable first", warnings[0].String())
	_, _, err = load.Sources([]load.Source{{Name: "a.sh", Data: []byte("echo a\necho 'b\n")}}, load.Options{})
	require.EqualError(t, err, "a.sh:2: read shell script: invalid syntax: a quote or a bracket is not closed")
}
