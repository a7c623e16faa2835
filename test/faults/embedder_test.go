package faults_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// width is that of the embedder's vectors.
const width = 8

// embedder is an OpenAI-shaped embeddings endpoint that can be made to fail.
type embedder struct {
	*harness.Stub
	t *testing.T
}

func newEmbedder(t *testing.T) *embedder {
	t.Helper()
	e := &embedder{Stub: harness.NewStub(t, "embedder"), t: t}
	e.Do(embed)
	return e
}

// recover ends a fault.
func (e *embedder) recover() { e.Do(embed) }

// block is the plugin's embeddings block.
func (e *embedder) block() map[string]any {
	return map[string]any{
		"auth": map[string]any{"header_name": "Authorization", "header_value": "Bearer key-of-the-embedder"},
		"model": map[string]any{
			"provider": "openai", "name": "embedding-model",
			"options": map[string]any{"upstream_url": e.URL + "/v1/embeddings"},
		},
	}
}

func vectorBlock() map[string]any {
	return map[string]any{
		"strategy": "redis", "distance_metric": "cosine", "dimensions": width, "threshold": 0.5,
		"redis": map[string]any{"host": "localhost", "port": 6379},
	}
}

// inputs are the texts it was called with so far.
func (e *embedder) inputs() []string {
	e.t.Helper()
	var all []string
	for _, r := range e.Requests() {
		var request struct {
			Input []string `json:"input"`
		}
		require.NoError(e.t, json.Unmarshal(r.Body, &request))
		all = append(all, request.Input...)
	}
	return all
}

// embed answers with vectors that depend on nothing but the text: code is along one
// axis, cooking along another.
func embed(x *harness.Exchange) {
	embedWith(func(text string) string {
		axis := 2
		switch {
		case strings.Contains(text, "program"):
			axis = 0
		case strings.Contains(text, "cook"):
			axis = 1
		}
		return vectorText(width, func(i int) string { return map[bool]string{true: "1", false: "0"}[i == axis] })
	})(x)
}

// embedWith answers with what vector makes of each text.
func embedWith(vector func(text string) string) harness.Behaviour {
	return func(x *harness.Exchange) {
		var request struct {
			Input []string `json:"input"`
		}
		if err := json.Unmarshal(x.Body(), &request); err != nil {
			x.Writer.WriteHeader(http.StatusBadRequest)
			return
		}
		items := make([]string, len(request.Input))
		for i, text := range request.Input {
			items[i] = fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":%s}`, i, vector(text))
		}
		x.Writer.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(x.Writer, `{"object":"list","model":"embedding-model","data":[%s]}`, strings.Join(items, ","))
	}
}

// vectorText is a vector as JSON writes it.
func vectorText(width int, number func(int) string) string {
	numbers := make([]string, width)
	for i := range numbers {
		numbers[i] = number(i)
	}
	return "[" + strings.Join(numbers, ",") + "]"
}

// allNumbers is a vector of one number.
func allNumbers(width int, number string) harness.Behaviour {
	return embedWith(func(string) string { return vectorText(width, func(int) string { return number }) })
}
