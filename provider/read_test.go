package provider_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/provider"
)

// read reads a valid body.
func read(t testing.TB, body string) *provider.Request {
	t.Helper()
	req, err := provider.ReadRequest([]byte(body))
	require.NoError(t, err)
	return req
}

// requestError requires err to be a RequestError and returns it.
func requestError(t testing.TB, err error) *provider.RequestError {
	t.Helper()
	var fault *provider.RequestError
	require.ErrorAs(t, err, &fault, "got %v, want a RequestError", err)
	return fault
}

func TestReadRequestFindsShapeModelAndPrompt(t *testing.T) {
	for _, tt := range []struct {
		name, body, prompt string
		shape              provider.Shape
	}{
		{"string content", `{"messages":[{"role":"user","content":"hi"}]}`, "hi", provider.Chat},
		{"last user message", `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"x"},{"role":"user","content":"b"},{"role":"tool","content":"y"}]}`, "b", provider.Chat},
		{"role after content", `{"messages":[{"content":"a","role":"user"},{"content":"b","role":"system"}]}`, "a", provider.Chat},
		{"text parts", `{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"u"},"text":"no"},{"text":"b\n","type":"input_text"}]}]}`, "a\nb\n", provider.Chat},
		{"escapes", `{"messages":[{"ro\u006ce":"us\u0065r","content":"\u00e9\ud83d\ude00\"\\"}]}`, "é😀\"\\", provider.Chat},
		{"only images", `{"messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"input_audio"}]}]}`, "", provider.Chat},
		{"null content", `{"messages":[{"role":"user","content":null}]}`, "", provider.Chat},
		{"empty array content", `{"messages":[{"role":"user","content":[]}]}`, "", provider.Chat},
		{"no message", `{"messages":[]}`, "", provider.Chat},
		{"messages of other kinds", `{"messages":[1,[{"role":"user","content":"x"}],null,{"role":5,"content":{"text":"x"}}]}`, "", provider.Chat},
		{"nested messages do not count", `{"metadata":{"messages":[{"role":"user","content":"x"}],"model":"y"},"messages":[]}`, "", provider.Chat},
		{"parts of other kinds", `{"messages":[{"role":"user","content":["x",{"type":"text","text":1},{"type":["text"],"text":"y"}]}]}`, "", provider.Chat},
		{"prompt", `{"prompt":"say \u0068i"}`, "say hi", provider.Completions},
		{"several prompts", `{"prompt":["a","\u0062\n"]}`, "a\nb\n", provider.Completions},
		{"no prompt in the list", `{"prompt":[]}`, "", provider.Completions},
		{"null beside prompt", `{"messages":null,"prompt":"p"}`, "p", provider.Completions},
		{"input string", `{"input":"in"}`, "", provider.Responses},
		{"input items", `{"input":[{"role":"user","content":[{"type":"input_text","text":"q"}]},{"type":"function_call","arguments":"{}"}],"prompt":{"id":"p"}}`, "", provider.Responses},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := read(t, tt.body)
			require.Equal(t, tt.shape, req.Shape)
			require.Equal(t, tt.prompt, req.Prompt())
		})
	}
	req := read(t, ` { "stream" : true , "model":"gpt-\u0034","messages":[] } `)
	require.Equal(t, "gpt-4", req.Model)
	require.True(t, req.Stream)
}

