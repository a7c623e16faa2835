package faults_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"semlb/test/ca"
	"semlb/test/harness"
)

// gardening is the prompt of a group whose first target is an oddServer.
const gardening = "When should I water the tomatoes in my garden?"

// answersWorld is a world with a further group.
type answersWorld struct {
	*world
	odd *oddServer
}

func startAnswers(t *testing.T) *answersWorld {
	t.Helper()
	authority := ca.New(t)
	a := &answersWorld{odd: startOddServer(t, authority)}
	a.world = start(t, options{flags: []string{"--trusted-ca", authority.File}, plugin: func(p *harness.Plugin) {
		p.ReadTimeout = int(oddSilence.Milliseconds())
		garden := p.Targets[1] // cook2 serves it too
		garden.Description = gardening
		p.Targets = append(p.Targets,
			harness.Target{URL: a.odd.url, Model: "garden-1", Weight: 75, Description: gardening, Authorization: keyOf("garden-1")}, garden)
	}})
	a.cook1.OncePerConnection()
	return a
}

// oddSilence is the read timeout, for answers of which nothing ever counts.
const oddSilence = 3 * time.Second

// requireReplaced checks that the first target for a prompt failed with a result, and that
// the client has the second one's answer.
func (a *answersWorld) requireReplaced(name, prompt, result string) {
	a.t.Helper()
	for _, p := range harness.Protocols() {
		answer := a.postOver(harness.NewClient(a.t, p), chat(prompt))
		require.Equal(a.t, http.StatusOK, answer.Status, "%s: %s", name, answer.Body)
		require.Equal(a.t, cook2Model, answer.Header.Get("X-Stub"), name)
		a.awaitLog("msg=attempt", answer.Header.Get("X-Kong-Request-Id"), "attempt=1 result="+result)
	}
}

// over1 and over2 are faults of answers over HTTP/1 and HTTP/2, and the result of each.
type over1 struct{ name, result, text string }

type over2 struct {
	name, result string
	answer       oddAnswer
}

// replaced tries faults of first targets.
func (a *answersWorld) replaced(one []over1, two []over2) {
	a.t.Helper()
	for _, f := range one {
		a.cook1.Do(harness.RawOpen(f.text))
		if f.result == "error" {
			a.cook1.Do(harness.Raw(f.text))
		}
		a.requireReplaced(f.name, cooking, f.result)
	}
	for _, f := range two {
		a.odd.answer.Store(&f.answer)
		a.requireReplaced(f.name+" over HTTP/2", gardening, f.result)
	}
}

var errClose = errors.New("close the connection")

// then closes the connection after an answer.
func then(answer oddAnswer) oddAnswer {
	return func(f *http2.Framer, stream uint32) error { return errors.Join(answer(f, stream), errClose) }
}

func TestFault35EndsInsideTheHead(t *testing.T) {
	r := begin(t, "target's connection ends at 7 places inside the head of an answer; answers that are no HTTP; over HTTP/1 and HTTP/2; criteria of the example")
	a := startAnswers(t)
	a.survives(func() {
		one := []over1{
			{"in the version", "error", "HTT"},
			{"in the status line", "error", "HTTP/1.1 200 O"},
			{"after the status line", "error", "HTTP/1.1 200 OK\r\n"},
			{"in a header", "error", "HTTP/1.1 200 OK\r\nContent-Type: appl"},
			{"before the empty line", "error", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"},
			{"after 100", "error", "HTTP/1.1 100 Continue\r\n\r\n"},
			{"after 103", "error", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"},
			// Over HTTP/1 Envoy reports these as it reports those above.
			{"no HTTP", "error", "\x00\x16\x03 this is not HTTP\r\n\r\n"},
			{"a TLS alert", "error", "\x15\x03\x01\x00\x02\x02\x0a"},
			{"another protocol", "error", "SSH-2.0-OpenSSH_9.2\r\n"},
			{"no status line", "error", "Content-Length: 2\r\n\r\nok"},
		}
		incomplete := func(f *http2.Framer, stream uint32) error {
			return f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block(":status", "200")})
		}
		two := []over2{
			{"before the head", "error", func(*http2.Framer, uint32) error { return errClose }},
			{"in the head", "error", then(incomplete)},
			{"no HTTP", "invalid_header", func(f *http2.Framer, _ uint32) error {
				return f.WriteRawFrame(http2.FrameSettings, 0, 1, []byte("this is not HTTP"))
			}},
		}
		a.replaced(one, two)
		r.saw("%d × 200 from the second target, the first one's result error; no HTTP over HTTP/2: invalid_header", 2*(len(one)+len(two)))
	})
}

