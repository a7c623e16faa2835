package provider_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/provider/providertest"
	"semlb/wire"
)

// newTarget prepares a target of valid settings, for chats by default.
func newTarget(t testing.TB, s provider.Settings) *provider.Target {
	t.Helper()
	return providertest.NewTarget(t, s)
}

// rewrite rewrites a valid body for a target of valid settings.
func rewrite(t testing.TB, s provider.Settings, body string, client provider.Client) provider.Rewrite {
	t.Helper()
	w, err := newTarget(t, s).Rewrite(read(t, body), client)
	require.NoError(t, err)
	return w
}

// url returns where a rewrite goes.
func url(w provider.Rewrite) string { return w.Scheme + "://" + w.Authority + w.Path }

// headers returns the lookup function of a client's headers.
func headers(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := pairs[name]; return v, ok }
}

const chat = `{"model":"m","messages":[]}`

func TestUpstreamURLAndPath(t *testing.T) {
	for _, tt := range []struct {
		provider, route, want string
		options               provider.Options
	}{
		{"vllm", "llm/v1/chat", "http://vllm/v1/chat/completions", provider.Options{UpstreamURL: "HTTP://VLLM:80/"}},
		{"vllm", "llm/v1/chat", "https://[fd00::1]:8443/x%20y/?z=1", provider.Options{UpstreamURL: "https://[fd00::1]:8443/x%20y/?z=1"}},
		{"vllm", "llm/v1/chat", "https://h:80/c", provider.Options{UpstreamURL: "https://h:80", UpstreamPath: "/c"}},
		{"openai", "llm/v1/chat", "https://api.openai.com/p?q=1", provider.Options{UpstreamPath: "/p?q=1"}},
		{"openai", "llm/v1/chat", "https://h/of-url", provider.Options{UpstreamURL: "https://h/of-url", UpstreamPath: "/p"}},
	} {
		w := rewrite(t, provider.Settings{Provider: tt.provider, Model: "m", RouteType: tt.route, Options: tt.options}, chat, provider.Client{})
		require.Equal(t, tt.want, url(w))
	}
}

func TestBaseURLReplacesEveryHost(t *testing.T) {
	for _, s := range []provider.Settings{
		{Provider: "openai", BaseURL: "http://127.0.0.1:9000"},
		{Provider: "azure", BaseURL: "http://127.0.0.1:9000/", Options: provider.Options{AzureInstance: "i", AzureDeploymentID: "d"}},
		{Provider: "vllm", BaseURL: "http://127.0.0.1:9000/base/", Options: provider.Options{UpstreamURL: "https://example.com/p"}},
	} {
		s.Model = "m"
		target := newTarget(t, withRoute(s))
		require.Equal(t, provider.Endpoint{Scheme: "http", Host: "127.0.0.1", Port: 9000}, target.Endpoint())
	}
	w := rewrite(t, provider.Settings{Provider: "vllm", BaseURL: "http://h:1/base/", Options: provider.Options{UpstreamURL: "https://example.com/p"}}, chat, provider.Client{})
	require.Equal(t, "http://h:1/base/p", url(w))
}

func withRoute(s provider.Settings) provider.Settings { s.RouteType = "llm/v1/chat"; return s }

