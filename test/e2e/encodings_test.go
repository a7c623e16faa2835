package e2e_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// encodedBy answers with bytes in a content encoding, or without naming one.
func encodedBy(encoding string, data []byte) harness.Behaviour {
	return func(x *harness.Exchange) {
		x.Body()
		x.Writer.Header().Set("Content-Type", "application/json")
		if encoding != "" {
			x.Writer.Header().Set("Content-Encoding", encoding)
		}
		_, _ = x.Writer.Write(data)
	}
}

func written(t *testing.T, text string, encoder func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var b bytes.Buffer
	w := encoder(&b)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// TestAnswersInAnEncodingAreReadOrCounted: providers are asked for what can be read. What
// they send all the same reaches the client as it is, and its usage is read if it can be.
func TestAnswersInAnEncodingAreReadOrCounted(t *testing.T) {
	t.Parallel()
	stub := harness.NewStub(t, "provider")
	s := harness.Start(t, harness.Options{
		Flags: []string{"--log-format", "json"},
		Config: harness.Config(harness.Plugin{Algorithm: "priority", Targets: []harness.Target{{
			URL: stub.URL, Model: "m", Authorization: "Bearer k", Logging: map[string]any{"log_statistics": true, "log_payloads": true},
		}}}),
	})
	client := harness.NewClient(t, harness.HTTP1)
	br := written(t, counted, func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) })
	zst := written(t, counted, func(w io.Writer) io.WriteCloser {
		e, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		require.NoError(t, err)
		return e
	})
	unread := map[string]float64{}
	for _, tt := range []struct {
		encoding, unread string
		data             []byte
	}{
		{"gzip", "", []byte(harness.Gzip(t, counted))},
		{"br", "", br},
		{"zstd", "", zst},
		{"compress", "encoding", br},
		{"br", "invalid", br[:len(br)-4]},
		{"", "invalid", br},
	} {
		stub.Reset()
		stub.Do(encodedBy(tt.encoding, tt.data))
		id := tt.encoding + "-" + tt.unread
		answer := s.Post(client, harness.Chat("hi"), http.Header{"Accept-Encoding": {"br, zstd"}, "X-Request-Id": {id}})
		require.Equal(t, string(tt.data), answer.Body, "the client gets the provider's bytes")
		require.Equal(t, "identity", stub.Only(t).Header.Get("Accept-Encoding"))
		var line map[string]any
		require.Eventually(t, func() bool {
			line = ofRequest(s.Log(), "answer", id)
			return line != nil
		}, time.Minute, 10*time.Millisecond)
		if tt.unread == "" {
			require.NotContains(t, line, "unread")
			require.Equal(t, 1000.0, at(line, "ai", "proxy", "usage", "prompt_tokens"), id)
			response, _ := at(line, "ai", "proxy", "payload", "response").(string)
			require.JSONEq(t, counted, response)
			continue
		}
		require.Equal(t, tt.unread, line["unread"])
		require.Equal(t, true, at(line, "ai", "proxy", "usage", "estimated"))
		response, _ := at(line, "ai", "proxy", "payload", "response").(string)
		require.True(t, strings.HasPrefix(counted, response), response)
		unread[tt.unread]++
		require.Equal(t, unread[tt.unread], s.Metric("semlb_answers_unread_total", "reason", tt.unread))
	}
	stub.Reset()
	require.Equal(t, 200, s.Post(client, harness.Chat("hi"), http.Header{"Accept-Encoding": {"gzip, deflate, br"}}).Status)
	require.Equal(t, "gzip, identity", stub.Only(t).Header.Get("Accept-Encoding"))
}
