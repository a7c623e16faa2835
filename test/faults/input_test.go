package faults_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

const messages = `"messages":[{"role":"user","content":"How do I cook fresh pasta at home?"}]`

// refuses sends each body over each protocol. All are refused with the status for
// the reason, which the metric and the log tell as well, and no target sees any.
func (w *world) refuses(status int, reason string, bodies []string, headers ...http.Header) int {
	w.t.Helper()
	n := len(bodies) * len(harness.Protocols())
	logged := w.logs("refused", "code="+reason)
	w.requireGrowth(n, func() int { return w.answered(reason) }, func() {
		for _, p := range harness.Protocols() {
			client := harness.NewClient(w.t, p)
			for _, body := range bodies {
				w.requireRefused(w.postOver(client, body, headers...), status, reason)
			}
		}
	})
	require.Equal(w.t, n, w.logs("refused", "code="+reason)-logged, "log lines")
	w.requireNothingSent()
	return n
}

func TestFault01AmbiguousJSON(t *testing.T) {
	r := begin(t, "model, messages, stream: twice, twice with one escaped, escaped alone, in another letter case")
	w := start(t, options{})
	values := map[string]string{"model": `"a"`, "messages": `[{"role":"user","content":"x"}]`, "stream": `true`}
	var bodies []string
	for name, value := range values {
		escaped := fmt.Sprintf(`\u%04x%s`, name[0], name[1:])
		capital := strings.ToUpper(name[:1]) + name[1:]
		for _, second := range []string{name, escaped, capital, strings.ToUpper(name)} {
			bodies = append(bodies,
				fmt.Sprintf(`{%s,"%s":%s,"%s":%s}`, messages, name, value, second, value),
				fmt.Sprintf(`{"%s":%s,"%s":%s,%s}`, second, value, name, value, messages))
			if second != name && name != "messages" {
				bodies = append(bodies, fmt.Sprintf(`{"%s":%s,%s}`, second, value, messages))
			}
		}
	}
	w.survives(func() {
		n := w.refuses(http.StatusBadRequest, "ambiguous_json", bodies)
		r.saw("%d × 400 ambiguous_json, nothing forwarded", n)
	})
}

func TestFault02DeepAndManyMessages(t *testing.T) {
	r := begin(t, "10,000 levels of nesting in three places; 1,000,000 tiny messages, items and parts")
	w := start(t, options{plugin: func(p *harness.Plugin) { p.MaxRequestBodySize = 16 << 20 }})
	const depth, many = 10_000, 1_000_000
	nested := strings.Repeat("[", depth) + strings.Repeat("]", depth)
	objects := strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)
	bodies := []string{
		`{"a":` + nested + `,` + messages + `}`,
		`{"messages":[{"role":"user","content":` + nested + `}]}`,
		`{"messages":` + nested + `}`,
		`{"a":` + objects + `,` + messages + `}`,
		`{"messages":[` + strings.Repeat("{},", many) + `{}]}`,
		`{"messages":[` + strings.Repeat("0,", many) + `0]}`,
	}
	items := `{"input":[` + strings.Repeat(`{"role":"user"},`, many/4) + `{}]}` // of the Responses API, which is not supported
	w.survives(func() {
		n := w.refuses(http.StatusBadRequest, "request_too_complex", bodies) + w.refuses(http.StatusBadRequest, "route_type_mismatch", []string{items})
		r.saw("%d × 400", n)
	})
	w.survives(func() {
		// Reading stops at the limit, so a refusal must not cost what reading does.
		longest := len(slices.MaxFunc(bodies, func(a, b string) int { return len(a) - len(b) }))
		good := w.decisionTime(`{"a":[`+strings.Repeat("0,", longest/2)+`0],`+messages+`}`, http.StatusOK, 0)
		slowest := time.Duration(0)
		for _, body := range bodies {
			slowest = max(slowest, w.decisionTime(body, http.StatusBadRequest, good))
		}
		require.Less(t, slowest, good, "a refusal, and a good body as long as the longest")
		r.saw("at most %s of semlb's time, a good body as long takes %s", slowest.Round(10*time.Microsecond), good.Round(10*time.Microsecond))
	})
}

// decisionTime is how long semlb thinks about a body: the shortest time of a few, for
// the machine has other things to do as well. It tries more often while that is longer than
// enough.
func (w *world) decisionTime(body string, status int, enough time.Duration) time.Duration {
	w.t.Helper()
	shortest := time.Hour
	for n := 0; n < 5 || n < 50 && enough > 0 && shortest >= enough; n++ {
		before := w.metric("semlb_decision_seconds")
		require.Equal(w.t, status, w.post(body).Status)
		shortest = min(shortest, time.Duration((w.metric("semlb_decision_seconds")-before)*float64(time.Second)))
	}
	return shortest
}

