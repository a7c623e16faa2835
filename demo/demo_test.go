package demo_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"semlb/demo"
)

func TestChatNamesTargetModelAndAttempt(t *testing.T) {
	url := start(t, demo.Options{Name: "target 2", About: `weight 75, "Specialist in programming problems"`})
	res, err := newSDK(t, url).CreateChatCompletion(t.Context(), ask("gpt-4o", "fix this loop"))
	require.NoError(t, err)
	require.Equal(t, "chat.completion", res.Object)
	require.True(t, strings.HasPrefix(res.ID, "chatcmpl-"))
	require.InDelta(t, time.Now().Unix(), res.Created, 5)
	require.Equal(t, "gpt-4o", res.Model)
	require.Len(t, res.Choices, 1)
	require.Equal(t, openai.FinishReasonStop, res.Choices[0].FinishReason)
	require.Equal(t, "assistant", res.Choices[0].Message.Role)
	require.Equal(t, `Answer of target 2 (gpt-4o, weight 75, "Specialist in programming problems"), attempt 1: you said "fix this loop".`,
		res.Choices[0].Message.Content)
	require.Equal(t, 5, res.Usage.PromptTokens)
	require.Equal(t, 18, res.Usage.CompletionTokens)
	require.Equal(t, 23, res.Usage.TotalTokens)
	require.Equal(t, "target 2", res.Header().Get("X-Demo-Target"))
}

func TestChatReadsContentParts(t *testing.T) {
	url := start(t, demo.Options{})
	res, err := post(t, newHTTP(t), url+"/v1/chat/completions", `{"model":"m","unknown":1,"messages":[
		{"role":"user","content":[{"type":"text","text":"what is"},{"type":"image_url","image_url":{"url":"data:"}},{"type":"text","text":"this"}]},
		{"role":"assistant","content":null}]}`)
	require.NoError(t, err)
	require.Contains(t, read(t, res), `you said \"what is\\nthis\"`)
}

func TestAnswerCanBeLongerOrLimited(t *testing.T) {
	sdk := newSDK(t, start(t, demo.Options{Words: 100}))
	request := ask("m", "x")
	res, err := sdk.CreateChatCompletion(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, 100, res.Usage.CompletionTokens)
	request.MaxCompletionTokens = 3
	res, err = sdk.CreateChatCompletion(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, "Answer of demo", res.Choices[0].Message.Content)
	require.Equal(t, openai.FinishReasonLength, res.Choices[0].FinishReason)
}

func TestAttemptsAreCountedPerRequestOverAllServers(t *testing.T) {
	attempts := demo.NewAttempts(2)
	first := start(t, demo.Options{Name: "target 1", Attempts: attempts})
	second := start(t, demo.Options{Name: "target 2", Attempts: attempts})
	client := newHTTP(t)
	send := func(url, id string, headers ...string) string {
		if id != "" {
			headers = append(headers, "x-request-id", id)
		}
		res, err := post(t, client, url+"/v1/chat/completions", chatBody, headers...)
		require.NoError(t, err)
		require.Equal(t, id, res.Header.Get("X-Request-Id"))
		return read(t, res) + " header: " + res.Header.Get("X-Demo-Attempt")
	}
	require.Contains(t, send(first, "a", demo.FailHeader, "gpt-4o=503"), "header: 1")
	require.Contains(t, send(second, "a"), "Answer of target 2 (gpt-4o), attempt 2:")
	require.Contains(t, send(first, "b"), "header: 1")
	require.Contains(t, send(first, ""), "header: 1")
	require.Contains(t, send(first, ""), "header: 1")
	require.Contains(t, send(first, "a"), "header: 3")
	send(first, "c")
	require.Contains(t, send(first, "b"), "header: 1", "the request not seen for longest is forgotten")
}

func TestAttemptsOfManyClientsAtOnce(t *testing.T) {
	url := start(t, demo.Options{Attempts: demo.NewAttempts(0)})
	client := newHTTP(t)
	var all sync.WaitGroup
	var seen sync.Map
	for range 20 {
		all.Go(func() {
			res, err := post(t, client, url+"/v1/chat/completions", chatBody, "x-request-id", "same")
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close()
			seen.Store(res.Header.Get("X-Demo-Attempt"), true)
		})
	}
	all.Wait()
	for i := range 20 {
		_, ok := seen.Load(fmt.Sprint(i + 1))
		require.True(t, ok, "attempt %d", i+1)
	}
}

func TestCompletionAnswers(t *testing.T) {
	sdk := newSDK(t, start(t, demo.Options{Name: "target 1"}))
	res, err := sdk.CreateCompletion(t.Context(), openai.CompletionRequest{Model: "davinci", Prompt: "once upon"})
	require.NoError(t, err)
	require.Equal(t, "text_completion", res.Object)
	require.Equal(t, `Answer of target 1 (davinci), attempt 1: you said "once upon".`, res.Choices[0].Text)
	require.Equal(t, "stop", res.Choices[0].FinishReason)
	require.Equal(t, 2, res.Usage.PromptTokens)
}

