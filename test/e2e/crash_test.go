package e2e_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestAKilledProcessServesWhatItAcknowledged kills semlb, with its Envoy, while the
// Admin API is written to, and starts it anew.
func TestAKilledProcessServesWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	const kills = 4
	binary, state := harness.Build(t), filepath.Join(t.TempDir(), "state.json")
	c := harness.NewClient(t, harness.HTTP1)
	tag := 0 // the last one that was acknowledged
	for round := range kills + 1 {
		listen, status, admin := harness.FreeAddress(t), harness.FreeAddress(t), harness.FreeAddress(t)
		p := harness.Run(t, binary, "run", "--demo", "--state", state, "--envoy", harness.Envoy(t), "--hop", harness.Hop(),
			"--listen", listen, "--status", status, "--admin", admin)
		harness.AwaitReady(t, "http://"+status)
		for i := range round {
			name := fmt.Sprint("anna", i)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+listen+harness.ChatPath, strings.NewReader(harness.Chat("hello")))
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Apikey", "key-of-"+name)
			answer, err := harness.Send(c, r)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, answer.Status, answer.Body)
			require.Equal(t, "openai/model-of-"+name, answer.Header.Get("X-Kong-Llm-Model"))
		}
		require.GreaterOrEqual(t, tagOf(t, admin), tag, "round %d", round)
		if round == kills {
			break
		}
		name := fmt.Sprint("anna", round)
		require.Contains(t, body(t, "PUT", "http://"+admin+"/consumers/"+name, "{}"), name)
		require.Contains(t, body(t, "POST", "http://"+admin+"/consumers/"+name+"/key-auth", `{"key": "key-of-`+name+`"}`), `"id"`)
		require.Contains(t, body(t, "POST", "http://"+admin+"/consumers/"+name+"/plugins", `{"name": "ai-proxy-advanced", "config": {"targets": [{
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

// tryTag writes a number as the tag of the first consumer and says whether that was
// acknowledged.
func tryTag(t *testing.T, admin string, n int) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://"+admin+"/consumers/anna0", strings.NewReader(fmt.Sprintf(`{"tags": ["%d"]}`, n)))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false // it is killed
	}
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
	return true
}

// tagOf reads that tag; 0 is none.
func tagOf(t *testing.T, admin string) int {
	t.Helper()
	var consumer struct{ Tags []string }
	require.NoError(t, json.Unmarshal([]byte(body(t, "GET", "http://"+admin+"/consumers/anna0", "")), &consumer))
	if len(consumer.Tags) == 0 {
		return 0
	}
	n, err := strconv.Atoi(consumer.Tags[0])
	require.NoError(t, err)
	return n
}