func TestFault04EncodedBodies(t *testing.T) {
	r := begin(t, "gzip, br, zstd, deflate, lists and repeated headers of them; a bomb of 1:1000")
	w := start(t, options{})
	plain, bomb := `{`+messages+`}`, harness.Gzip(t, strings.Repeat(" ", 100<<20))
	require.Less(t, len(bomb), 1<<20)
	w.survives(func() {
		n := 0
		for _, encoding := range [][]string{
			{"gzip"},
			{"GZIP"},
			{"x-gzip"},
			{"br"},
			{"zstd"},
			{"deflate"},
			{"identity, gzip"},
			{"gzip, identity"},
			{"identity", "gzip"},
			{"gzip", "identity"},
			{"", "br"},
			{"nonsense"},
		} {
			// A plain body under a wrong name is as bad: the target would read another text.
			bodies := []string{harness.Gzip(t, plain), plain, bomb}
			n += w.refuses(http.StatusUnsupportedMediaType, "unsupported_encoding", bodies, http.Header{"Content-Encoding": encoding})
		}
		n += w.refuses(http.StatusBadRequest, "invalid_json", []string{harness.Gzip(t, plain)}, http.Header{"Content-Encoding": {"identity"}}, nil)
		r.saw("%d × 415 unsupported_encoding or, declared as plain, 400; none decoded, nothing forwarded", n)
		require.Equal(t, http.StatusOK, w.post(plain, http.Header{"Content-Encoding": {"identity"}}).Status)
	})
}

func TestFault05InvalidUTF8(t *testing.T) {
	r := begin(t, "invalid UTF-8 and lone surrogates in names and values of the body; every byte from 0x80 in headers and path")
	w := start(t, options{})
	w.survives(func() {
		n := w.refuses(http.StatusBadRequest, "invalid_json", []string{
			"{\"a\":\"\xff\"," + messages + "}", "{\"\xc3\x28\":1," + messages + "}", "{\"messages\":[{\"role\":\"user\",\"content\":\"\xe2\x28\xa1\"}]}",
			`{"a":"\ud800",` + messages + `}`, "{\"model\":\"\xed\xa0\x80\"," + messages + "}", "\xef\xbb\xbf{" + messages + "}",
		})
		r.saw("%d × 400 invalid_json", n)
	})
	w.survives(func() {
		n := 0
		matched, answered := w.decided("matched"), w.attempted("answered", "2xx")
		before := answered()
		for _, p := range harness.Protocols() {
			client := harness.NewClient(t, p)
			for b := 0x80; b <= 0xff; b += 5 {
				w.reset()
				value := "a" + string([]byte{byte(b)}) + "z"
				answer := w.postOver(client, chat(cooking), http.Header{"X-Bytes": {value}, "X-Request-Id": {value}, "User-Agent": {value}})
				require.Equal(t, http.StatusOK, answer.Status, answer.Body)
				w.requireSeen(cooking, w.cook1)
				require.Equal(t, []string{value}, w.cook1.Only(t).Header["X-Bytes"], "the target gets the client's bytes")
				n++
			}
		}
		require.Equal(t, n, w.decided("matched")-matched)
		require.Eventually(t, func() bool { return answered()-before == n }, waitLimit, waitStep, "attempts are counted, whatever their headers hold")
		w.reset()
		w.refuses(http.StatusBadRequest, "unsupported_content_type", []string{chat(cooking)}, http.Header{"Content-Type": {"application/\xffjson"}})
		r.saw("%d requests: header bytes arrive as they were, all decided and counted; in the content type 400", n)
	})
	require.Zero(t, w.metric("semlb_panics_total"))
}

func TestFault06PartsAndEmptyMessages(t *testing.T) {
	r := begin(t, "text with images and audio; null, empty and array content; no messages at all")
	e := newEmbedder(t)
	w := start(t, options{embedder: e})
	image := harness.NewStub(t, "image")
	picture := fmt.Sprintf(`{"type":"image_url","image_url":{"url":"%s/a.png"}},{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}`, image.URL)
	w.survives(func() {
		for i, tt := range []struct{ content, text string }{
			{`"my program %d"`, "my program %d"},
			{`[{"type":"text","text":"a program %d"},` + picture + `]`, "a program %d"},
			{`[` + picture + `,{"type":"text","text":"the program %d"},{"type":"text","text":"of mine"}]`, "the program %d\nof mine"},
			{`[null,1,"x",{"type":"text","text":"one program %d"}]`, "one program %d"},
		} {
			w.reset()
			content := strings.ReplaceAll(tt.content, "%d", fmt.Sprint(i))
			answer := w.post(`{"messages":[{"role":"user","content":` + content + `}]}`)
			require.Equal(t, codeModel, answer.Header.Get("X-Stub"), answer.Body)
			require.Contains(t, string(w.code.Only(t).Body), content, "the target gets all parts")
			require.Equal(t, strings.ReplaceAll(tt.text, "%d", fmt.Sprint(i)), e.inputs()[len(e.inputs())-1])
		}
		asked := len(e.inputs())
		empty := []string{
			`[{"role":"user","content":null}]`, `[{"role":"user"}]`, `[{"role":"user","content":""}]`, `[{"role":"user","content":[]}]`,
			`[{"role":"user","content":[` + picture + `]}]`, `[{"role":"assistant","content":"program"}]`, `[null]`, `[{"role":"user","content":{}}]`,
		}
		w.requireGrowth(len(empty), func() int { return w.decided("no_prompt") }, func() {
			for _, m := range empty {
				answer := w.post(`{"messages":` + m + `}`)
				require.Equal(t, cook1Model, answer.Header.Get("X-Stub"), "%s: the default route: %s", m, answer.Body)
			}
		})
		answer := w.post(`{"messages":[]}`)
		require.Equal(t, http.StatusBadRequest, answer.Status, "no messages at all: %s", answer.Body)
		require.Len(t, e.inputs(), asked, "nothing was embedded")
		r.saw("text embedded alone, %d without text on the default route (no_prompt), no image fetched", len(empty))
	})
	require.Empty(t, image.Requests())
}
