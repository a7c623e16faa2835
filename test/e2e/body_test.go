package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// sized is a chat request of about n bytes.
func sized(n int, members ...string) string {
	const word = "pasta "
	return harness.Chat(prompts()[0]+" "+strings.Repeat(word, max(0, n-150)/len(word)), members...)
}

// unsized hides the length of a reader, so that it is sent in chunks.
type unsized struct{ io.Reader }

// TestBodiesOfEverySizeFailOver uploads in every way HTTP has, lets two targets
// fail, and compares hashes at all three.
func TestBodiesOfEverySizeFailOver(t *testing.T) {
	t.Parallel()
	all := stubs(t, 3)
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(
		harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all...))))})
	uploads := map[string]func(*http.Request){
		"sized":                  func(*http.Request) {},
		"chunked":                func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(unsized{r.Body}), -1 },
		"with trailers":          withTrailers,
		"expecting 100-continue": func(r *http.Request) { r.Header.Set("Expect", "100-continue") },
	}
	for _, p := range harness.Protocols() {
		client := harness.NewClient(t, p)
		for _, kilobytes := range []int{0, 100, 900} {
			for name, prepare := range uploads {
				t.Run(fmt.Sprintf("%s/%d KB/%s", p, kilobytes, name), func(t *testing.T) {
					reset(all...)
					all[0].Do(harness.Status(429))
					all[1].Do(harness.Reset())
					r := s.Request(t.Context(), harness.ChatPath, strings.NewReader(sized(kilobytes<<10, clientModel)))
					prepare(r)
					answer := s.Do(client, r)
					require.Equal(t, http.StatusOK, answer.Status, answer.Body)
					for i, stub := range all {
						want := sized(kilobytes<<10, `"model":"`+modelOf(0, i)+`"`)
						got := stub.Only(t)
						require.Equal(t, hash(want), got.SHA256, "attempt %d", i+1)
						require.EqualValues(t, len(want), got.ContentLength)
						require.NotContains(t, got.Header, "Expect")
					}
				})
			}
		}
	}
}

// withTrailers sends a body in chunks, and trailers after it.
func withTrailers(r *http.Request) {
	r.Body, r.ContentLength, r.Trailer = io.NopCloser(unsized{r.Body}), -1, http.Header{"X-Checksum": {"abc"}}
}

// TestABodyWithTrailersIsPassedToTheInnerHop: the outer role leaves a request as it is if a
// target may get the client's own credential.
func TestABodyWithTrailersIsPassedToTheInnerHop(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	targets := make([]harness.Target, len(all))
	for i, stub := range all {
		targets[i] = harness.Target{URL: stub.URL, Model: stub.Name, Weight: 2 - i, Auth: map[string]any{"allow_override": true}}
	}
	s := harness.Start(t, harness.Options{Config: harness.Config(harness.Plugin{
		Algorithm: "priority", Failover: harness.SeedCriteria(), Targets: targets,
	})})
	all[0].Do(harness.Status(429))
	for _, p := range harness.Protocols() {
		reset(all[1])
		r := s.Request(t.Context(), harness.ChatPath, strings.NewReader(sized(100<<10, clientModel)))
		withTrailers(r)
		r.Header.Set("Authorization", "Bearer clients-own")
		answer := s.Do(harness.NewClient(t, p), r)
		require.Equal(t, http.StatusOK, answer.Status, answer.Body)
		got := all[1].Only(t)
		require.Equal(t, hash(sized(100<<10, `"model":"`+all[1].Name+`"`)), got.SHA256)
		require.Equal(t, "Bearer clients-own", got.Header.Get("Authorization"))
	}
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// TestBodiesAboveTheLimitAreRefused goes from one byte above max_request_body_size
// to far above what Envoy takes.
func TestBodiesAboveTheLimitAreRefused(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{4096, 1_300_000} {
		all := stubs(t, 2)
		s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(
			harness.Plugin{Failover: harness.SeedCriteria(), MaxRequestBodySize: limit}, lanes(urlsOf(all...))))})
		for _, p := range harness.Protocols() {
			client := harness.NewClient(t, p)
			exact := harness.Chat(strings.Repeat("x", limit-len(harness.Chat(""))))
			require.Len(t, exact, limit)
			for _, prepare := range []func(io.Reader) io.Reader{
				func(r io.Reader) io.Reader { return r },
				func(r io.Reader) io.Reader { return unsized{r} },
			} {
				reset(all...)
				all[0].Do(harness.Status(429))
				answer := s.Do(client, s.Request(t.Context(), harness.ChatPath, prepare(strings.NewReader(exact))))
				require.Equal(t, http.StatusOK, answer.Status, answer.Body)
				require.Equal(t, []int{1, 1}, counts(all...))

				reset(all...)
				for _, extra := range []int{1, 1000, 200 << 10, 8 << 20} {
					body := exact + strings.Repeat(" ", extra)
					answer, err := harness.Send(client, s.Request(t.Context(), harness.ChatPath, prepare(strings.NewReader(body))))
					require.NoError(t, err, "%s, limit %d, %d above", p, limit, extra)
					require.Equal(t, http.StatusRequestEntityTooLarge, answer.Status)
					require.Equal(t, "request_too_large", answer.OpenAIError(t).Code)
				}
				require.Equal(t, []int{0, 0}, counts(all...))
			}
			answer := s.Post(client, harness.Chat("hello"))
			require.Equal(t, http.StatusOK, answer.Status)
		}
	}
}
