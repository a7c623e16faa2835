package wire_test

import (
	"testing"

	"semlb/wire"
)

// What the outer and the inner role spend on the headers of one attempt.
func BenchmarkNamesCredential(b *testing.B) {
	names := []string{
		":method", ":path", ":scheme", ":authority", "user-agent", "accept", "accept-encoding", "accept-language",
		"content-type", "content-length", "x-request-id", "x-forwarded-for", "x-forwarded-proto", "traceparent", "tracestate",
		"x-stainless-lang", "x-stainless-package-version", "x-stainless-os", "x-stainless-arch", "x-stainless-runtime",
		"x-stainless-runtime-version", "x-stainless-async", "x-stainless-retry-count", "x-stainless-read-timeout", "authorization",
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range names {
			wire.NamesCredential(name)
		}
	}
}
