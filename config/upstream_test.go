package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUpstreamsMustBePlainHTTPAddresses(t *testing.T) {
	with := func(url string, opts Options) error {
		text := "plugins:\n- name: ai-proxy-advanced\n  config:\n    targets:\n    - model: {provider: openai, options: {upstream_url: \"" + url + "\"}}\n      route_type: llm/v1/chat\n"
		_, _, err := Load([]Source{{Name: "a", Data: []byte(text)}}, opts)
		return err
	}
	for _, url := range []string{
		"http://localhost:11434/v1/chat/completions", "https://10.0.0.1", "http://[::1]:80/x", "https://llm.example.com/a?b=c",
		"http://qwen.models.svc.cluster.local", "https://$(headers.x-host)/v1",
	} {
		require.NoError(t, with(url, Options{}), url)
	}
	for _, url := range []string{
		"file:///etc/passwd", "ftp://a/b", "localhost:80", "/v1/chat", "http://", "http://:80/", "http:///x", "//host/x",
		"http://user:sk-MARKER@host/", "http://sk-MARKER@host", "gopher://h:1", "http://a b",
	} {
		require.ErrorContains(t, with(url, Options{}), "want an http or https URL with a host and without a user", url)
		require.NotContains(t, with(url, Options{}).Error(), marker)
	}
	for _, port := range []string{"0", "65536", "99999999999999999999"} {
		require.ErrorContains(t, with("http://gateway:"+port+"/v1", Options{}), "want a port from 1 to 65535", port)
	}
	require.ErrorContains(t, with("http://gateway/v1#part", Options{}), "want a URL without a fragment")
	for _, url := range []string{
		"http://169.254.169.254/latest/meta-data", "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[::ffff:169.254.169.254]/",
		"http://[fd00:ec2::254]/", "http://metadata.google.internal./x", "http://METADATA", "http://100.100.100.200",
		"http://2852039166/", "http://0xA9FEA9FE/", "http://0251.0376.0251.0376/", "http://169.254.43518/", "http://169.0376.169.254",
	} {
		require.ErrorContains(t, with(url, Options{}), "want a host that is no metadata service, or one of the allowed hosts", url)
	}
	require.NoError(t, with("http://169.254.169.254/x", Options{AllowedHosts: []string{"169.254.169.254"}}))
}
