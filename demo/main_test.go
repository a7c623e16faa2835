package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"semlb/demo"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// start serves a demo without pauses on a real socket.
func start(t *testing.T, options demo.Options) string {
	t.Helper()
	if options.Gap == 0 {
		options.Gap = -1
	}
	server, err := demo.Start(demo.AnyPort, demo.New(options))
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, server.Close(ctx))
	})
	return server.URL()
}

// newHTTP returns a client whose connections close with the test.
func newHTTP(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

// newSDK returns the client library of the OpenAI API.
func newSDK(t *testing.T, url string) *openai.Client {
	t.Helper()
	config := openai.DefaultConfig("any")
	config.BaseURL = url + "/v1"
	config.HTTPClient = newHTTP(t)
	return openai.NewClientWithConfig(config)
}

// post sends body with pairs of header names and values.
func post(t *testing.T, client *http.Client, url, body string, headers ...string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewBufferString(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	return client.Do(req)
}

// read returns the whole body.
func read(t *testing.T, res *http.Response) string {
	t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(body)
}

func parse(t *testing.T, body string) map[string]any {
	t.Helper()
	var value map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &value))
	return value
}

func ask(model, text string) openai.ChatCompletionRequest {
	return openai.ChatCompletionRequest{
		Model:    model,
		Messages: []openai.ChatCompletionMessage{{Role: "system", Content: "be brief"}, {Role: "user", Content: text}},
	}
}

const chatBody = `{"model":"gpt-4o","messages":[{"role":"user","content":"hello there"}]}`
