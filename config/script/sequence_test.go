package script_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

// loadScript reads a script that has to be good, and returns its warnings too.
func loadScript(t *testing.T, text string, env map[string]string) (*config.Config, []string) {
	t.Helper()
	c, warnings, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(text)}}, load.Options{Env: configtest.Environment(env)})
	require.NoError(t, err, text)
	texts := []string{}
	for _, w := range warnings {
		if strings.Contains(w.Text, "no request reaches the plugin") {
			continue // these scripts lack entities on purpose
		}
		texts = append(texts, w.String())
	}
	return c, texts
}

// TestTheCommandsOfTheAdminAPIsDocumentLoad reads the commands that docs/admin-api.md has
// for a running server as a script.
func TestTheCommandsOfTheAdminAPIsDocumentLoad(t *testing.T) {
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", "admin-api.md"))
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(string(document), -1)
	require.NotEmpty(t, blocks)
	script := ""
	for _, b := range blocks {
		script += b[1]
	}
	c, warnings := loadScript(t, script, map[string]string{"OPENAI_API_KEY": "sk-1"})
	require.Empty(t, warnings)
	require.Equal(t, "chat", c.Services[0].Name)
	require.Equal(t, []string{"/v1/chat"}, c.Routes[0].Paths)
	require.Equal(t, "chat", c.Routes[0].Service)
	require.Equal(t, "alices-key", c.Consumers[0].KeyAuth[0].Key.Reveal())
	require.Empty(t, c.Consumers[0].Groups, "the membership is deleted at the end")
	p := c.Plugins[0]
	require.Equal(t, config.Scope{ConsumerGroup: "gold"}, p.Scope)
	require.Equal(t, "golden", p.InstanceName)
	require.Equal(t, 2, p.Settings.Balancer.Retries, "a PATCH adds to what is there")
	require.Equal(t, "Bearer sk-1", p.Settings.Targets[0].Auth.HeaderValue.Reveal())
}

func TestLaterRequestsChangeAndDeleteWhatEarlierOnesMake(t *testing.T) {
	const id = "1c1c1c1c-0000-4000-8000-000000000001"
	text := `curl a/services -d name=s -d url=http://a -d retries=1
curl -X PATCH a/services/s -d retries=7 -d tags=x
curl a/services/s/routes -d name=r1 -d paths[]=/1
curl a/services/s/routes/r2 -X PUT -d paths[]=/2
curl -X PUT a/routes/r1 --json '{"paths": ["/new"], "service": {"name": "s"}}'
curl a/services -d name=gone -d url=http://a
curl a/services/gone/routes -d name=gone-too -d paths[]=/3
curl -X DELETE a/services/gone
curl a/consumers -d username=anna -d id=` + id + `
curl a/consumers/anna/key-auth -d key=k1
curl a/consumers/anna/key-auth/k2 -X PUT -d '{}'
curl -X DELETE a/consumers/anna/key-auth/k1
curl a/consumer_groups/gold -X PUT -d '{}'
curl a/consumers/anna/consumer_groups -d group=gold
curl a/routes/r1/plugins/p -X PUT -d '` + plainBody + `'
curl a/plugins/p -X PATCH -d '{"tags": null, "config": {"targets": [{"model": {"provider": "openai", "name": "m2"}, "route_type": "llm/v1/chat"}], "balancer": {"retries": 3}}}'
curl a/plugins/p -X PATCH -d '{"config": {"balancer": {"max_fails": 4}}}'
curl -X DELETE a/routes/nothing
curl -X OPTIONS a/routes; curl -X TRACE a/routes; curl -I a/routes; curl -G a/routes -d size=1
`
	c, warnings := loadScript(t, text, nil)
	require.Equal(t, []string{
		"a.sh:18: a request that deletes what no request before it makes is ignored",
	}, warnings)
	require.Len(t, c.Services, 1)
	require.Equal(t, []string{"x"}, c.Services[0].Tags)
	paths := map[string][]string{}
	for _, r := range c.Routes {
		paths[r.Name] = r.Paths
		require.Equal(t, "s", r.Service)
	}
	require.Equal(t, map[string][]string{"r1": {"/new"}, "r2": {"/2"}}, paths)
	anna := c.Consumers[0]
	require.Equal(t, []string{"gold"}, anna.Groups)
	require.Len(t, anna.KeyAuth, 1)
	require.Equal(t, "k2", anna.KeyAuth[0].Key.Reveal())
	p := c.Plugins[0]
	require.Equal(t, "p", p.InstanceName)
	require.Equal(t, config.Scope{Route: "r1"}, p.Scope)
	require.Equal(t, "m2", p.Settings.Targets[0].Model.Name)
	require.Equal(t, 3, p.Settings.Balancer.Retries)
	require.Equal(t, 4, p.Settings.Balancer.MaxFails)
}