func TestReadRequestRefuses(t *testing.T) {
	deep := strings.Repeat("[", 70) + strings.Repeat("]", 70)
	for _, tt := range []struct{ name, body, code, message string }{
		{"model twice", `{"model":"a","model":"b","messages":[]}`, provider.CodeAmbiguousJSON, ""},
		{"model escaped", `{"mod\u0065l":"a","messages":[]}`, provider.CodeAmbiguousJSON, `"model"`},
		{"model twice, once escaped", `{"model":"a","mod\u0065l":"b","messages":[]}`, provider.CodeAmbiguousJSON, ""},
		{"model in another case", `{"model":"a","Model":"b","messages":[]}`, provider.CodeAmbiguousJSON, `"model"`},
		{"model only in another case", `{"MODEL":"b","messages":[]}`, provider.CodeAmbiguousJSON, `"model"`},
		{"escaped and in another case", `{"\u004dodel":"b","messages":[]}`, provider.CodeAmbiguousJSON, `"model"`},
		{"folds by Unicode", `{"meſſages":[],"messages":[]}`, provider.CodeAmbiguousJSON, `"messages"`},
		{"folds by Unicode, escaped", `{"max_to\u212aens":5,"messages":[]}`, provider.CodeAmbiguousJSON, `"max_tokens"`},
		{"stream in another case", `{"messages":[],"sTream":true}`, provider.CodeAmbiguousJSON, `"stream"`},
		{"prompt in another case", `{"messages":[],"Prompt":"x"}`, provider.CodeAmbiguousJSON, `"prompt"`},
		{"input in another case", `{"messages":[],"Input":"x"}`, provider.CodeAmbiguousJSON, `"input"`},
		{"option in another case", `{"messages":[],"Top_P":1}`, provider.CodeAmbiguousJSON, `"top_p"`},
		{"duplicate far down", `{"messages":[{"role":"user","role":"system"}]}`, provider.CodeAmbiguousJSON, ""},
		{"duplicate far down, escaped", `{"messages":[],"m":[{"a":{"x":1,"\u0078":2}}]}`, provider.CodeAmbiguousJSON, ""},
		{"bad UTF-8", "{\"messages\":[],\"m\":\"\xff\"}", provider.CodeInvalidJSON, ""},
		{"bad UTF-8 in a key", "{\"messages\":[],\"\xff\":1}", provider.CodeInvalidJSON, ""},
		{"lone surrogate", `{"messages":[],"m":"\ud800"}`, provider.CodeInvalidJSON, ""},
		{"byte order mark", "\ufeff{\"messages\":[]}", provider.CodeInvalidJSON, ""},
		{"empty", ``, provider.CodeInvalidJSON, ""},
		{"blank", "  \n", provider.CodeInvalidJSON, ""},
		{"no JSON", `model=a`, provider.CodeInvalidJSON, ""},
		{"cut off", `{"messages":[`, provider.CodeInvalidJSON, ""},
		{"array", `[{"messages":[]}]`, provider.CodeInvalidJSON, "object"},
		{"string", `"messages"`, provider.CodeInvalidJSON, "object"},
		{"trailing object", `{"messages":[]}{"model":"b"}`, provider.CodeInvalidJSON, "after"},
		{"trailing garbage", `{"messages":[]} x`, provider.CodeInvalidJSON, "after"},
		{"trailing comma", `{"messages":[],}`, provider.CodeInvalidJSON, ""},
		{"comment", `{"messages":[]/**/}`, provider.CodeInvalidJSON, ""},
		{"NaN", `{"messages":[],"top_p":NaN}`, provider.CodeInvalidJSON, ""},
		{"deep value", `{"messages":[],"x":` + deep + `}`, provider.CodeTooComplex, "64"},
		{"deep message", `{"messages":` + deep + `}`, provider.CodeTooComplex, "64"},
		{"deep part", `{"messages":[{"content":[{"a":` + deep + `}]}]}`, provider.CodeTooComplex, "64"},
		{"deep key", `{` + deep + `:1}`, provider.CodeInvalidJSON, ""},
		{"nothing to answer", `{"model":"a"}`, provider.CodeInvalidRequest, "request body doesn't contain valid prompts"},
		{"prompt of numbers", `{"prompt":[1,2]}`, provider.CodeInvalidRequest, "array of strings"},
		{"prompt of arrays", `{"prompt":["a",[1]]}`, provider.CodeInvalidRequest, "array of strings"},
		{"prompt that is an object", `{"prompt":{}}`, provider.CodeInvalidRequest, "request body doesn't contain valid prompts"},
		{"too many prompts", `{"prompt":[` + strings.Repeat(`"",`, provider.MaxMessages) + `""]}`, provider.CodeTooComplex, "10000 prompts"},
		{"null messages", `{"messages":null}`, provider.CodeInvalidRequest, "request body doesn't contain valid prompts"},
		{"messages and prompt", `{"messages":[],"prompt":"x"}`, provider.CodeInvalidRequest, "both"},
		{"messages and input", `{"messages":[],"input":"x"}`, provider.CodeInvalidRequest, "beside"},
		{"messages no array", `{"messages":"hi"}`, provider.CodeInvalidRequest, "messages must be an array"},
		{"model no string", `{"messages":[],"model":5}`, provider.CodeInvalidRequest, "model must be a string"},
		{"long model", `{"messages":[],"model":"` + strings.Repeat("m", 600) + `"}`, provider.CodeInvalidRequest, "longer"},
		{"stream no boolean", `{"messages":[],"stream":"true"}`, provider.CodeInvalidRequest, "stream"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := provider.ReadRequest([]byte(tt.body))
			fault := requestError(t, err)
			require.Equal(t, tt.code, fault.Code, fault.Message)
			require.Equal(t, http.StatusBadRequest, fault.Status)
			require.Contains(t, fault.Message, tt.message)
		})
	}
}

