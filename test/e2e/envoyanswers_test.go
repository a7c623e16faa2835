package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestRefusalsByEnvoyHaveOpenAIsShape: requests that semlb never sees, because
// Envoy's connection manager or its codec answers them. They are reported to semlb as well.
func TestRefusalsByEnvoyHaveOpenAIsShape(t *testing.T) {
	t.Parallel()
	stub := harness.NewStub(t, "provider")
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(harness.Plugin{}, lanes(urlsOf(stub))))})
	body := harness.Chat("hello")
	sized := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	const line, host = "POST /v1/chat/completions HTTP/1.1\r\n", "Host: semlb\r\nContent-Type: application/json\r\n"
	want := make(map[string]float64)
	for _, tt := range []struct {
		name, request string
		status        int
		code          string
	}{
		{"WebSocket", "GET /v1/realtime HTTP/1.1\r\nHost: semlb\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 403, "upgrade_not_supported"},
		{"no HTTP", "hello\r\n\r\n", 400, "bad_request"},
		{"no host", line + sized + "\r\n" + body, 400, "bad_request"},
		{"a malformed header", line + host + "this is no header\r\n" + sized + "\r\n" + body, 400, "bad_request"},
		{"two lengths", line + host + sized + "Content-Length: 7\r\n\r\n" + body, 400, "bad_request"},
		{"length and chunks", line + host + sized + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "bad_request"},
		{"an unknown transfer encoding", line + host + "Transfer-Encoding: rot13\r\n\r\n", 501, "gateway_error"},
		{"too many headers", line + host + strings.Repeat("x-many: v\r\n", 300) + sized + "\r\n" + body, 431, "headers_too_large"},
		{"a header that is too long", line + host + "x-long: " + strings.Repeat("v", 200<<10) + "\r\n" + sized + "\r\n" + body, 431, "headers_too_large"},
	} {
		want[tt.code]++
		t.Run(tt.name, func(t *testing.T) {
			answer := exchange(t, strings.TrimPrefix(s.URL, "http://"), tt.request)
			require.Equal(t, tt.status, answer.Status, answer.Body)
			require.Equal(t, tt.code, answer.OpenAIError(t).Code)
		})
	}
	for code, n := range want {
		require.Eventually(t, func() bool { return s.Metric("semlb_envoy_answers_total", "code", code) == n },
			time.Minute, 10*time.Millisecond, "%s: want %v", code, n)
	}
	require.Empty(t, stub.Requests())
	require.Equal(t, http.StatusOK, s.Post(harness.NewClient(t, harness.HTTP1), body).Status, "the next good request")
}

// exchange writes bytes to an address and reads an HTTP/1.1 answer.
func exchange(t *testing.T, address, request string) harness.Answer {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return harness.Answer{Status: response.StatusCode, Header: response.Header, Body: string(text)}
}
