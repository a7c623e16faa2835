package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"semlb/provider"
	"semlb/wire"
)

// chatBody is a chat request of about size bytes, as clients write them.
func chatBody(size int) []byte {
	var b strings.Builder
	b.WriteString(`{"model":"gpt-4o-mini","temperature":0.70,"stream":false,"messages":[{"role":"system","content":"You are a helpful assistant."}`)
	text := strings.Repeat(`Explain in detail why the \"build\" fails after the upgrade.\n`, 4)
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `,{"role":%q,"content":"%d: %s"}`, [...]string{"user", "assistant"}[i%2], i, text)
	}
	b.WriteString(`],"max_tokens":512,"user":"u-1","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}]}`)
	return []byte(b.String())
}

func benchmarkTarget(b *testing.B) *provider.Target {
	return newTarget(b, provider.Settings{
		Provider: "openai", Model: "gpt-4o", RouteType: "llm/v1/chat",
		Options: provider.Options{MaxTokens: "256", Temperature: "1.0"},
		Auth:    provider.Auth{HeaderName: "Authorization", HeaderValue: wire.NewSecret("Bearer k")},
	})
}

func BenchmarkReadAndRewrite(b *testing.B) {
	target := benchmarkTarget(b)
	for _, size := range []int{2 << 10, 900 << 10} {
		body := chatBody(size)
		req := read(b, string(body))
		decoded := read(b, string(body))
		_ = decoded.Prompt()
		originals, err := provider.EncodeOriginals(req, provider.TouchedBy(target), "")
		if err != nil {
			b.Fatal(err)
		}
		for name, step := range map[string]func() error{
			"read":    func() error { _, err := provider.ReadRequest(body); return err },
			"prompt":  func() error { undecoded := *req; _ = undecoded.Prompt(); return nil },
			"words":   func() error { _ = decoded.Words(); return nil },
			"rewrite": func() error { _, err := target.Rewrite(req, provider.Client{}); return err },
			"originals": func() error {
				_, err := provider.EncodeOriginals(req, provider.TouchedBy(target), "")
				return err
			},
			"attempt": func() error {
				again, _, err := provider.ReadAttempt(body, originals)
				if err == nil {
					_, err = target.Rewrite(again, provider.Client{})
				}
				return err
			},
			"both": func() error {
				req, err := provider.ReadRequest(body)
				if err == nil {
					_, err = target.Rewrite(req, provider.Client{})
				}
				return err
			},
		} {
			b.Run(fmt.Sprintf("%s/%dKB", name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if err := step(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