// oddHeads are answers over HTTP/1 whose head is whole, and no client can read.
func oddHeads() []over1 {
	const small = "Content-Length: 2\r\n\r\nok"
	status := func(line string) over1 {
		return over1{line, "invalid_header", "HTTP/1.1 " + line + "\r\n" + small}
	}
	head := func(name, fields string) over1 {
		return over1{name, "invalid_header", "HTTP/1.1 200 OK\r\n" + fields + small}
	}
	return []over1{
		status("0 None"), status("000 None"), status("20 Short"), status("099 Low"), status("1000 High"), status("20000 Higher"),
		{"101", "invalid_header", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"},
		{"101 without an upgrade", "invalid_header", "HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n" + small},
		status("204 With a body"),
		{"204 in chunks", "invalid_header", "HTTP/1.1 204 None\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
		head("two lengths of the body", "Transfer-Encoding: chunked\r\n"), head("an unknown coding", "Transfer-Encoding: gzip\r\n"),
		head("1,000 headers", strings.Repeat("X-A: 1\r\n", 1000)),
	}
}

// oddFrames are answers over HTTP/2 that no client can read.
func oddFrames() []over2 {
	var all []over2
	invalid := func(name string, answer oddAnswer) {
		all = append(all, over2{name, "invalid_header", answer})
	}
	for _, status := range []string{"", "0", "20", "099", "1000", "101", "abc"} {
		invalid("status "+status, headed(true, ":status", status))
	}
	invalid("no status", headed(true, "x-a", "b"))
	invalid("an end with 103", headed(true, ":status", "103"))
	invalid("a name with a space", headed(true, ":status", "200", "bad name", "x"))
	invalid("a value with a zero", headed(true, ":status", "200", "x-a", "b\x00c"))
	invalid("two lengths", headed(false, ":status", "200", "content-length", "2", "content-length", "3"))
	// Envoy resets the stream of a head that is too long, as a target would.
	many := []string{":status", "200"}
	for i := range 1000 {
		many = append(many, fmt.Sprintf("x-%d", i), "1")
	}
	return append(all, over2{"1,000 headers", "error", headed(true, many...)})
}

func TestFault38OddAnswers(t *testing.T) {
	r := begin(t, "statuses 0, 20, 099, 1000, 20000, an unasked 101, none; a 204 with a body; two lengths; 1,000 headers; floods of 1xx; over HTTP/1 and HTTP/2")
	a := startAnswers(t)
	a.survives(func() {
		one, two := oddHeads(), oddFrames()
		// Over HTTP/1 Envoy reports these as a connection that ends inside the head.
		for name, text := range map[string]string{
			"no number": "HTTP/1.1 abc Odd\r\n\r\n", "below 0": "HTTP/1.1 -200 Odd\r\n\r\n", "no status": "HTTP/1.1 \r\n\r\n",
			"contradicting lengths": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
			"1 MiB of a header":     "HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", 1<<20),
		} {
			one = append(one, over1{name, "error", text})
		}
		a.replaced(one, two)
		a.replaced([]over1{{"102 and nothing more", "timeout", "HTTP/1.1 102 Processing\r\n\r\n"}}, nil)
		r.saw("%d × 200 from the second target", 2*(len(one)+len(two)+1))
	})
	a.survives(func() { a.bodyOnly(r) })
	a.survives(func() { a.last(r) })
	a.survives(func() { a.passedOn(r) })
	a.requireClosedLabels()
}

// bodyOnly is an answer over HTTP/2 without a head. Envoy 1.36 passes it on to the outer
// hop, which can only end the request.
func (a *answersWorld) bodyOnly(r *row) {
	a.t.Helper()
	answer := oddAnswer(func(f *http2.Framer, stream uint32) error { return f.WriteData(stream, true, []byte("ok")) })
	a.odd.answer.Store(&answer)
	if !strings.HasPrefix(harness.EnvoyVersion(), "1.36.") {
		a.requireReplaced("a body without a head", gardening, "invalid_header")
		return
	}
	refused := a.post(chat(gardening))
	require.Equal(a.t, http.StatusBadGateway, refused.Status)
	require.Equal(a.t, "upstream_invalid_response", refused.OpenAIError(a.t).Code)
	a.awaitLog("msg=attempt", refused.Header.Get("X-Kong-Request-Id"), "attempt=1 result=invalid_header")
	r.saw("a body without a head: 502")
}

// last is what clients get if no other target is left.
func (a *answersWorld) last(r *row) {
	a.t.Helper()
	for _, text := range []string{"HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 1000 High\r\nContent-Length: 2\r\n\r\nok"} {
		a.cook1.Do(harness.RawOpen(text))
		a.cook2.Do(harness.RawOpen(text))
		for _, p := range harness.Protocols() {
			answer := a.postOver(harness.NewClient(a.t, p), chat(cooking))
			require.Equal(a.t, http.StatusBadGateway, answer.Status)
			require.Equal(a.t, "upstream_invalid_response", answer.OpenAIError(a.t).Code)
		}
	}
	r.saw("502 upstream_invalid_response, at once, if it was the last")
}

// passedOn are odd answers that clients can read.
func (a *answersWorld) passedOn(r *row) {
	a.t.Helper()
	const small = "Content-Length: 2\r\n\r\nok"
	flood := func(line string) string {
		return strings.Repeat("HTTP/1.1 "+line+"\r\n\r\n", 3000) + "HTTP/1.1 200 OK\r\n" + small
	}
	for text, want := range map[string]int{
		flood("100 Continue"): 200, flood("102 Processing"): 200, flood("103 Early Hints"): 200, flood("199 Odd"): 200,
		"HTTP/1.1 600 Odd\r\n" + small: 600, "HTTP/1.1 999 Odd\r\n" + small: 999,
		"HTTP/1.1 304 Not Modified\r\n" + small: 304, "HTTP/1.1 204 None\r\n\r\nmore than nothing": 204,
	} {
		a.cook1.Do(harness.Raw(text)) // Envoy would use an open connection again
		for _, p := range harness.Protocols() {
			answer := a.postOver(harness.NewClient(a.t, p), chat(cooking))
			require.Equal(a.t, want, answer.Status, "%.99s", text)
			if want != 304 && want != 204 { // Go's client takes the length of a 304 for that of a body
				require.NoError(a.t, answer.Err, "%s: %.99s", p, text)
				require.Equal(a.t, "ok", answer.Body, "%.99s", text)
			}
		}
	}
	r.saw("3,000 of 100, 102, 103 or 199 are swallowed; 600, 999, 304 and 204 pass on")
}

// requireClosedLabels checks that no odd status is a label of a metric.
func (a *answersWorld) requireClosedLabels() {
	a.t.Helper()
	for _, series := range a.Metrics()["semlb_attempts_total"].GetMetric() {
		for _, label := range series.GetLabel() {
			if label.GetName() == "status" {
				require.Contains(a.t, []string{"none", "2xx", "3xx", "4xx", "5xx"}, label.GetValue())
			}
		}
	}
}
