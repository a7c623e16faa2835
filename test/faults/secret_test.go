package faults_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// secrets are planted everywhere a secret or a prompt can be.
func secrets() map[string]string {
	return map[string]string{
		"target key": "sk-planted-target", "second key": "sk-planted-second", "query key": "sk-planted-query", "embedder key": "sk-planted-embedder",
		"environment": "sk-planted-environment", "client key": "sk-planted-client", "client header": "sk-planted-header",
		"client query": "sk-planted-parameter", "cookie": "sk-planted-cookie", "prompt": "planted-prompt", "body field": "planted-field", "model": "planted-model",
	}
}

func TestFault23Secrets(t *testing.T) {
	r := begin(t, "secrets in configuration, environment, client's headers, query and body; good, refused, failing, degraded and later attempts; a configuration full of faults; log level debug")
	s := secrets()
	dir, err := os.MkdirTemp("", "f23-") // Unix sockets need short names
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	t.Setenv("TMPDIR", dir)
	e := newEmbedder(t)
	w := start(t, options{
		embedder: e, env: map[string]string{"DECK_KEY": s["environment"]}, flags: withBudget(),
		plugin: func(p *harness.Plugin) {
			p.ReadTimeout = 3000
			p.Targets[0].Authorization = "Bearer " + s["target key"]
			p.Targets[1].Authorization = "Bearer " + s["second key"]
			p.Targets[2].Auth = map[string]any{"param_name": "key", "param_value": s["query key"], "param_location": "query"}
			third := p.Targets[1]
			third.Authorization, third.Description = `Bearer ${{ env "DECK_KEY" }}`, history
			p.Targets = append(p.Targets, third)
			p.Embeddings["auth"] = map[string]any{"header_name": "Authorization", "header_value": "Bearer " + s["embedder key"]}
		},
	})
	answers := w.ask23(e, s)
	places := map[string]string{"log": w.log(), "answers": answers}
	for _, path := range []string{"/metrics", "/status", "/healthz", "/readyz"} {
		places[path] = w.Page(path).Body
	}
	for _, path := range []string{"/config_dump?include_eds", "/clusters", "/stats", "/listeners", "/server_info", "/stats/prometheus"} {
		places["Envoy's "+path] = harness.ChildAdmin(t, dir, path)
	}
	require.Contains(t, places["Envoy's /config_dump?include_eds"], "semlb_hop", "that is really the configuration")
	require.Contains(t, places["log"], "msg=attempt", "the log is at debug level")
	for place, text := range places {
		for name, secret := range s {
			require.NotContains(t, text, secret, "%s in %s", name, place)
		}
	}
	broken := harness.Config(harness.Plugin{
		Failover: []string{"http_418"}, Balancer: map[string]any{"algoritm": s["second key"]},
		Targets: []harness.Target{{Provider: "none", Weight: -1, Authorization: "Bearer " + s["target key"], URL: "http://u:" + s["second key"] + "@h/?k=" + s["query key"]}},
	})
	got := harness.Command(t, nil, "validate", harness.WriteConfig(t, broken))
	require.Equal(t, 1, got.Code)
	places["errors of the configuration"] = got.Stderr
	for _, name := range []string{"target key", "second key", "query key"} {
		require.NotContains(t, places["errors of the configuration"], s[name])
	}
	require.Contains(t, everything(w.cook1.Requests()), s["target key"], "the target got its own")
	r.saw("%d secrets in none of %d places: log, answers, metrics, status, errors, Envoy's config_dump, clusters, stats", len(s), len(places))
}

// ask23 sends requests of every kind that carry secrets, and returns all answers.
func (w *world) ask23(e *embedder, s map[string]string) string {
	w.t.Helper()
	header := http.Header{
		"Authorization": {"Bearer " + s["client key"]}, "X-Api-Key": {s["client key"]}, "X-Own": {s["client header"]}, "Cookie": {"c=" + s["cookie"]},
	}
	var all strings.Builder
	ask := func(body string, headers ...http.Header) {
		request := w.request(w.t.Context(), strings.NewReader(body), append([]http.Header{header}, headers...)...)
		request.URL.RawQuery = "token=" + s["client query"]
		answer, err := harness.Send(w.client, request)
		require.NoError(w.t, err)
		_ = answer.Header.Write(&all) // to a strings.Builder
		all.WriteString(answer.Body)
	}
	body := func(kind string) string {
		return `{"model":"` + s["model"] + `","user":"` + s["body field"] + `","messages":[{"role":"user","content":"` + s["prompt"] + " " + kind + `"}]}`
	}
	for _, kind := range []string{"program", "cook", "neither"} {
		ask(body(kind))
	}
	for _, b := range []harness.Behaviour{harness.Status(429), harness.Status(400), harness.Reset(), harness.Garbage(), harness.Hang()} {
		w.cook1.Do(b)
		ask(body("cook"))
	}
	e.Do(text(500, `{"error":{"message":"`+s["embedder key"]+s["prompt"]+`","code":"`+s["prompt"]+`"}}`))
	ask(body("degraded"))
	for _, broken := range []string{
		body("x")[:60], "{" + body("x"), `{"` + s["body field"] + `":1,"` + s["body field"] + `":2}`, `{"prompt":"` + s["prompt"] + `"}`,
		`{"Model":"` + s["model"] + `","messages":[]}`, `"` + s["prompt"] + `"`, `{"messages":"` + s["prompt"] + `"}`,
	} {
		ask(broken)
	}
	ask(body("x"), http.Header{"Content-Type": {s["client header"]}})
	ask(body("x"), http.Header{"Content-Encoding": {s["client header"]}})
	require.Contains(w.t, all.String(), "invalid_json")
	return all.String()
}

