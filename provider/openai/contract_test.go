package openai_test

import (
	"testing"

	"semlb/provider"
	"semlb/provider/openai"
	"semlb/provider/providertest"
	"semlb/wire"
)

func TestContract(t *testing.T) {
	providertest.Run(t, providertest.Dialect{Prepare: openai.New, Targets: targets(), Answers: answers()})
}

// targets touch requests in every way there is.
func targets() []provider.Settings {
	header := func(name, value string) provider.Auth {
		return provider.Auth{HeaderName: name, HeaderValue: wire.NewSecret(value)}
	}
	param := func(name, value, location string) provider.Auth {
		return provider.Auth{ParamName: name, ParamValue: wire.NewSecret(value), ParamLocation: location}
	}
	override := param("token", "secret-override", "body")
	override.AllowOverride = true
	return []provider.Settings{
		{
			ID: "options", Provider: "openai", Model: "gpt-4o", Auth: header("Authorization", "Bearer secret-openai"),
			Options: provider.Options{MaxTokens: "256", Temperature: "1.0"},
		},
		{ID: "a model that reasons", Provider: "openai", Model: "o3-mini", Options: provider.Options{TopP: "0.50"}, Auth: header("", "Bearer secret-o3")},
		{ID: "the client's options win", Provider: "openai", Model: "gpt-5", Options: provider.Options{MaxTokens: "9"}, OptionsPrecedence: "client"},
		{ID: "the client's model", Provider: "openai"},
		{ID: "always a stream, max_tokens only", Provider: "mistral", ResponseStreaming: provider.StreamingAlways, Auth: header("X-Own", "secret-mistral")},
		{
			ID: "all options", Provider: "xai", Model: "grok", OptionsPrecedence: "client",
			Options: provider.Options{MaxTokens: "5", Temperature: "0", TopP: "1e-1", TopK: "3"},
		},
		{
			ID: "deployment", Provider: "azure", Model: "o1", Auth: header("api-key", "secret-azure"),
			Options: provider.Options{AzureInstance: "i", AzureDeploymentID: "d", MaxTokens: "7"},
		},
		{ID: "credential in the query", Provider: "deepseek", Model: "deepseek-chat", Auth: param("k ey", "secret-query", "query")},
		{
			ID: "credential in the body", Provider: "vllm", Model: "q", Auth: param("api_key", "secret-body", "body"),
			Options: provider.Options{UpstreamURL: "http://vllm:8000"},
		},
		{
			ID: "the client's credential wins", Provider: "vllm", Model: "r", Auth: override,
			Options: provider.Options{UpstreamURL: "http://vllm:8001", MaxTokens: "7"},
		},
		{ID: "completions", Provider: "openai", Model: "gpt-3.5-turbo-instruct", RouteType: "llm/v1/completions", Options: provider.Options{MaxTokens: "16"}},
		{ID: "completions elsewhere", Provider: "vllm", Model: "c", RouteType: "llm/v1/completions", Options: provider.Options{UpstreamURL: "http://vllm:8000"}},
	}
}

