package sdk_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/examples"
	"semlb/test/harness"
	"semlb/test/tools"
)

const (
	checksLimit = 2 * time.Minute
)

func TestOpenAISDKs(t *testing.T) {
	sdks := tools.SDKs(t)
	seed := string(examples.Global())
	plain, strict, byPath := startDemo(t, seed)+"/v1", startDemo(t, stricter(t, seed))+"/v1", startDemo(t, paths)

	t.Run("Python", func(t *testing.T) {
		command := exec.Command("python3", "-B", "python/checks.py", plain, strict, byPath)
		command.Env = append(loopbackOnly(), "PYTHONPATH="+filepath.Join(sdks, "sdk-python"))
		runChecks(t, command)
	})
	t.Run("Node", func(t *testing.T) {
		command := exec.Command("node", "node/checks.cjs", plain, strict, byPath)
		command.Env = append(loopbackOnly(), "SEMLB_SDK_NODE="+filepath.Join(sdks, "sdk-node"))
		runChecks(t, command)
	})
}

// paths has the routes of the plugin's documented examples for SDKs: the client's path
// names the model or the deployment, or a route has one deployment.
const paths = `_format_version: "3.0"
services:
- name: azure-openai-service
  url: http://localhost:8000
  routes:
  - name: openai-chat
    paths: ["~/(?<model>[^#?/]+)/chat/completions$"]
    methods: [POST]
    plugins:
    - name: ai-proxy-advanced
      config:
        targets:
        - route_type: llm/v1/chat
          model: {provider: openai, name: "$(uri_captures.model)"}
  - name: azure-chat-route
    paths: ["~/openai/deployments/(?<azure_deployment>[^/]+)/chat/completions$"]
    methods: [POST]
    plugins:
    - name: ai-proxy-advanced
      config:
        balancer: {algorithm: priority, failover_criteria: [error, http_503, non_idempotent]}
        targets:
        - route_type: llm/v1/chat
          weight: 200
          auth: {header_name: api-key, header_value: of-azure}
          model:
            provider: azure
            name: "$(uri_captures.azure_deployment)"
            options: {azure_instance: my-instance, azure_deployment_id: "$(uri_captures.azure_deployment)"}
        - route_type: llm/v1/chat
          auth: {header_name: api-key, header_value: of-azure}
          model:
            provider: azure
            name: "backup-$(uri_captures.azure_deployment)"
            options: {azure_instance: my-instance, azure_deployment_id: "backup-$(uri_captures.azure_deployment)"}
  - name: azure-chat-gpt-4
    paths: ["~/openai/deployments/azure-gpt-4/chat/completions$"]
    methods: [POST]
    regex_priority: 1
    plugins:
    - name: ai-proxy-advanced
      config:
        targets:
        - route_type: llm/v1/chat
          auth: {header_name: api-key, header_value: of-azure}
          model: {provider: azure, name: gpt-4, options: {azure_instance: my-instance, azure_deployment_id: my-gpt-4}}
`

// startDemo starts semlb with demo LLMs and returns its URL. The
// checks share it, so one check must not affect the next: a target that answered one
// check with Retry-After would cool down, and be left out of the plans of others.
func startDemo(t *testing.T, config string) string {
	t.Helper()
	flags := []string{"--demo", "--max-retry-after", "0"}
	return harness.Start(t, harness.Options{Config: config, Flags: flags}).URL
}

// stricter is the seed with everything on that answers a request instead of
// sending it to a model.
func stricter(t *testing.T, seed string) string {
	t.Helper()
	for old, replacement := range map[string]string{
		"      retries: 3\n": "      retries: 3\n      read_timeout: 5000\n      no_match: reject\n",
		"threshold: 0.7":     "threshold: 0.01", // only a description itself is within it
		"    embeddings:\n":  "    model_policy: strict\n    response_streaming: deny\n    embeddings:\n",
	} {
		require.Equal(t, 1, strings.Count(seed, old), "the seed has another form: %q", old)
		seed = strings.Replace(seed, old, replacement, 1)
	}
	return seed
}

// loopbackOnly is the environment without what would make an SDK go elsewhere.
func loopbackOnly() []string {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		name = strings.ToUpper(name)
		if !strings.HasSuffix(name, "_PROXY") && !strings.HasPrefix(name, "OPENAI_") && name != "PYTHONPATH" {
			env = append(env, entry)
		}
	}
	return env
}

// runChecks runs a program of checks and makes each of its lines a subtest.
func runChecks(t *testing.T, command *exec.Cmd) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	require.NoError(t, command.Start())
	timer := time.AfterFunc(checksLimit, func() { _ = command.Process.Kill() })
	failure := command.Wait()
	require.True(t, timer.Stop(), "the checks did not end within %s:\n%s\n%s", checksLimit, stdout.String(), stderr.String())

	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	checks, end := lines[:len(lines)-1], lines[len(lines)-1]
	require.Equal(t, "done "+strconv.Itoa(len(checks)), end, "the checks broke off: %v\n%s\n%s", failure, stdout.String(), stderr.String())
	require.NotEmpty(t, checks)
	for _, line := range checks {
		result, check, _ := strings.Cut(line, " ")
		name, why, _ := strings.Cut(check, ": ")
		t.Run(name, func(t *testing.T) {
			require.Equal(t, "ok", result, why)
		})
	}
	if failure != nil {
		t.Errorf("%v:\n%s", failure, stderr.String())
	}
}