// everything is what targets received, as text.
func everything(all []harness.Received) string {
	var text strings.Builder
	for _, got := range all {
		text.WriteString(got.URI + "\n" + string(got.Body) + "\n")
		_ = got.Header.Write(&text) // to a strings.Builder
	}
	return text.String()
}

func TestFault24ForbiddenURLs(t *testing.T) {
	r := begin(t, "targets and embedders at metadata addresses, file:// and others; an embedder that redirects there")
	target := func(url string) string {
		return harness.Config(harness.Plugin{Targets: []harness.Target{{Model: "m", URL: url}}})
	}
	embeddings := func(url string) string {
		return harness.Config(harness.Plugin{Targets: []harness.Target{{Model: "m"}}, Embeddings: map[string]any{
			"model": map[string]any{"provider": "openai", "name": "m", "options": map[string]any{"upstream_url": url}},
		}})
	}
	n := 0
	for _, url := range []string{
		"http://169.254.169.254/latest/meta-data", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/", "http://100.100.100.200/", "http://[fd00:ec2::254]/",
		"http://metadata.google.internal/", "http://169.254.1.1:8080/v1", "file:///etc/passwd", "gopher://127.0.0.1/", "unix:///tmp/x", "http://user:pass@127.0.0.1/",
		"http://2852039166/", "http://0xa9fea9fe/", "http://0251.0376.0251.0376/", "http://169.254.43518/",
	} {
		for _, config := range []string{target(url), embeddings(url)} {
			got := harness.Command(t, nil, "validate", harness.WriteConfig(t, config))
			require.Equal(t, 1, got.Code, "%s: %s%s", url, got.Stdout, got.Stderr)
			require.NotContains(t, got.Stderr, "user:pass")
			n++
		}
	}
	r.saw("%d configurations refused at load (stricter than the row: there is no list of exceptions)", n)

	secret := harness.NewStub(t, "the metadata service")
	e := newEmbedder(t)
	w := start(t, options{embedder: e})
	w.survives(func() {
		for i, status := range []int{301, 302, 303, 307, 308} {
			for j, where := range []string{secret.URL + "/latest/meta-data", "http://169.254.169.254/latest/meta-data"} {
				e.Do(harness.Status(status, http.Header{"Location": {where}}))
				prompt := strings.Repeat("program ", 1+2*i+j)
				w.requireDegraded(prompt)
				e.recover()
				w.awaitMatched(prompt)
			}
		}
		r.saw("10 redirects of the embedder not followed: default route, degraded")
	})
	require.Empty(t, secret.Requests())
}

func TestFault25Cardinality(t *testing.T) {
	const n = 2000
	r := begin(t, "2,000 requests, each with a model, prompt, path, header and status that no other has, and as many with a method that is refused")
	w := start(t, options{})
	w.survives(func() {
		all := w.decisions("matched")
		w.requireGrowth(50, all, func() { w.various(0, 50) })
		before := w.series()
		w.cook1.Reset()
		w.requireGrowth(n, all, func() { w.various(50, n) })
		require.Equal(t, [3]int{n, 0, 0}, w.counts())
		w.awaitLog("msg=request", "status=200")
		require.LessOrEqual(t, w.series(), before+5, "series") // a class of statuses seen for the first time
		page := w.Page("/metrics").Body
		for _, own := range []string{"planted-model", "planted-prompt", "planted-path"} {
			require.NotContains(t, page, own)
		}
		r.saw("each answered with its target's own status; %d series before, %d after", before, w.series())
	})
}

// various sends requests that have nothing in common.
func (w *world) various(from, n int) {
	w.t.Helper()
	for i := from; i < from+n; i++ {
		id := string(rune('a'+i%26)) + strings.Repeat("x", i/26%50) + http.StatusText(200) + string(rune('0'+i%10)) + strings.Repeat("y", i/1300)
		status := 200 + i%200
		w.cook1.Do(harness.Status(status))
		body := `{"model":"planted-model-` + id + `","messages":[{"role":"user","content":"` + cooking + ` planted-prompt ` + id + `"}]}`
		request := w.request(w.t.Context(), strings.NewReader(body), http.Header{"X-Own-" + strings.ReplaceAll(id, " ", ""): {id}})
		request.URL.Path = "/planted-path/" + id
		answer, err := harness.Send(w.client, request)
		require.NoError(w.t, err)
		require.Equal(w.t, status, answer.Status, answer.Body)
		other := w.request(w.t.Context(), strings.NewReader(body))
		other.URL.Path, other.Method = request.URL.Path, []string{http.MethodPut, http.MethodPatch, http.MethodDelete}[i%3]
		w.requireRefused(w.Do(w.client, other), http.StatusMethodNotAllowed, "method_not_allowed")
	}
}
