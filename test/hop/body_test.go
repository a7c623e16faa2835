package hop_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestBodiesUpToTheCeilingFailOver sends bodies of many sizes up to the limit, and
// one byte more, through two failures: where a version of Envoy has a lower ceiling
// than its configuration says, a body below it would lose its further attempts.
func TestBodiesUpToTheCeilingFailOver(t *testing.T) {
	for _, limit := range []int{1 << 20, 6_000_000, 24 << 20} {
		all := []*harness.Stub{harness.NewStub(t, "a"), harness.NewStub(t, "b"), harness.NewStub(t, "c")}
		plugin := harness.Plugin{Failover: harness.SeedCriteria(), MaxRequestBodySize: limit, ReadTimeout: 30_000}
		for i, stub := range all {
			plugin.Targets = append(plugin.Targets, harness.Target{URL: stub.URL, Model: modelOf(i), Weight: 100 - i})
		}
		s := harness.Start(t, harness.Options{Config: harness.Config(plugin), Flags: []string{"--decision-budget", "10s"}})
		for _, p := range harness.Protocols() {
			client := harness.NewClient(t, p)
			for _, share := range []float64{.2, .45, .5, .55, .9, .98, 1} {
				for _, chunked := range []bool{false, true} {
					size := int(share * float64(limit))
					failOver(t, s, client, all, size, chunked)
				}
			}
			reset(all)
			answer := s.Post(client, sized(limit+1, "the-client's"))
			require.Equal(t, http.StatusRequestEntityTooLarge, answer.Status)
			require.Equal(t, "request_too_large", answer.OpenAIError(t).Code)
			require.Empty(t, all[0].Requests())
		}
	}
}

func failOver(t *testing.T, s *harness.Semlb, client *http.Client, all []*harness.Stub, size int, chunked bool) {
	t.Helper()
	reset(all)
	all[0].Do(harness.Status(429))
	all[1].Do(harness.Reset())
	var body io.Reader = strings.NewReader(sized(size, "the-client's"))
	if chunked {
		body = struct{ io.Reader }{body}
	}
	answer := s.Do(client, s.Request(t.Context(), harness.ChatPath, body))
	require.Equal(t, http.StatusOK, answer.Status, "%d bytes: %.300s", size, answer.Body)
	for i, stub := range all {
		got, want := stub.Only(t), sha256.Sum256([]byte(sized(size, modelOf(i))))
		require.Equal(t, hex.EncodeToString(want[:]), got.SHA256, "%d bytes, attempt %d", size, i+1)
	}
}

// modelOf is longer than the client's: a rewrite makes the body grow.
func modelOf(i int) string { return fmt.Sprintf("model-%d-%s", i, strings.Repeat("m", 500)) }

// sized is a body of a size, if the client's model is in it.
func sized(size int, model string) string {
	const prompt = "hello"
	base := len(harness.Chat(prompt, `"model":"the-client's"`, `"padding":""`))
	return harness.Chat(prompt, `"model":"`+model+`"`, `"padding":"`+strings.Repeat("x", size-base)+`"`)
}

func reset(all []*harness.Stub) {
	for _, s := range all {
		s.Reset()
	}
}