func answers() []providertest.Answer {
	const stream = "data: {\"model\":\"gpt-4o\",\"choices\":[{\"delta\":{\"content\":\"Guten Tag\"}}]}\r\n\r\n" +
		": comment\n\ndata: {\"choices\":[{\"delta\":{\"content\":\", Käthe\"}}]}\n\n"
	return []providertest.Answer{
		{
			Name:  "an answer with counts",
			Body:  `{"model":"gpt-4o-2024","choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":10,"completion_tokens":25,"total_tokens":35}}`,
			Usage: provider.Usage{PromptTokens: 10, CompletionTokens: 25, TotalTokens: 35, Model: "gpt-4o-2024"},
		},
		{
			Name:  "a total that is too small",
			Body:  `{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":25}}`,
			Usage: provider.Usage{PromptTokens: 10, CompletionTokens: 25, TotalTokens: 35},
		},
		{
			Name:  "an answer without counts is estimated",
			Body:  `{"choices":[{"text":"twelve chars"}]}`,
			Usage: provider.Usage{PromptTokens: 5, CompletionTokens: 3, TotalTokens: 8, Estimated: true},
		},
		{
			Name:  "counts as texts and with fractions, choices of no known shape",
			Body:  `{"model":7,"choices":{},"usage":{"prompt_tokens":"111","completion_tokens":11.0,"total_tokens":1.22e2}}`,
			Usage: provider.Usage{PromptTokens: 111, CompletionTokens: 11, TotalTokens: 122},
		},
		{
			Name:  "counts under other names",
			Body:  `{"choices":[{"message":null,"delta":"x"}],"usage":{"input_tokens":10,"output_tokens":2,"prompt_tokens_details":{"cached_tokens":1}}}`,
			Usage: provider.Usage{PromptTokens: 10, CompletionTokens: 2, TotalTokens: 12},
		},
		{
			Name:  "one count and the total",
			Body:  `{"choices":[],"usage":{"completion_tokens":2,"total_tokens":12,"prompt_tokens":null}}`,
			Usage: provider.Usage{PromptTokens: 10, CompletionTokens: 2, TotalTokens: 12},
		},
		{
			Name:  "one count alone, the other is estimated",
			Body:  `{"choices":[{"message":{"content":[{"type":"text","text":"twelve chars"},7]}}],"usage":{"prompt_tokens":10}}`,
			Usage: provider.Usage{PromptTokens: 10, CompletionTokens: 3, TotalTokens: 13, Estimated: true},
		},
		{
			Name:  "the total alone",
			Body:  `{"choices":[{"text":"twelve chars"}],"usage":{"total_tokens":10}}`,
			Usage: provider.Usage{PromptTokens: 7, CompletionTokens: 3, TotalTokens: 10, Estimated: true},
		},
		{
			Name:  "counts that are none",
			Body:  `{"choices":[{"text":"twelve chars"}],"usage":{"prompt_tokens":-1,"completion_tokens":"many","total_tokens":1e300}}`,
			Usage: provider.Usage{PromptTokens: 5, CompletionTokens: 3, TotalTokens: 8, Estimated: true},
		},
		{
			Name:  "a stream that is not called one",
			Body:  stream + `data: {"usage":{"prompt_tokens":3,"completion_tokens":4}}`,
			Usage: provider.Usage{PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7, Model: "gpt-4o"},
		},
		{
			Name: "a stream whose last event has no end", Streaming: true,
			Body:  stream + `data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`,
			Usage: provider.Usage{PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7, Model: "gpt-4o"},
		},
		{
			Name: "a stream with zeros beside the counts", Streaming: true,
			Body:  `data: {"usage":{"prompt_tokens":3,"completion_tokens":4}}` + "\n\n" + `data: {"usage":{"prompt_tokens":0,"completion_tokens":0}}` + "\n\n",
			Usage: provider.Usage{PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7},
		},
		{
			Name: "a whole answer that is called a stream", Streaming: true,
			Body:  `{"usage":{"prompt_tokens":3,"completion_tokens":4}}`,
			Usage: provider.Usage{PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7},
		},
		{
			Name: "a stream with counts at its end", Streaming: true,
			Body:  stream + `data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}` + "\n\ndata: [DONE]\n\n",
			Usage: provider.Usage{PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7, Model: "gpt-4o"},
		},
		{
			Name: "a stream whose lines end with CR, after a byte order mark", Streaming: true,
			Body:  "\ufeff" + `data: {"usage":{"prompt_tokens":3,"completion_tokens":4}}` + "\r\rdata: [DONE]\r\r",
			Usage: provider.Usage{PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7},
		},
		{
			Name: "an event of several lines", Streaming: true,
			Body:  "data: nothing\n\ndata: {\ndata: \"usage\": {\"prompt_tokens\": 3,\ndata: \"completion_tokens\": 4}}",
			Usage: provider.Usage{PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7},
		},
		{
			Name:  "an answer after a byte order mark, counts with spaces",
			Body:  "\ufeff" + `{"usage":{"prompt_tokens":" 3 ","completion_tokens":4}}`,
			Usage: provider.Usage{PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7},
		},
		{
			Name: "a stream without counts is estimated", Streaming: true,
			Body:  stream + "data: [DONE]\n\n",
			Usage: provider.Usage{PromptTokens: 9, CompletionTokens: 4, TotalTokens: 13, Estimated: true, Model: "gpt-4o"},
		},
	}
}
