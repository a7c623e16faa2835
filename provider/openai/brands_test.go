package openai_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/provider/openai"
	"semlb/provider/providertest"
)

func TestBrandsHaveTheirOwnURL(t *testing.T) {
	azure := provider.Options{AzureInstance: "My-Inst", AzureDeploymentID: "dep/1"}
	for _, tt := range []struct {
		provider, route, want string
		options               provider.Options
	}{
		{"openai", "llm/v1/chat", "https://api.openai.com/v1/chat/completions", provider.Options{}},
		{"openai", "llm/v1/completions", "https://api.openai.com/v1/completions", provider.Options{}},
		{"mistral", "llm/v1/chat", "https://api.mistral.ai/v1/chat/completions", provider.Options{MistralFormat: "openai"}},
		{"deepseek", "llm/v1/chat", "https://api.deepseek.com/v1/chat/completions", provider.Options{}},
		{"xai", "llm/v1/chat", "https://api.x.ai/v1/chat/completions", provider.Options{}},
		{"cerebras", "llm/v1/chat", "https://api.cerebras.ai/v1/chat/completions", provider.Options{}},
		{"dashscope", "llm/v1/chat", "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions", provider.Options{}},
		{"dashscope", "llm/v1/chat", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions", provider.Options{DashscopeInternational: true}},
		{"vllm", "llm/v1/completions", "http://vllm:8000/v1/completions", provider.Options{UpstreamURL: "http://vllm:8000"}},
		{"azure", "llm/v1/chat", "https://my-inst.openai.azure.com/openai/deployments/dep%2F1/chat/completions?api-version=2023-05-15", azure},
		{"azure", "llm/v1/completions", "https://my-inst.openai.azure.com/openai/deployments/dep%2F1/completions?api-version=2023-05-15", azure},
		{"azure", "llm/v1/chat", "https://h/p?api-version=v2", provider.Options{UpstreamURL: "https://h/p?api-version=v2"}},
	} {
		w := rewrite(t, provider.Settings{Provider: tt.provider, Model: "m", RouteType: tt.route, Options: tt.options}, chat)
		require.Equal(t, tt.want, w.Scheme+"://"+w.Authority+w.Path)
	}
}

func TestAzureVersion(t *testing.T) {
	azure := provider.Settings{Provider: "azure", Model: "m", Options: provider.Options{UpstreamURL: "https://h/p"}}
	schemas := azure
	schemas.Options.AzureAPIVersion = "2023-05-15"
	explicit := azure
	explicit.Options.AzureAPIVersion = "2024-10-21"
	clientFirst := explicit
	clientFirst.OptionsPrecedence = provider.PrecedenceClient
	for _, tt := range []struct {
		name        string
		settings    provider.Settings
		query, want string
	}{
		{"default", azure, "", "/p?api-version=2023-05-15"},
		{"the client's", azure, "api-version=c", "/p?api-version=c"},
		{"the client's, over the schema's default", schemas, "api-version=c", "/p?api-version=c"},
		{"the schema's default", schemas, "a=1", "/p?a=1&api-version=2023-05-15"},
		{"configured", explicit, "api-version=c&a=1", "/p?a=1&api-version=2024-10-21"},
		{"configured, but the client's wins", clientFirst, "api-version=c", "/p?api-version=c"},
	} {
		req, err := provider.ReadRequest([]byte(chat))
		require.NoError(t, err)
		w, err := providertest.NewTarget(t, tt.settings).Rewrite(req, provider.Client{Query: tt.query})
		require.NoError(t, err)
		require.Equal(t, tt.want, w.Path, tt.name)
	}
}

func TestBrandsNameTheirHeader(t *testing.T) {
	for _, name := range openai.Providers() {
		d, err := openai.New(provider.Settings{Provider: name, RouteType: "llm/v1/chat", Options: provider.Options{AzureInstance: "i", AzureDeploymentID: "d"}})
		require.NoError(t, err)
		want := "authorization"
		if name == "azure" {
			want = "api-key"
		}
		require.Equal(t, want, d.Site().AuthHeader, name)
	}
}

func TestNewRefuses(t *testing.T) {
	azure := func(o provider.Options) provider.Settings { return provider.Settings{Provider: "azure", Options: o} }
	for _, tt := range []struct {
		want     string
		settings provider.Settings
	}{
		{`provider: "nobody" is not supported`, provider.Settings{Provider: "nobody"}},
		{`route_type: "audio/v1/audio/speech" is not supported`, provider.Settings{Provider: "openai", RouteType: "audio/v1/audio/speech"}},
		{"mistral_format: ", provider.Settings{Provider: "mistral", Options: provider.Options{MistralFormat: "ollama"}}},
		{"azure_instance and", azure(provider.Options{})},
		{"azure_instance: ", azure(provider.Options{AzureInstance: "evil.com/", AzureDeploymentID: "d"})},
		{"azure_deployment_id: ", azure(provider.Options{AzureInstance: "i", AzureDeploymentID: "$(body.x)"})},
		{"azure_api_version: ", azure(provider.Options{UpstreamURL: "https://h", AzureAPIVersion: "$(headers.)"})},
	} {
		if tt.settings.RouteType == "" {
			tt.settings.RouteType = "llm/v1/chat"
		}
		_, err := openai.New(tt.settings)
		require.ErrorContains(t, err, tt.want)
	}
}
