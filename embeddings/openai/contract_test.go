package openai_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"testing"

	"semlb/embeddings"
	"semlb/embeddings/embeddingstest"
	"semlb/embeddings/remote"
)

// words answers with a vector for each text, in reverse order.
func words(w http.ResponseWriter, r *http.Request) {
	var request struct{ Input []string }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		panic(err)
	}
	data := []any{}
	for i := len(request.Input) - 1; i >= 0; i-- {
		hash := fnv.New32()
		_, _ = hash.Write([]byte(request.Input[i])) // a hash never fails
		data = append(data, map[string]any{"index": i, "embedding": []uint32{1, hash.Sum32() % 1000, hash.Sum32() % 7}})
	}
	if err := json.NewEncoder(w).Encode(map[string]any{"data": data}); err != nil {
		panic(fmt.Errorf("write answer: %w", err))
	}
}

func TestKeepsTheContract(t *testing.T) {
	url := serve(t, http.HandlerFunc(words))
	for name, dimensions := range map[string]int{"of a known width": 3, "of an unknown width": 0} {
		t.Run(name, func(t *testing.T) {
			embeddingstest.Run(t, func(t *testing.T) embeddings.Embedder {
				return newEmbedder(t, remote.Settings{URL: url, Dimensions: dimensions})
			})
		})
	}
}
