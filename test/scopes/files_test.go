package scopes_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestDeckExamples and the tests below load each file, unchanged, together with a file
// that defines the entities of its scope.
func TestDeckExamples(t *testing.T) {
	names := map[string]string{
		"service": "serviceName|Id", "route": "routeName|Id", "consumer": "consumerName|Id", "consumer_group": "consumerGroupName|Id",
	}
	for file, scope := range examples(t, "deck", "yaml") {
		t.Run("deck/"+filepath.Base(file), func(t *testing.T) {
			openAI := harness.NewStub(t, "openai")
			s := start(t, entities(scope, names), openAI, "-c", file)
			requireScope(t, s, openAI, scope)
		})
	}
}

func TestTerraformExamples(t *testing.T) {
	names := map[string]string{
		"service": "my_service", "route": "my_route", "consumer": "my_consumer", "consumer_group": "my_consumer_group",
	}
	for file, scope := range examples(t, "terraform", "tf") {
		t.Run("terraform/"+filepath.Base(file), func(t *testing.T) {
			openAI := harness.NewStub(t, "openai")
			s := start(t, entities(scope, names), openAI, "-c", file)
			requireScope(t, s, openAI, scope)
		})
	}
}

func TestKubernetesExamples(t *testing.T) {
	for file, scope := range examples(t, "kubernetes", "yaml") {
		t.Run("kubernetes/"+filepath.Base(file), func(t *testing.T) {
			openAI := harness.NewStub(t, "openai")
			cluster := newCluster(t, scope)
			if scope != "global" {
				cluster.annotate(t, map[string]string{"consumer_group": "kongconsumergroup", "consumer": "kongconsumer", "route": "httproute"}[scope], "in")
			}
			s := start(t, cluster.other(), openAI, "-c", file, "-c", cluster.dir)
			requireScope(t, s, openAI, scope)
		})
	}
}

// TestKubernetesScripts runs the scripts with sh and a kubectl that keeps what it is
// given in files, which semlb then reads. Names that a script leaves to its reader
// are filled in.
func TestKubernetesScripts(t *testing.T) {
	for file, scope := range examples(t, "kubernetes", "sh") {
		t.Run("kubernetes/"+filepath.Base(file), func(t *testing.T) {
			openAI := harness.NewStub(t, "openai")
			cluster := newCluster(t, scope)
			script, err := os.ReadFile(file)
			require.NoError(t, err)
			filled := strings.NewReplacer(
				"SERVICE_NAME", "in", "CONSUMER_NAME", "in", "CONSUMERGROUP_NAME", "in",
				"httproute konghq.com", "httproute in konghq.com", "ingress konghq.com", "ingress in-too konghq.com",
			).Replace(string(script))
			cluster.run(t, filled)
			s := start(t, cluster.other(), openAI, "-c", cluster.dir)
			requireScope(t, s, openAI, scope)
		})
	}
}

// cluster is a folder with a file for each resource.
type cluster struct{ dir, scope string }

// newCluster is a cluster with two of everything.
func newCluster(t *testing.T, scope string) cluster {
	t.Helper()
	c := cluster{dir: t.TempDir(), scope: scope}
	resource := func(kind, name, api, more string) {
		text := "apiVersion: " + api + "\nkind: " + kind + "\nmetadata:\n  name: " + name + "\n  namespace: kong\n  annotations: {}\n" + more
		require.NoError(t, os.WriteFile(filepath.Join(c.dir, strings.ToLower(kind)+"."+name+".yaml"), []byte(text), 0o600))
	}
	httpRoute := func(path, service string) string {
		return "spec:\n  rules:\n  - matches: [{path: {type: PathPrefix, value: " + path + "}}]\n    backendRefs: [{name: " + service + ", port: 80}]\n"
	}
	for _, name := range []string{"in", "out"} {
		resource("Service", name, "v1", "spec: {ports: [{port: 80}]}\n")
		resource("HTTPRoute", name, "gateway.networking.k8s.io/v1", httpRoute("/"+name, name))
		resource("KongConsumerGroup", name, "configuration.konghq.com/v1beta1", "")
		resource("KongConsumer", name, "configuration.konghq.com/v1", "username: "+name+"-user\ncredentials: ["+name+"-key]\nconsumerGroups: ["+name+"]\n")
	}
	resource("Ingress", "in-too", "networking.k8s.io/v1", "spec:\n  rules:\n  - http:\n      paths:\n      - {path: /in-too, pathType: Prefix, backend: {service: {name: in, port: {number: 80}}}}\n")
	for name, key := range map[string]string{"in-key": insidersKey, "out-key": outsidersKey} {
		text := "apiVersion: v1\nkind: Secret\nmetadata:\n  name: " + name + "\n  namespace: kong\n  labels: {konghq.com/credential: key-auth}\nstringData: {key: " + key + "}\n"
		require.NoError(t, os.WriteFile(filepath.Join(c.dir, "secret."+name+".yaml"), []byte(text), 0o600))
	}
	return c
}

// other is a separate instance if the example is global, else nothing.
func (c cluster) other() string {
	plugin := "apiVersion: configuration.konghq.com/v1\nkind: KongPlugin\nmetadata: {name: another, namespace: kong}\nplugin: ai-proxy-advanced\n" +
		"config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: another-instance}}]}\n"
	if c.scope != "global" {
		return plugin // bound to nothing
	}
	return plugin + "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: out, namespace: kong, annotations: {konghq.com/plugins: another}}\nspec:\n  rules:\n  - http:\n      paths:\n      - {path: /out/v1, pathType: Prefix, backend: {service: {name: out, port: {number: 80}}}}\n"
}

// annotate binds the example's plugin to a resource.
func (c cluster) annotate(t *testing.T, kind, name string) {
	t.Helper()
	if kind == "" {
		kind = "service"
	}
	c.run(t, "kubectl annotate -n kong "+kind+" "+name+" konghq.com/plugins=ai-proxy-advanced")
}

// kubectl stores its input as files of the folder $CLUSTER. It accepts what the examples
// use, and rejects everything else as the real one does.
const kubectl = `#!/bin/sh
set -eu
case "$1" in
apply)
	[ "$2 $3" = "-f -" ]
	cat >"$CLUSTER/applied.yaml"
	;;
annotate)
	[ "$2" = "-n" ] && [ "$3" = "kong" ] && [ $# = 6 ]
	file="$CLUSTER/$4.$5.yaml"
	[ -f "$file" ] || { echo "Error from server (NotFound): $4 \"$5\" not found" >&2; exit 1; }
	sed -i "s|^  annotations: {}|  annotations: {${6%%=*}: ${6#*=}}|" "$file"
	;;
*) exit 1 ;;
esac
`

// run runs a script with that kubectl.
func (c cluster) run(t *testing.T, script string) {
	t.Helper()
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "kubectl"), []byte(kubectl), 0o700)) //nolint:gosec // a program
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
	cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "CLUSTER=" + c.dir, "OPENAI_API_KEY=" + apiKey}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}