func TestVariablesThatAScriptAssignsAreFilledIn(t *testing.T) {
	text := `#!/usr/bin/env bash
set -euo pipefail
export ADMIN=${ADMIN:-http://localhost:8001/}
SVC=llm MODEL="m$VERSION" KEY='sk-own'
readonly EMPTY=
curl "$ADMIN/services" -F "name=${SVC}" -F 'url=http://localhost;type=text/plain' | jq .id
curl $ADMIN/services/$SVC/plugins -d @- <<JSON || exit 1
` + strings.Replace(plainBody, `"m"`, `"$MODEL${EMPTY:-x}"`, 1) + `
JSON
echo '{"config": {"balancer": {"retries": 3}, "targets": [{"model": {"provider": "openai", "name": "'$MODEL'"}, "route_type": "llm/v1/chat", "auth": {"header_name": "A", "header_value": "'"$KEY"'"}}]}, "instance_name": "i", "name": "ai-proxy-advanced"}' |
  curl -X POST $ADMIN/plugins --json @-
`
	c, warnings := loadScript(t, text, map[string]string{"VERSION": "7", "KEY": "sk-environment"})
	require.Empty(t, warnings)
	require.Equal(t, "llm", c.Services[0].Name)
	require.Equal(t, config.Scope{Service: "llm"}, c.Plugins[0].Scope)
	require.Equal(t, "m7x", c.Plugins[0].Settings.Targets[0].Model.Name)
	require.Equal(t, "sk-own", c.Plugins[1].Settings.Targets[0].Auth.HeaderValue.Reveal())

	source := []load.Source{{Name: "a.sh", Data: []byte(text)}}
	out, _, err := load.Convert(source, "deck", load.Options{})
	require.NoError(t, err)
	require.Contains(t, string(out), `header_value: ${{ env "DECK_KEY" }}`)
	require.NotContains(t, string(out), "sk-own")
	require.Contains(t, string(out), "service: llm", "what is no credential is written")

	// Values of variables are in no message, wherever they stand.
	_, warnings2, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(
		"A=" + configtest.Marker + "\ncurl h/services/$A/routes/$E -d paths[]=x -d $A=1\ncurl $E/services -d '{\"x\": 1}'\nkubectl annotate svc $A konghq.com/plugins=$E\nkubectl annotate $A b c=d\nkubectl annotate svc x konghq.com/$A=b\ncurl localhost:8001/$A -d name=x\n$A x\nkubectl -n $E get x")}},
		load.Options{Env: configtest.Environment(map[string]string{"E": configtest.Marker})})
	require.Error(t, err)
	require.NotContains(t, err.Error(), configtest.Marker)
	for _, w := range warnings2 {
		require.NotContains(t, w.String(), configtest.Marker)
	}
	_, _, err = load.Sources([]load.Source{{Name: "a.sh", Data: []byte("curl $HOST/services/$NAME -X PUT -d '{}'")}}, load.Options{})
	require.EqualError(t, err, "a.sh:1: NAME is not set: export NAME=…")
}

func TestKubectlAppliesIntoItsNamespace(t *testing.T) {
	plugin := strings.ReplaceAll(configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig), "  namespace: kong\n", "")
	text := "NS=kong\nkubectl apply -n $NS -f - <<EOF\n" + plugin + "EOF\nkubectl --namespace=kong annotate --overwrite=true service/llm konghq.com/plugins=p\n"
	c, warnings := loadScript(t, text, nil)
	require.Empty(t, warnings)
	require.Equal(t, []config.Scope{{Service: "kong/llm"}}, configtest.ScopesOf(c))
}

func TestRequestsToOtherServersAreIgnoredWhateverTheySend(t *testing.T) {
	text := strings.Join([]string{
		"curl https://hooks.example/services/T/B/X -d \"$(cat x)\"", "curl -X POST $(url) -d @file", "curl https://a.example -d $NOTHING",
		"curl localhost:8001/upstreams/u/targets -d '{'", "curl -X DELETE localhost:8001/certificates/c", "curl https://a.example/api/v1/x -F a=@b",
	}, "\n")
	_, warnings := loadScript(t, text, nil)
	require.Equal(t, []string{
		`a.sh:1: a request to "/services/…/…/…" is ignored`, `a.sh:2: a request to "/…" is ignored`, `a.sh:3: a request to "/…" is ignored`,
		`a.sh:4: a request to "/upstreams/…/targets" is ignored`, `a.sh:5: a request to "/certificates/…" is ignored`, `a.sh:6: a request to "/…/…/…" is ignored`,
		"the configuration has no ai-proxy-advanced plugin",
	}, warnings)
}
