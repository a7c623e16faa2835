package faults_test

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/envoy"
	"semlb/test/harness"
)

// counted counts what is read of it. It hides the length, so it is sent in chunks.
type counted struct {
	io.Reader
	n atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// filler is any number of spaces.
type filler struct{}

func (filler) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestFault03BodyOverLimit(t *testing.T) {
	const limit, endless = 64 << 10, 256 << 20
	r := begin(t, "64 KiB limit: one byte more, 256 MiB, sized and in chunks; Content-Length too long, too short, twice, negative, with chunks, absent")
	w := start(t, options{plugin: func(p *harness.Plugin) { p.MaxRequestBodySize = limit }})
	exact := chat(strings.Repeat("x", limit-len(chat(""))))
	require.Len(t, exact, limit)
	w.survives(func() {
		n := w.refuses(http.StatusRequestEntityTooLarge, "request_too_large", []string{exact + " ", exact + strings.Repeat(" ", 50<<10)})
		for _, p := range harness.Protocols() {
			client := harness.NewClient(t, p)
			w.requireGrowth(1, w.refusals("request_too_large"), func() {
				answer := w.sendChunks(client, strings.NewReader(exact+" "))
				w.requireRefused(answer, http.StatusRequestEntityTooLarge, "request_too_large")
			})
			n++
			w.requireNothingSent()
			w.requirePasses(exact, func() harness.Answer { return w.postOver(client, exact) })
			w.requirePasses(exact, func() harness.Answer { return w.sendChunks(client, strings.NewReader(exact)) })
		}
		r.saw("%d × 413; a body of exactly the limit passes both ways, the same bytes", n)
	})
	w.survives(func() { r.saw("lying lengths: %s", w.lies()) })

	d := deploy(t, options{plugin: func(p *harness.Plugin) { p.MaxRequestBodySize = limit }})
	d.survives(func() {
		n, most := 0, int64(0)
		for _, p := range harness.Protocols() {
			client := harness.NewClient(t, p)
			for _, length := range []int64{-1, endless} {
				body := &counted{Reader: io.MultiReader(strings.NewReader(exact), io.LimitReader(filler{}, endless-limit))}
				request := d.request(t.Context(), body)
				request.ContentLength = length
				d.requireGrowth(1, d.refusals("request_too_large"), func() {
					answer, err := harness.Send(client, request)
					require.NoError(t, err)
					d.requireRefused(answer, http.StatusRequestEntityTooLarge, "request_too_large")
				})
				most, n = max(most, body.n.Load()), n+1
			}
		}
		d.requireNothingSent()
		// What is on its way when the answer comes: the sockets' buffers and Envoy's.
		require.Less(t, most, int64(16<<20))
		r.saw("%d × 413 while they are sent, after at most %d KiB of 256 MiB were taken", n, most>>10)
	})
}

// requirePasses sends a body that is served: its target sees it with no more than the
// model changed.
func (w *world) requirePasses(body string, send func() harness.Answer) {
	w.t.Helper()
	w.reset()
	w.requireGrowth(1, func() int { return int(w.metric("semlb_decisions_total")) }, func() {
		answer := send()
		require.Equal(w.t, http.StatusOK, answer.Status, answer.Body)
		for _, s := range w.stubs() {
			if s.Name != answer.Header.Get("X-Stub") {
				require.Empty(w.t, s.Requests())
				continue
			}
			got := s.Only(w.t)
			require.Equal(w.t, strings.Replace(body, "the client's", s.Name, 1), string(got.Body))
			require.EqualValues(w.t, len(got.Body), got.ContentLength)
		}
	})
	w.reset()
}

func (w *world) sendChunks(c *http.Client, body io.Reader) harness.Answer {
	w.t.Helper()
	answer, err := harness.Send(c, w.request(w.t.Context(), &counted{Reader: body}))
	require.NoError(w.t, err)
	return answer
}

// lies sends requests with wrong lengths. It returns the outcome of each.
func (w *world) lies() string {
	w.t.Helper()
	body := chat(cooking)
	chunked := "Transfer-Encoding: chunked\r\n"
	chunk := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	var seen []string
	for _, lie := range []struct {
		name, headers, body string
		want                int
	}{
		{"too long", fmt.Sprintf("Content-Length: %d\r\n", len(body)+1000), body, stillOpen},
		{"too short", fmt.Sprintf("Content-Length: %d\r\n", len(body)-9), body, http.StatusBadRequest},
		{"twice", fmt.Sprintf("Content-Length: %d\r\nContent-Length: 1\r\n", len(body)), body, http.StatusBadRequest},
		{"negative", "Content-Length: -1\r\n", body, http.StatusBadRequest},
		{"no number", "Content-Length: 0x10\r\n", body, http.StatusBadRequest},
		{"with chunks", fmt.Sprintf("Content-Length: %d\r\n", len(chunk)) + chunked, chunk, http.StatusBadRequest},
		{"absent", "", body, http.StatusBadRequest},
		{"chunk without an end", chunked, chunk[:len(chunk)-5], stillOpen},
		{"chunk that is none", chunked, "zz\r\n" + body, http.StatusBadRequest},
	} {
		status := w.raw("POST "+harness.ChatPath+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+lie.headers+"\r\n"+lie.body, lie.want)
		require.Equal(w.t, lie.want, status, lie.name)
		seen = append(seen, lie.name+": "+cmp.Or(map[int]string{stillOpen: "waits for the rest"}[status], fmt.Sprint(status)))
		w.requireNothingSent()
	}
	return strings.Join(seen, ", ")
}

// stillOpen in the place of a status: there is no answer, and the connection is open.
// That is right where bytes are missing that may still come; Envoy's timeouts for idle
// streams, of minutes, end it otherwise.
const stillOpen = 0

// raw sends bytes and returns the status of the first answer, or stillOpen. Where that
// is wanted it waits for half a second only, and then the client goes away.
func (w *world) raw(text string, want int) int {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.URL, "http://"))
	require.NoError(w.t, err)
	defer conn.Close()
	limit := waitLimit
	if want == stillOpen {
		limit = 500 * time.Millisecond
	}
	_, err = io.WriteString(conn, text)
	require.NoError(w.t, err)
	require.NoError(w.t, conn.SetReadDeadline(time.Now().Add(limit)))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		require.ErrorIs(w.t, err, os.ErrDeadlineExceeded, "the connection was closed without an answer")
		return stillOpen
	}
	defer response.Body.Close()
	return response.StatusCode
}

