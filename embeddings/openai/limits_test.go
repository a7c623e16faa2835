package openai_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/embeddings"
	"semlb/embeddings/openai"
	"semlb/embeddings/remote"
)

func TestLimitsOfModels(t *testing.T) {
	for model, want := range map[string]int{
		"text-embedding-3-small": 8192, "text-embedding-3-large": 8192, "text-embedding-ada-002": 8192, "mistral-embed": 8192,
		"BAAI/bge-large-en-v1.5": 512, "BAAI/bge-m3": 8192, "nomic-embed-text:latest": 8192, "my-deployment": 0, "": 0,
	} {
		require.Equal(t, want, openai.Limit(model), model)
	}
}

// TestTheLimitsOfEndpointsAreLearned quotes what endpoints say about a text of 900 tokens
// where they read 512.
func TestTheLimitsOfEndpointsAreLearned(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		want   *embeddings.TooLong
	}{
		"OpenAI":    {400, `{"error":{"message":"This model's maximum context length is 512 tokens, however you requested 900 tokens (900 in your prompt; 0 for the completion). Please reduce your prompt; or completion length.","type":"invalid_request_error","param":null,"code":null}}`, &embeddings.TooLong{Limit: 512, Given: 900}},
		"OpenAI 2":  {400, `{"error":{"message":"Invalid 'input': maximum context length is 512 tokens.","type":"invalid_request_error"}}`, &embeddings.TooLong{Limit: 512}},
		"vLLM":      {400, `{"object":"error","message":"This model's maximum context length is 512 tokens. However, you requested 900 tokens in the input for embedding generation. Please reduce the length of the input.","type":"BadRequestError","param":null,"code":400}`, &embeddings.TooLong{Limit: 512, Given: 900}},
		"TEI":       {413, "{\"error\":\"Input validation error: `inputs` must have less than 512 tokens. Given: 900\",\"error_type\":\"Validation\"}", &embeddings.TooLong{Limit: 512, Given: 900}},
		"Mistral":   {400, `{"object":"error","message":"Input id 0 has 900 tokens, exceeding max 512 tokens.","type":"invalid_request_prompt","code":"3210"}`, &embeddings.TooLong{Given: 900}},
		"Ollama":    {400, `{"error":{"message":"the input length exceeds the context length","type":"api_error","param":null,"code":null}}`, &embeddings.TooLong{}},
		"llama.cpp": {500, `{"error":{"code":500,"message":"input (900 tokens) is too large to process. increase the physical batch size (current batch size: 512)","type":"server_error"}}`, &embeddings.TooLong{Given: 900}},
		"code":      {400, `{"error":{"code":"context_length_exceeded","message":"no"}}`, &embeddings.TooLong{}},
		"a proxy":   {413, `<html>`, &embeddings.TooLong{}},
		"model":     {400, `{"error":{"message":"The model does not exist","code":"model_not_found"}}`, nil},
		"quota":     {429, `{"error":{"message":"Request too large: tokens per min (TPM): Limit 512, Requested 900"}}`, nil},
		"failure":   {500, `{"error":{"message":"internal error"}}`, nil},
		"quoted":    {400, `{"error":{"message":"cannot parse 'the context length is 3 tokens'"}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := newEmbedder(t, remote.Settings{URL: serve(t, answer(tt.status, tt.body)), Dimensions: 3})
			_, err := o.Embed(t.Context(), []string{"is it true that the context length is 3 tokens?"})
			var e *embeddings.Error
			require.ErrorAs(t, err, &e)
			if name != "quoted" && tt.want != nil {
				o = newEmbedder(t, remote.Settings{URL: serve(t, answer(tt.status, tt.body)), Dimensions: 3})
				_, err = o.Embed(t.Context(), []string{"hello"})
				require.ErrorAs(t, err, &e)
			}
			require.Equal(t, tt.want, e.TooLong)
		})
	}
}

// TestALongPromptIsEmbedded has an endpoint that reads 512 words, whose model is unknown.
func TestALongPromptIsEmbedded(t *testing.T) {
	calls := 0
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		var request struct{ Input []string }
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			panic(err)
		}
		if n := len(strings.Fields(request.Input[0])); n > 512 {
			answer(400, fmt.Sprintf(`{"error":{"message":"This model's maximum context length is 512 tokens, however you requested %d tokens"}}`, n))(w, r)
			return
		}
		answer(200, `{"data":[{"index":0,"embedding":[1,0,0]}]}`)(w, r)
	}))
	o := newEmbedder(t, remote.Settings{URL: url, Dimensions: 3})
	fit := embeddings.NewFit(o, embeddings.FitOptions{Tokens: openai.Limit("unknown")})
	for range 2 {
		vectors, err := fit.Embed(t.Context(), []string{strings.Repeat("of many words ", 9000)})
		require.NoError(t, err)
		require.Equal(t, [][]float32{{1, 0, 0}}, vectors)
	}
	require.Equal(t, 3, calls, "the limit is learned once")
}
