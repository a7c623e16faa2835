package demo_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"semlb/demo"
)

// collect reads a stream to its end.
func collect(t *testing.T, url string, request openai.ChatCompletionRequest) (text string, chunks []openai.ChatCompletionStreamResponse) {
	t.Helper()
	stream, err := newSDK(t, url).CreateChatCompletionStream(t.Context(), request)
	require.NoError(t, err)
	defer stream.Close()
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return text, chunks
		}
		require.NoError(t, err)
		for _, c := range chunk.Choices {
			text += c.Delta.Content
		}
		chunks = append(chunks, chunk)
	}
}

func TestStreamHasTheTextOfTheWholeAnswer(t *testing.T) {
	url := start(t, demo.Options{Name: "target 3", Words: 30})
	whole, err := newSDK(t, url).CreateChatCompletion(t.Context(), ask("m", "hello"))
	require.NoError(t, err)
	text, chunks := collect(t, url, ask("m", "hello"))
	require.Equal(t, whole.Choices[0].Message.Content, text)
	require.Len(t, chunks, 32)
	for _, c := range chunks {
		require.Equal(t, "chat.completion.chunk", c.Object)
		require.Equal(t, chunks[0].ID, c.ID)
		require.Equal(t, "m", c.Model)
		require.Nil(t, c.Usage)
	}
	require.Equal(t, "assistant", chunks[0].Choices[0].Delta.Role)
	require.Equal(t, openai.FinishReasonStop, chunks[31].Choices[0].FinishReason)
}

func TestStreamHasUsageOnlyOnRequest(t *testing.T) {
	request := ask("m", "hello")
	request.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	_, chunks := collect(t, start(t, demo.Options{}), request)
	last := chunks[len(chunks)-1]
	require.Empty(t, last.Choices)
	require.Equal(t, 3, last.Usage.PromptTokens)
	require.Equal(t, last.Usage.PromptTokens+last.Usage.CompletionTokens, last.Usage.TotalTokens)
}

func TestStreamOnTheWire(t *testing.T) {
	url := start(t, demo.Options{})
	for _, tt := range []struct{ path, body string }{
		{"/v1/chat/completions", `{"model":"m","stream":true,"stream_options":{"include_usage":true},"max_tokens":2,"messages":[{"role":"user","content":"x"}]}`},
		{"/v1/completions", `{"model":"m","stream":true,"stream_options":{"include_usage":true},"max_tokens":2,"prompt":"x"}`},
	} {
		t.Run(tt.path, func(t *testing.T) {
			res, err := post(t, newHTTP(t), url+tt.path, tt.body)
			require.NoError(t, err)
			require.Equal(t, "text/event-stream; charset=utf-8", res.Header.Get("Content-Type"))
			body := read(t, res)
			require.True(t, strings.HasSuffix(body, "data: [DONE]\n\n"))
			events := strings.Split(strings.TrimSuffix(body, "\n\n"), "\n\n")
			for _, event := range events[:len(events)-2] {
				data, ok := strings.CutPrefix(event, "data: ")
				require.True(t, ok)
				value := parse(t, data)
				require.Contains(t, value, "usage")
				require.Nil(t, value["usage"])
				require.Len(t, value["choices"], 1)
			}
			end := parse(t, strings.TrimPrefix(events[len(events)-3], "data: "))
			require.Equal(t, "length", end["choices"].([]any)[0].(map[string]any)["finish_reason"])
			total := parse(t, strings.TrimPrefix(events[len(events)-2], "data: "))
			require.Equal(t, []any{}, total["choices"])
			require.Equal(t, 2.0, total["usage"].(map[string]any)["completion_tokens"])
		})
	}
}

func TestStreamSendsEachWordAtOnce(t *testing.T) {
	const gap = 30 * time.Millisecond
	url := start(t, demo.Options{Gap: gap, Delay: 2 * gap})
	begin := time.Now()
	res, err := post(t, newHTTP(t), url+"/v1/chat/completions",
		`{"model":"m","stream":true,"max_tokens":4,"messages":[{"role":"user","content":"x"}]}`)
	require.NoError(t, err)
	defer res.Body.Close()
	require.GreaterOrEqual(t, time.Since(begin), 2*gap)
	require.Equal(t, 6, strings.Count(read(t, res), "data: {"))
	require.GreaterOrEqual(t, time.Since(begin), 7*gap, "words are not sent in one go")

	// The second word comes after an hour, the first one before.
	res, err = post(t, newHTTP(t), start(t, demo.Options{Gap: time.Hour})+"/v1/chat/completions", streamBody)
	require.NoError(t, err)
	defer res.Body.Close()
	line, err := bufio.NewReader(res.Body).ReadString('\n')
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(line, "data: {"), line)
}

func TestStreamOfAToolCall(t *testing.T) {
	request := ask("m", "use get_time")
	request.Tools = []openai.Tool{{Type: openai.ToolTypeFunction, Function: &openai.FunctionDefinition{Name: "get_time"}}}
	text, chunks := collect(t, start(t, demo.Options{}), request)
	require.Empty(t, text)
	var call openai.ToolCall
	for _, c := range chunks {
		for _, part := range c.Choices[0].Delta.ToolCalls {
			require.Equal(t, 0, *part.Index)
			call.ID += part.ID
			call.Function.Name += part.Function.Name
			call.Function.Arguments += part.Function.Arguments
		}
	}
	require.True(t, strings.HasPrefix(call.ID, "call_"))
	require.Equal(t, "get_time", call.Function.Name)
	require.True(t, json.Valid([]byte(call.Function.Arguments)))
	require.Equal(t, openai.FinishReasonToolCalls, chunks[len(chunks)-1].Choices[0].FinishReason)
}