func TestNewRefuses(t *testing.T) {
	const secret = "hunter2"
	good := provider.Settings{Provider: "plain", Model: "m", RouteType: "llm/v1/chat"}
	for name, change := range map[string]func(*provider.Settings){
		"upstream_url is":      func(s *provider.Settings) { s.Provider = "nowhere" },
		"max_tokens: ":         func(s *provider.Settings) { s.Options.MaxTokens = "5,\"x\":1" },
		"temperature: ":        func(s *provider.Settings) { s.Options.Temperature = `"1"` },
		"options_precedence: ": func(s *provider.Settings) { s.OptionsPrecedence = "both" },
		"response_streaming: ": func(s *provider.Settings) { s.ResponseStreaming = "never" },
		"auth.param_location: ": func(s *provider.Settings) {
			s.Auth = provider.Auth{ParamName: "a", ParamValue: wire.NewSecret(secret), ParamLocation: "path"}
		},
		"need each other": func(s *provider.Settings) { s.Auth.ParamValue = wire.NewSecret(secret) },
		"is a field": func(s *provider.Settings) {
			s.Auth = provider.Auth{ParamName: "Model", ParamValue: wire.NewSecret(secret), ParamLocation: "body"}
		},
		"auth.header_name: ": func(s *provider.Settings) {
			s.Auth = provider.Auth{HeaderName: ":authority", HeaderValue: wire.NewSecret(secret)}
		},
		"auth.header_value: ": func(s *provider.Settings) { s.Auth.HeaderValue = wire.NewSecret(secret + "\r\nx: y") },
		"model.name: ":        func(s *provider.Settings) { s.Model = "$(body.x)" },
		"want headers,":       func(s *provider.Settings) { s.Model = "$(path.x)" },
		"holds a credential":  func(s *provider.Settings) { s.Model = "$(headers.Authorization)" },
		"not in the host":     func(s *provider.Settings) { s.Options.UpstreamURL = "https://$(headers.h)/" },
		"user, password":      func(s *provider.Settings) { s.Options.UpstreamURL = "https://u:" + secret + "@h/" },
		"not a URL":           func(s *provider.Settings) { s.Options.UpstreamURL = "https://" + secret + "%zz/" },
		"provider url: ":      func(s *provider.Settings) { s.BaseURL = "https://h/p?key=" + secret },
		"segment of dots":     func(s *provider.Settings) { s.Options.UpstreamPath = "/a/../b" },
		"must be escaped":     func(s *provider.Settings) { s.Options.UpstreamPath = "/a b" },
		"begin with a slash":  func(s *provider.Settings) { s.Options.UpstreamPath = "a" },
		"port must":           func(s *provider.Settings) { s.Options.UpstreamURL = "http://h:70000" },
	} {
		t.Run(name, func(t *testing.T) {
			s := good
			change(&s)
			_, err := provider.New(s, newPlain)
			require.ErrorContains(t, err, name)
			require.NotContains(t, err.Error(), secret)
		})
	}
}

func TestNewRefusesMetadataServices(t *testing.T) {
	for _, raw := range []string{
		"http://169.254.169.254/latest", "http://169.254.1.1", "http://[fe80::1]/", "http://[fd00:ec2::254]/",
		"http://[::ffff:169.254.169.254]/", "http://[::ffff:100.100.100.200]/", "http://[64:ff9b::a9fe:a9fe]/", "http://169.254.169.254.:80/",
		"http://2852039166/", "http://0xa9fea9fe/", "http://0251.0376.0251.0376/", "http://0xa9.254.169.254/", "http://169.254.43518/",
		"http://metadata.google.internal/", "http://METADATA.google.internal./", "http://100.100.100.200/",
		"http://0.0.0.0/", "file:///etc/passwd", "gopher://h/", "unix:///run/x", "//h/p", "h:80", "http:///p",
		"http://a b/", "http://h\u00e9/",
	} {
		_, err := provider.New(provider.Settings{Provider: "vllm", Model: "m", RouteType: "llm/v1/chat", Options: provider.Options{UpstreamURL: raw}}, newPlain)
		require.Error(t, err, raw)
		_, err = provider.New(provider.Settings{Provider: "openai", Model: "m", RouteType: "llm/v1/chat", BaseURL: raw}, newPlain)
		require.Error(t, err, raw)
	}
	for _, raw := range []string{"http://127.0.0.1:1", "http://10.0.0.1", "http://my_svc.ns:8", "http://[::1]:8000", "http://1and1.com"} {
		newTarget(t, provider.Settings{Provider: "vllm", Model: "m", Options: provider.Options{UpstreamURL: raw}})
	}
}

func TestNameAndFields(t *testing.T) {
	target := newTarget(t, provider.Settings{ID: "t1", Provider: "openai", Model: "gpt-4o"})
	require.Equal(t, "t1", target.ID())
	require.Equal(t, "openai/gpt-4o", target.Name())
	require.Empty(t, newTarget(t, provider.Settings{Provider: "xai"}).Fields())
	require.Equal(t, []string{"max_completion_tokens", "max_tokens", "model", "top_k"}, names(target.Fields()))
}

func names(fields []provider.Field) []string {
	var all []string
	for _, f := range fields {
		all = append(all, f.Name)
	}
	slices.Sort(all)
	return all
}
