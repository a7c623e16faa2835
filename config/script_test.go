package config

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScriptsOfExamplesAreReadWithoutBeingExecuted(t *testing.T) {
	env := environment(map[string]string{"OPENAI_API_KEY": "sk-1"})
	for _, api := range []string{"admin-api", "konnect"} {
		for name, part := range map[string]func(string) Scope{
			"global":         func(string) Scope { return Scope{} },
			"service":        func(s string) Scope { return Scope{Service: s} },
			"route":          func(s string) Scope { return Scope{Route: s} },
			"consumer":       func(s string) Scope { return Scope{Consumer: s} },
			"consumer_group": func(s string) Scope { return Scope{ConsumerGroup: s} },
		} {
			t.Run(api+"/"+name, func(t *testing.T) {
				file := filepath.Join("..", "examples", api, name+".sh")
				c, warnings, err := LoadFiles(Options{Env: env}, file)
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
					require.Equal(t, file+":1: put the name or the id in the place of {"+placeholder+"}", warnings[0].String())
				}
				requireExample(t, c.Plugins[0])
			})
		}
	}
	for name, warning := range map[string]string{
		"global": "", "service": "bound to nothing", "consumer": "bound to nothing",
	} {
		c, warnings, err := LoadFiles(Options{Env: env}, filepath.Join("..", "examples", "kubernetes", name+".sh"))
		require.NoError(t, err)
		if warning == "" {
			require.Empty(t, warnings)
			requireExample(t, c.Plugins[0])
		}
	}
}

const script = `#!/bin/sh
# everything
curl -sS -X POST http://localhost:8001/services -d '{"name": "llm"}'; curl -X POST localhost:8001/services/llm/routes --json '{"name":"chat","paths":["/chat"]}'
curl -X PUT http://localhost:8001/consumers/anna -d '{}'
curl -H 'a: b' http://localhost:8001/consumer_groups/ -d '{"name":"gold"}'
curl http://localhost:8001/consumer_groups/gold/consumers -d '{"consumer":"anna"}'
curl http://localhost:8001/consumers/anna/key-auth -d '{"key":"'$ANNA_KEY'"}'
curl http://localhost:8001/status
curl http://localhost:8001/upstreams -d '{"name":"u"}'
rm -rf /
curl http://localhost:8001/routes/chat/plugins -d "{
  \"name\": \"ai-proxy-advanced\", \"consumer\": {\"username\": \"anna\"}, \"instance_name\": \"it's \$5\",
  \"config\": {\"targets\": [{\"model\": {\"provider\": \"openai\", \"name\": \"${MODEL}\"}, \"route_type\": \"llm/v1/chat\"}]}}"
`

func TestScriptsMakeEntities(t *testing.T) {
	source := []Source{{Name: "all.sh", Data: []byte(script)}}
	c, warnings, err := Load(source, Options{Env: environment(map[string]string{"ANNA_KEY": "sk-1", "MODEL": "m"})})
	require.NoError(t, err)
	require.Equal(t, "llm", c.Services[0].Name)
	require.Equal(t, "llm", c.Routes[0].Service)
	require.Equal(t, []string{"gold"}, c.Consumers[0].Groups)
	require.Equal(t, "sk-1", c.Consumers[0].KeyAuth[0].Key.Reveal())
	require.Equal(t, Scope{Route: "chat", Consumer: "anna"}, c.Plugins[0].Scope)
	require.Equal(t, "it's $5", c.Plugins[0].InstanceName)
	require.Equal(t, "m", c.Plugins[0].Settings.Targets[0].Model.Name)
	require.Equal(t, 11, c.Plugins[0].Position.Line)
	require.Equal(t, 13, c.Plugins[0].Settings.Targets[0].Position.Line)
	var texts []string
	for _, w := range warnings {
		texts = append(texts, w.String())
	}
	require.Equal(t, []string{
		"all.sh:8: a request that sends nothing is not read",
		`all.sh:10: command "rm" is not read`,
		`all.sh:9: a request to "/upstreams" is not read`,
	}, texts)

	_, _, err = Load(source, Options{})
	require.EqualError(t, err, "all.sh:7: ANNA_KEY is not set: export ANNA_KEY=…\nall.sh:13: MODEL is not set: export MODEL=…")
	_, _, err = Load([]Source{{Name: "a.sh", Data: []byte("curl localhost/plugins -d '{\n\"name\": 1 2}'")}}, Options{})
	require.EqualError(t, err, "a.sh:2: read JSON: invalid syntax")
	_, _, err = Load([]Source{{Name: "a.sh", Data: []byte("curl localhost/plugins -d @body.json")}}, Options{})
	require.EqualError(t, err, "a.sh:1: not supported yet: a body from a file")
}

func TestScriptsBindKubernetesResources(t *testing.T) {
	text := "echo \"" + strings.ReplaceAll(resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+kubeConfig), `"`, `\"`) + "\" | kubectl apply -f -\n"
	for command, want := range map[string][]Scope{
		"kubectl annotate -n kong service llm konghq.com/plugins=p":         {{Service: "kong/llm"}},
		"kubectl annotate -n kong httproute r konghq.com/plugins=p":         {{Route: "kong/r"}},
		"kubectl annotate -n kong kongconsumer c konghq.com/plugins=p":      {{Consumer: "c"}},
		"kubectl annotate -n kong kongconsumergroup g konghq.com/plugins=p": {{ConsumerGroup: "g"}},
		"kubectl annotate -n kong ingress konghq.com/plugins=p":             {},
		"kubectl annotate -n kong deployment d konghq.com/plugins=p":        {},
		"kubectl annotate -n kong service llm other=x konghq.com/plugins=q": {},
	} {
		c, _, err := Load([]Source{{Name: "a.sh", Data: []byte(text + command)}}, Options{})
		require.NoError(t, err)
		require.Equal(t, want, scopesOf(c), command)
	}
}

func TestOtherFilesAreToldWhatIsRead(t *testing.T) {
	for name, text := range map[string]string{
		"a.toml": "[plugins]\na = 1\n", "README.md": "# Title\n\n`x`: y: z\n", "Makefile": "a: b\n\tc: d: e\n", "docker.yaml": "version: 3\nnetworks: {}\n",
	} {
		_, _, err := Load([]Source{{Name: name, Data: []byte(text)}}, Options{})
		require.ErrorContains(t, err, "this is none of the formats that are read: a decK file")
		require.NotContains(t, err.Error(), "YAML:")
	}
	_, _, err := Load([]Source{{Name: "main.tf.json", Data: []byte("{\"resource\": {}}")}}, Options{})
	require.EqualError(t, err, "main.tf.json: not supported yet: Terraform in JSON; write it as .tf")
}
