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

// TestClientsOfHTTP10AreServed sends what nginx does by default.
func TestClientsOfHTTP10AreServed(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all...))))})
	body := harness.Chat(prompts()[0], clientModel)
	request := func(headers string) string {
		return fmt.Sprintf("POST %s HTTP/1.0\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", harness.ChatPath, headers, len(body), body)
	}
	for name, headers := range map[string]string{
		"closed": "Host: upstream\r\nConnection: close\r\n", "kept": "Host: upstream\r\nConnection: keep-alive\r\n", "without a host": "",
	} {
		reset(all...)
		all[0].Do(harness.Status(http.StatusServiceUnavailable))
		response, text := exchange10(t, s, request(headers))
		require.Equal(t, http.StatusOK, response.StatusCode, "%s: %s", name, text)
		require.Contains(t, text, "answered by stub-1", name)
		requireAttempt(t, all[0].Only(t), all[0], 0, 0, prompts()[0])
		requireAttempt(t, all[1].Only(t), all[1], 0, 1, prompts()[0])
	}
	reset(all...)
	all[0].Do(harness.SSE(3, time.Millisecond))
	response, text := exchange10(t, s, request("Host: upstream\r\n"))
	require.Empty(t, response.TransferEncoding, "HTTP/1.0 has no chunks")
	require.Equal(t, 4, strings.Count(text, "data: "), text)
	require.Contains(t, text, "[DONE]")
}

// exchange10 sends a request of HTTP/1.0 and reads the answer to its end.
func exchange10(t *testing.T, s *harness.Semlb, request string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
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
	return response, string(text)
}
