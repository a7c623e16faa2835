package openai_test

import (
	"bytes"
	"strconv"
	"testing"

	"semlb/provider"
	"semlb/provider/providertest"
)

// BenchmarkMeter reads a stream of 100 events, as many pieces as events.
func BenchmarkMeter(b *testing.B) {
	target := providertest.NewTarget(b, provider.Settings{Provider: "openai", Model: "m"})
	var events [][]byte
	for i := range 100 {
		events = append(events, []byte(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o",`+
			`"choices":[{"index":0,"delta":{"content":" word`+strconv.Itoa(i)+`"},"finish_reason":null}]}`+"\n\n"))
	}
	b.SetBytes(int64(len(bytes.Join(events, nil))))
	b.ReportAllocs()
	for b.Loop() {
		m := target.Meter(provider.Answer{Streaming: true})
		for _, event := range events {
			_, _ = m.Write(event)
		}
		_ = m.Usage()
	}
}