func TestReadRequestAcceptsDepthAndCountsUpToTheLimits(t *testing.T) {
	nest := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	read(t, `{"messages":[],"x":`+nest(provider.MaxDepth-1)+`}`)
	_, err := provider.ReadRequest([]byte(`{"messages":[],"x":` + nest(provider.MaxDepth) + `}`))
	require.Equal(t, provider.CodeTooComplex, requestError(t, err).Code)

	messages := func(n int) string { return `{"messages":[` + strings.Repeat(`{},`, n-1) + `{}]}` }
	read(t, messages(provider.MaxMessages))
	_, err = provider.ReadRequest([]byte(messages(provider.MaxMessages + 1)))
	require.Equal(t, provider.CodeTooComplex, requestError(t, err).Code)
}

func TestReadRequestBoundsItsWork(t *testing.T) {
	var members bytes.Buffer
	members.WriteString(`{"messages":[]`)
	for i := range 100_000 {
		fmt.Fprintf(&members, `,"k%d":1`, i)
	}
	members.WriteString(`}`)
	for name, body := range map[string]string{
		"a million messages":       `{"messages":[` + strings.Repeat(`{"role":"user","content":"a"},`, 1_000_000) + `{}]}`,
		"a million open brackets":  `{"messages":` + strings.Repeat(`[`, 1_000_000),
		"a hundred thousand names": members.String(),
	} {
		start := time.Now()
		_, err := provider.ReadRequest([]byte(body))
		require.Equal(t, provider.CodeTooComplex, requestError(t, err).Code, name)
		require.Less(t, time.Since(start), 10*time.Second, name)
	}
}

func TestErrorsHoldNothingOfTheBody(t *testing.T) {
	const secret = "hunter2"
	for _, body := range []string{
		`{"hunter2":1,"hunter2":2}`,
		`{"messages":[{"hunter2":{"hunter2":1,"hunter2":2}}]}`,
		`{"messages":"hunter2"}`,
		`{"messages":[],"model":["hunter2"]}`,
		`{"hunter2":"` + "\xff" + `"}`,
		`hunter2`,
	} {
		_, err := provider.ReadRequest([]byte(body))
		fault := requestError(t, err)
		require.NotContains(t, fault.Error(), secret)
		require.NotContains(t, string(fault.JSON()), secret)
	}
}

func TestRequestErrorIsWrittenAsOpenAIDoes(t *testing.T) {
	fault := provider.RequestError{Status: 400, Code: "c", Message: "say \"x\" \xff"}
	require.JSONEq(t, `{"error":{"message":"say \"x\" �","type":"invalid_request_error","param":null,"code":"c"}}`, string(fault.JSON()))
}

func TestReadRequestDoesNotCopyTheBody(t *testing.T) {
	body := chatBody(900 << 10)
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = provider.ReadRequest(body)
		}
	})
	require.Less(t, result.AllocedBytesPerOp(), int64(32<<10))
}

func TestChecksOfRouteTypeStreamingAndContentType(t *testing.T) {
	chat := read(t, `{"messages":[],"stream":true}`)
	require.NoError(t, chat.CheckRouteType("llm/v1/chat"))
	fault := requestError(t, chat.CheckRouteType("llm/v1/completions"))
	require.Contains(t, fault.Message, "llm/v1/chat")
	require.Contains(t, fault.Message, "llm/v1/completions")
	require.NoError(t, read(t, `{"prompt":"x"}`).CheckRouteType("llm/v1/completions"))

	require.NoError(t, chat.CheckStreaming(provider.StreamingAllow))
	require.NoError(t, chat.CheckStreaming(provider.StreamingAlways))
	require.Equal(t, "streaming is not enabled", requestError(t, chat.CheckStreaming(provider.StreamingDeny)).Message)

	for _, full := range []string{`{"messages":[{}]}`, `{"prompt":""}`, `{"prompt":[""]}`, `{"input":[]}`} {
		require.NoError(t, read(t, full).CheckContent(), full)
	}
	require.Equal(t, "messages must not be empty", requestError(t, chat.CheckContent()).Message)
	require.Equal(t, "prompt must not be empty", requestError(t, read(t, `{"prompt":[ ]}`).CheckContent()).Message)

	for _, good := range []string{"", "application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json", "application/ld+JSON;x=y"} {
		require.NoError(t, provider.CheckContentType(good), good)
	}
	for _, bad := range []string{"text/plain", "application/jsonx", "+json", "multipart/form-data; boundary=application/json", ";", " "} {
		require.Equal(t, provider.CodeContentType, requestError(t, provider.CheckContentType(bad)).Code, bad)
	}
}
