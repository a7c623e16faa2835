package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/envoy"
	"semlb/test/harness"
)

// many are n headers whose names and values have about size bytes in all.
func many(n, size int) http.Header {
	headers := http.Header{}
	for i := range n {
		name := fmt.Sprintf("X-Many-%03d", i)
		headers[name] = []string{strings.Repeat("v", max(1, size/n-len(name)))}
	}
	return headers
}

// ofClients is how many headers harness's client and Envoy add, at most.
const ofClients = 10

// TestLargeHeadersReachEveryAttempt: what semlb and Envoy add of their own has room
// above what a client may send.
func TestLargeHeadersReachEveryAttempt(t *testing.T) {
	t.Parallel()
	all := stubs(t, 3)
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(
		harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all...))))})
	for name, head := range map[string]http.Header{
		"90 headers":            many(90, 0),
		"as many as are taken":  many(envoy.MaxHeaders-ofClients, 0),
		"one of 58 KB":          many(1, 58<<10),
		"as long as is taken":   many(1, envoy.MaxHeaderBytes-1<<10),
		"both":                  many(envoy.MaxHeaders-ofClients, envoy.MaxHeaderBytes-1<<10),
		"few, for a comparison": many(3, 0),
	} {
		for _, p := range harness.Protocols() {
			t.Run(name+"/"+string(p), func(t *testing.T) {
				client := harness.NewClient(t, p)
				for last := range all {
					reset(all...)
					for _, stub := range all[:last] {
						stub.Do(harness.Status(429))
					}
					answer := s.Post(client, harness.Chat(prompts()[0], clientModel), head)
					require.Equal(t, http.StatusOK, answer.Status, answer.Body)
					for i, stub := range all[:last+1] {
						got := stub.Only(t)
						requireAttempt(t, got, stub, 0, i, prompts()[0])
						for header, values := range head {
							require.Equal(t, values, got.Header[header])
						}
					}
				}
			})
		}
	}
}

func TestHeadersThatAreTooLargeAreRefused(t *testing.T) {
	t.Parallel()
	stub := harness.NewStub(t, "provider")
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(harness.Plugin{}, lanes(urlsOf(stub))))})
	for name, head := range map[string]http.Header{
		"one header too many":     many(envoy.MaxHeaders, 0),
		"all that Envoy takes":    many(180, 0),
		"a little too long":       many(1, envoy.MaxHeaderBytes+100),
		"as long as Envoy takes":  many(4, 94<<10),
		"more than Envoy takes":   many(400, 0),
		"longer than Envoy takes": many(4, 200<<10),
	} {
		for _, p := range harness.Protocols() {
			t.Run(name+"/"+string(p), func(t *testing.T) {
				r := s.Request(t.Context(), harness.ChatPath, strings.NewReader(harness.Chat("hello")), head)
				answer, err := harness.Send(harness.NewClient(t, p), r)
				if p == harness.HTTP2 && strings.HasSuffix(name, "than Envoy takes") {
					require.Error(t, err, "Envoy has no answer for this over HTTP/2")
					return
				}
				require.NoError(t, err)
				require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, answer.Status, answer.Body)
				require.Equal(t, "headers_too_large", answer.OpenAIError(t).Code)
			})
		}
	}
	require.Empty(t, stub.Requests())
}

// TestLargeResponseHeadersReachTheClient over HTTP/1 and HTTP/2 of the provider, on
// the first attempt and on the second.
func TestLargeResponseHeadersReachTheClient(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, harness.Plugin{})
	for name, head := range map[string]http.Header{
		"150 headers": many(150, 0), "80 KB": many(2, 80<<10), "both": many(150, 80<<10),
	} {
		s.each(t, func(t *testing.T, p harness.Protocol, lane int) {
			client := harness.NewClient(t, p)
			s.first[lane].Do(harness.Sequence(harness.Status(200, head), harness.Status(429)))
			s.next.Do(harness.Status(200, head))
			for range 2 {
				answer := s.semlb.Post(client, harness.Chat(prompts()[lane]))
				require.Equal(t, http.StatusOK, answer.Status, answer.Body)
				for header, values := range head {
					require.Equal(t, values, answer.Header[header], name)
				}
			}
			require.Len(t, s.next.Requests(), 1)
		})
	}
}