func TestFault07RewrittenLength(t *testing.T) {
	r := begin(t, "model names of 1 to 300 bytes put in the place of others; sized and in chunks; on attempts 1 and 2")
	long := strings.Repeat("m", 300)
	w := start(t, options{plugin: func(p *harness.Plugin) {
		p.Targets[0].Model, p.Targets[1].Model = long, "m"
		p.Targets[1].Options = map[string]any{"max_tokens": 7}
	}})
	w.survives(func() {
		n := 0
		first, second := w.attemptedAt(long, "answered", "4xx"), w.attemptedAt("m", "answered", "2xx")
		matched, failed, served := w.decided("matched"), first(), second()
		for _, p := range harness.Protocols() {
			client := harness.NewClient(t, p)
			for _, size := range []int{0, 1, 10_000, 900_000} {
				for _, model := range []string{`"model":"x",`, `"model":"client-` + long + `",`, `"model":"",`, ``} {
					w.reset()
					w.cook1.Do(harness.Status(http.StatusTooManyRequests))
					prompt := cooking + strings.Repeat(" pasta", size/6)
					body := `{` + model + `"max_tokens":100000,"messages":[{"role":"user","content":"` + prompt + `"}]}`
					var answer harness.Answer
					if n%2 == 0 {
						answer = w.sendChunks(client, strings.NewReader(body))
					} else {
						answer = w.postOver(client, body)
					}
					require.Equal(t, http.StatusOK, answer.Status, answer.Body)
					require.Equal(t, cook2Model, answer.Header.Get("X-Stub"))
					require.Equal(t, "openai/m", answer.Header.Get("X-Kong-Llm-Model"))
					for i, s := range []*harness.Stub{w.cook1, w.cook2} {
						got := s.Only(t)
						require.NoError(t, got.BodyErr)
						require.EqualValues(t, len(got.Body), got.ContentLength, "content-length and body")
						require.NotContains(t, got.Header, "Transfer-Encoding")
						require.Contains(t, string(got.Body), `"model":"`+[]string{long, "m"}[i]+`"`)
						require.Contains(t, string(got.Body), prompt)
					}
					n++
				}
			}
		}
		require.Equal(t, n, w.decided("matched")-matched)
		require.Eventually(t, func() bool { return first()-failed == n && second()-served == n }, waitLimit, waitStep, "each attempt is counted")
		r.saw("%d requests, 2 attempts each: content-length is the body's, all bytes there", n)
	})
}

