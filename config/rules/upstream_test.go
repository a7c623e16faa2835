package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
	"semlb/config/load"
)

func TestUpstreamsMustBePlainHTTPAddresses(t *testing.T) {
	with := func(url string) error {
		text := "plugins:\n- name: ai-proxy-advanced\n  config:\n    targets:\n    - model: {provider: openai, options: {upstream_url: \"" + url + "\"}}\n      route_type: llm/v1/chat\n"
		_, _, err := load.Sources([]load.Source{{Name: "a", Data: []byte(text)}}, load.Options{})
		return err
	}
	for _, url := range []string{
		"http://localhost:11434/v1/chat/completions", "https://10.0.0.1", "http://[::1]:80/x", "https://llm.example.com/a?b=c",
		"http://qwen.models.svc.cluster.local", "https://$(headers.x-host)/v1",
	} {
		require.NoError(t, with(url), url)
	}
	for _, url := range []string{
		"file:///etc/passwd", "ftp://a/b", "localhost:80", "/v1/chat", "http://", "http://:80/", "http:///x", "//host/x",
		"http://user:unseen-MARKER@host/", "http://unseen-MARKER@host", "gopher://h:1", "http://a b",
	} {
		require.ErrorContains(t, with(url), "want an http or https URL with a host and without a user", url)
		require.NotContains(t, with(url).Error(), configtest.Marker)
	}
	for _, port := range []string{"0", "65536", "99999999999999999999"} {
		require.ErrorContains(t, with("http://gateway:"+port+"/v1"), "want a port from 1 to 65535", port)
	}
	require.ErrorContains(t, with("http://gateway/v1#part"), "want a URL without a fragment")
	for _, url := range []string{
		"http://169.254.169.254/latest/meta-data", "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[::ffff:169.254.169.254]/",
		"http://[fd00:ec2::254]/", "http://metadata.google.internal./x", "http://METADATA", "http://100.100.100.200",
		"http://2852039166/", "http://0xA9FEA9FE/", "http://0251.0376.0251.0376/", "http://169.254.43518/", "http://169.0376.169.254",
	} {
		require.ErrorContains(t, with(url), "want a host that is no metadata service", url)
	}
}
