package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
)

func TestCaptures(t *testing.T) {
	c := &config.Config{Routes: []config.Route{
		{Name: "azure", ID: "id-of-azure", Paths: []string{`~/openai/deployments/(?<deployment>[^/]+)/chat/completions$`}},
		{Name: "models", Paths: []string{"/plain", `~/(?P<model>[^#?/]+)/chat`, `~/(?<model>[a-z]+)/(?<tail>.*)`}},
		{Name: "first", Paths: []string{`~/first`}, RegexPriority: 1},
		{Name: "twice", Paths: []string{`~/a(?<x>b)?|/c(?<y>d)`}},
	}}
	for _, tt := range []struct {
		what string
		in   config.Request
		path string
		want map[string]string
	}{
		{"a group", config.Request{Route: "azure"}, "/openai/deployments/gpt-4o/chat/completions", map[string]string{"deployment": "gpt-4o"}},
		{"by id", config.Request{Route: "id-of-azure"}, "/openai/deployments/x/chat/completions", map[string]string{"deployment": "x"}},
		{"by Envoy's name of the route", config.Request{Names: []string{"other", "azure"}}, "/openai/deployments/x/chat/completions", map[string]string{"deployment": "x"}},
		{"escaped", config.Request{Route: "azure"}, "/openai/deployments/a%2Fb/chat/completions", map[string]string{"deployment": "a/b"}},
		{"badly escaped", config.Request{Route: "azure"}, "/openai/deployments/a%2/chat/completions", map[string]string{"deployment": "a%2"}},
		{"another path", config.Request{Route: "azure"}, "/openai/deployments/x/embeddings", nil},
		{"longest path first", config.Request{Route: "models"}, "/gpt/chat/completions", map[string]string{"model": "gpt", "tail": "chat/completions"}},
		{"the other path", config.Request{Route: "models"}, "/gpt-4/chat/completions", map[string]string{"model": "gpt-4"}},
		{"unmatched groups have no value", config.Request{Route: "twice"}, "/ab", map[string]string{"x": "b"}},
		{"unknown route", config.Request{Names: []string{"other"}}, "/openai/deployments/x/chat/completions", map[string]string{"deployment": "x"}},
		{"unknown route, by priority", config.Request{}, "/first/chat", map[string]string{}},
	} {
		require.Equal(t, tt.want, c.Captures(tt.in, tt.path), tt.what)
		c.Index()
		require.Equal(t, tt.want, c.Captures(tt.in, tt.path), tt.what)
	}
}

func TestPathsAreThoseOfTheRoute(t *testing.T) {
	c := &config.Config{Routes: []config.Route{
		{Name: "chat", ID: "id-of-chat", Paths: []string{"/chat", "~/ask$"}}, {Name: "none"},
	}}
	for range 2 {
		for _, r := range []config.Request{{Route: "chat"}, {Route: "id-of-chat"}, {Names: []string{"other", "chat"}}} {
			require.Equal(t, []string{"/chat", "~/ask$"}, c.Paths(r))
		}
		require.Empty(t, c.Paths(config.Request{Route: "none"}))
		require.Empty(t, c.Paths(config.Request{Route: "unknown"}))
		c.Index()
	}
}