func TestModelsAreListed(t *testing.T) {
	res, err := newSDK(t, start(t, demo.Options{Models: []string{"gpt-4o", "gpt-4o-mini"}})).ListModels(t.Context())
	require.NoError(t, err)
	require.Len(t, res.Models, 2)
	require.Equal(t, "gpt-4o", res.Models[0].ID)
	require.Equal(t, "model", res.Models[0].Object)
}

func TestToolIsCalledWhenNamedOrRequired(t *testing.T) {
	sdk := newSDK(t, start(t, demo.Options{}))
	function := func(name string) openai.Tool {
		return openai.Tool{Type: openai.ToolTypeFunction, Function: &openai.FunctionDefinition{Name: name}}
	}
	tools := []openai.Tool{function("get_time"), function("get_weather")}
	for _, tt := range []struct {
		name, text string
		choice     any
		want       string
	}{
		{"named by the user", "please use get_weather", nil, "get_weather"},
		{"not named", "hello", nil, ""},
		{"none", "please use get_weather", "none", ""},
		{"required", "hello", "required", "get_time"},
		{"required and named", "please use get_weather", "required", "get_weather"},
		{"chosen", "hello", openai.ToolChoice{Type: "function", Function: openai.ToolFunction{Name: "get_weather"}}, "get_weather"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request := ask("m", tt.text)
			request.Tools, request.ToolChoice = tools, tt.choice
			res, err := sdk.CreateChatCompletion(t.Context(), request)
			require.NoError(t, err)
			message := res.Choices[0].Message
			if tt.want == "" {
				require.Empty(t, message.ToolCalls)
				require.NotEmpty(t, message.Content)
				return
			}
			require.Equal(t, openai.FinishReasonToolCalls, res.Choices[0].FinishReason)
			require.Empty(t, message.Content)
			require.Len(t, message.ToolCalls, 1)
			require.Equal(t, openai.ToolTypeFunction, message.ToolCalls[0].Type)
			require.Equal(t, openai.FunctionCall{Name: tt.want, Arguments: "{}"}, message.ToolCalls[0].Function)

			request.Messages = append(request.Messages, message,
				openai.ChatCompletionMessage{Role: "tool", ToolCallID: message.ToolCalls[0].ID, Content: "sunny"})
			res, err = sdk.CreateChatCompletion(t.Context(), request)
			require.NoError(t, err)
			require.Empty(t, res.Choices[0].Message.ToolCalls, "after the result comes an answer")
		})
	}
}

func TestErrorsHaveTheFormatOfTheAPI(t *testing.T) {
	url := start(t, demo.Options{})
	client := newHTTP(t)
	for _, tt := range []struct {
		name, path, body string
		status           int
		param            any
	}{
		{"not JSON", "/v1/chat/completions", `hello`, 400, nil},
		{"no model", "/v1/chat/completions", `{"messages":[]}`, 400, "model"},
		{"no messages", "/v1/chat/completions", `{"model":"m"}`, 400, "messages"},
		{"messages of a wrong type", "/v1/chat/completions", `{"model":"m","messages":"x"}`, 400, nil},
		{"no tokens", "/v1/chat/completions", `{"model":"m","max_tokens":0,"messages":[{"role":"user","content":"x"}]}`, 400, "max_tokens"},
		{"no prompt", "/v1/completions", `{"model":"m"}`, 400, "prompt"},
		{"no input", "/v1/embeddings", `{"model":"m"}`, 400, "input"},
		{"empty input", "/v1/embeddings", `{"model":"m","input":["x",""]}`, 400, "input"},
		{"width", "/v1/embeddings", `{"model":"m","input":"x","dimensions":0}`, 400, "dimensions"},
		{"format", "/v1/embeddings", `{"model":"m","input":"x","encoding_format":"int8"}`, 400, "encoding_format"},
		{"unknown path", "/v1/images", `{}`, 404, nil},
		{"huge", "/v1/chat/completions", strings.Repeat(" ", 9<<20), 413, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := post(t, client, url+tt.path, tt.body)
			require.NoError(t, err)
			require.Equal(t, tt.status, res.StatusCode)
			require.Equal(t, "application/json", res.Header.Get("Content-Type"))
			e := parse(t, read(t, res))["error"].(map[string]any)
			require.NotEmpty(t, e["message"])
			require.Equal(t, "invalid_request_error", e["type"])
			require.Equal(t, tt.param, e["param"])
			require.Contains(t, e, "code")
		})
	}
	res, err := client.Get(url + "/v1/chat/completions")
	require.NoError(t, err)
	require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
	require.Contains(t, read(t, res), "Invalid URL (GET /v1/chat/completions)")
}

func TestObserverSeesWhatArrives(t *testing.T) {
	seen := make(chan string, 1)
	url := start(t, demo.Options{Observe: func(r *http.Request, body []byte) {
		seen <- r.URL.Path + " " + r.Header.Get("Authorization") + " " + string(body)
	}})
	res, err := post(t, newHTTP(t), url+"/v1/chat/completions", chatBody, "Authorization", "Bearer x")
	require.NoError(t, err)
	read(t, res)
	require.Equal(t, "/v1/chat/completions Bearer x "+chatBody, <-seen)
}