func TestFault08RoutingHeaders(t *testing.T) {
	r := begin(t, "clients and targets send x-semlb-*, x-envoy-*, x-consumer-* headers, twice, in mixed case, with the names of a consumer who has an instance")
	trap := harness.NewStub(t, "trap")
	w := start(t, options{flags: []string{"-c", harness.WriteConfig(t, consumerWithInstance(trap))}})
	cluster := func(s *harness.Stub) string { return "http_" + s.Authority + "_c60000_w60000" }
	spoofed := http.Header{}
	values := map[string]string{
		"x-semlb-cluster": cluster(w.code), "x-semlb-first": cluster(w.code), "x-semlb-plan": "a,b",
		"x-semlb-originals": "AQAA", "x-semlb-retry": "|connect|", "x-semlb-idle": "1", "x-semlb-probes": "a:1", "x-semlb-observe": envoy.ObserveAll,
		"x-semlb-consumer": "someone", "x-semlb-consumer-from": "headers",
		"x-consumer-username": "someone", "x-consumer-id": consumerID, "x-consumer-custom-id": "custom-someone", "x-consumer-groups": "some-group",
		"x-envoy-attempt-count": "2", "x-envoy-max-retries": "0", "x-envoy-retry-on": "5xx", "x-envoy-original-path": "/x",
		"x-envoy-upstream-rq-timeout-ms": "1", "x-envoy-ratelimited": "true", "x-forwarded-host": "x",
	}
	for _, name := range envoy.InternalHeaders() {
		values[name] = cmp.Or(values[name], "spoofed")
	}
	for name, value := range values {
		spoofed[name] = []string{value, value}
		spoofed[strings.ToUpper(name)] = []string{value}
		spoofed[strings.ToUpper(name[:3])+name[3:]] = []string{value}
	}
	w.survives(func() {
		for _, p := range harness.Protocols() {
			for first, want := range map[int][3]int{200: {1, 0, 0}, 429: {1, 1, 0}, 400: {1, 0, 0}} {
				w.reset()
				w.cook1.Do(harness.Status(first, http.Header{"X-Semlb-Retry": {"1"}, "X-Envoy-Ratelimited": {"true"}, "X-Kong-Llm-Model": {"spoofed"}}))
				answer := w.postOver(harness.NewClient(t, p), chat(cooking), spoofed)
				require.Equal(t, want, w.counts(), "the plan is semlb's own")
				served := []string{cook1Model, cook2Model}[want[1]]
				require.Equal(t, harness.ServedBy(answer.Status, "openai/"+served), strings.Join(answer.Header["X-Kong-Llm-Model"], ","))
				for _, s := range w.stubs() {
					for _, got := range s.Requests() {
						requireAttempt(t, got, s, cooking)
						for name := range got.Header {
							for _, prefix := range []string{"X-Semlb", "X-Envoy", "X-Consumer", "X-Forwarded"} {
								require.False(t, strings.HasPrefix(name, prefix), "%s reached a target", name)
							}
						}
					}
				}
			}
		}
		require.Empty(t, trap.Requests(), "headers do not make a consumer")
		key := http.Header{"Apikey": {"key-of-someone"}}
		require.Equal(t, http.StatusOK, w.post(chat(cooking), spoofed, key).Status)
		requireAttempt(t, trap.Only(t), trap, cooking)
	})
	only := harness.Start(t, harness.Options{Config: consumerWithInstance(trap)})
	trap.Reset()
	for _, p := range harness.Protocols() {
		answer := only.Post(harness.NewClient(t, p), chat(cooking), spoofed)
		require.Equal(t, http.StatusUnauthorized, answer.Status, answer.Body)
		require.Equal(t, "no_consumer", answer.OpenAIError(t).Code)
	}
	require.Empty(t, trap.Requests())
	r.saw("%d headers: order, target and answer as without them; none reached a target; 401 where only the consumer is served", len(spoofed))
}

const consumerID = "1c1c1c1c-0000-4000-8000-000000000001"

// consumerWithInstance is a configuration with a consumer, of a group, both of whom are
// served by a stub.
func consumerWithInstance(s *harness.Stub) string {
	instance := func(scope string) string {
		return fmt.Sprintf(`- {name: ai-proxy-advanced, %s, config: {targets: [{route_type: llm/v1/chat, auth: {header_name: Authorization, header_value: %s},
    model: {provider: openai, name: %s, options: {upstream_url: %q}}}]}}
`, scope, keyOf(s.Name), s.Name, s.URL+harness.ChatPath)
	}
	return fmt.Sprintf(`_format_version: "3.0"
consumers:
- username: someone
  id: %s
  custom_id: custom-someone
  groups: [{name: some-group}]
  keyauth_credentials: [{key: key-of-someone}]
  basicauth_credentials: [{username: someone, password: password-of-someone}]
  jwt_secrets: [{key: someone, secret: secret-of-someone-secret-of-someone}]
consumer_groups: [{name: some-group}]
plugins:
`, consumerID) + instance("consumer: someone") + instance("consumer_group: some-group")
}
