package e2e_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/process"
)

// TestAKilledProcessServesWhatItAcknowledged kills semlb, with its Envoy, while the
// Admin API is written to, and restarts it.
func TestAKilledProcessServesWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	const kills = 4
	binary, state := harness.Build(t), filepath.Join(t.TempDir(), "state.json")
	c := harness.NewClient(t, harness.HTTP1)
	tag := 0 // the last one that was acknowledged
	for round := range kills + 1 {
		listen, status, admin := harness.FreeAddress(t), harness.FreeAddress(t), harness.FreeAddress(t)
		p := process.Start(t, binary, "run", "--demo", "--state", state, "--envoy", harness.Envoy(t), "--hop", harness.Hop(),
			"--listen", listen, "--status", status, "--admin", admin)
		gateway := harness.NewGateway(t, listen, status)
		harness.AwaitReady(t, gateway.Status)
		call := func(method, path, body string) string {
			return harness.Call(t, method, "http://"+admin+path, body).Body
		}
		for i := range round {
			name := fmt.Sprint("anna", i)
			answer := gateway.Post(c, harness.Chat("hello"), http.Header{"Apikey": {"key-of-" + name}})
			require.Equal(t, http.StatusOK, answer.Status, answer.Body)
			require.Equal(t, "openai/model-of-"+name, answer.Header.Get("X-Kong-Llm-Model"))
		}
		require.GreaterOrEqual(t, tagOf(t, admin), tag, "round %d", round)
		if round == kills {
			break
		}
		name := fmt.Sprint("anna", round)
		require.Contains(t, call("PUT", "/consumers/"+name, "{}"), name)
		require.Contains(t, call("POST", "/consumers/"+name+"/key-auth", `{"key": "key-of-`+name+`"}`), `"id"`)
		require.Contains(t, call("POST", "/consumers/"+name+"/plugins", `{"name": "ai-proxy-advanced", "config": {"targets": [{
			"route_type": "llm/v1/chat", "model": {"provider": "openai", "name": "model-of-`+name+`"}}]}}`), `"id"`)
		killed := time.AfterFunc(time.Duration(rand.Int64N(int64(300*time.Millisecond))), p.Kill)
		for tryTag(t, admin, tag+1) {
			tag++
		}
		killed.Stop()
		p.Kill()
	}
	require.Positive(t, tag, "something was written while it was killed")
}

// tryTag writes a number as the tag of the first consumer, and reports whether that was
// acknowledged.
func tryTag(t *testing.T, admin string, n int) bool {
	t.Helper()
	answer, err := harness.Fetch(t.Context(), http.MethodPatch, "http://"+admin+"/consumers/anna0", fmt.Sprintf(`{"tags": ["%d"]}`, n))
	if err != nil {
		return false // it is killed
	}
	require.Equal(t, http.StatusOK, answer.Status)
	return true
}

// tagOf reads that tag; 0 is none.
func tagOf(t *testing.T, admin string) int {
	t.Helper()
	var consumer struct{ Tags []string }
	require.NoError(t, json.Unmarshal([]byte(harness.Get(t, "http://"+admin+"/consumers/anna0").Body), &consumer))
	if len(consumer.Tags) == 0 {
		return 0
	}
	n, err := strconv.Atoi(consumer.Tags[0])
	require.NoError(t, err)
	return n
}
