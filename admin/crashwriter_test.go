package admin

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
)

// crew is the name of a group that consumers join.
const crew = "crew"

// written is what a writer stored for a consumer: the consumer, its membership in the
// crew, and a plugin for it.
type written struct {
	exists  bool
	tag     string
	member  bool
	retries int // of the plugin; 0 if there is no plugin
}

// writer makes changes and records those that were acknowledged.
type writer struct {
	name         string
	next         int
	acknowledged int
	// written is by the names of consumers. doubt is the state of the consumer doubtful
	// if the last change, which got no response, was made.
	written  map[string]written
	doubtful string
	doubt    written
	// kept are the consumers that may exist, the oldest first.
	kept []string
}

// mostKept bounds the consumers of a writer, so that every start takes the same time.
const mostKept = 3

func newWriter(name string) *writer {
	return &writer{name: name, written: map[string]written{}}
}

// change is one request, with the state of the consumer after it.
type change struct {
	method, path, body string
	status             int
	makes              written
}

// changes returns the changes of one consumer in their order, with every method. The last
// one deletes most consumers.
func changes(name string, n int) []change {
	plugin := func(retries int) string {
		return fmt.Sprintf(`{"name": "ai-proxy-advanced", "instance_name": %q, "config": {"balancer": {"retries": %d},
			"targets": [{"route_type": "llm/v1/chat", "model": {"provider": "openai", "name": "gpt-4o"}}]}}`, name, retries)
	}
	all := []change{
		{"POST", "/consumers", `{"username": "` + name + `"}`, 201, written{true, "", false, 0}},
		{"PATCH", "/consumers/" + name, `{"tags": ["patched"]}`, 200, written{true, "patched", false, 0}},
		{"POST", "/consumer_groups/" + crew + "/consumers", `{"consumer": "` + name + `"}`, 201, written{true, "patched", true, 0}},
		{"PUT", "/consumers/" + name, `{"tags": ["put"]}`, 200, written{true, "put", true, 0}},
		{"POST", "/consumers/" + name + "/plugins", plugin(1), 201, written{true, "put", true, 1}},
		{"PATCH", "/plugins/" + name, `{"config": {"balancer": {"retries": 2}}}`, 200, written{true, "put", true, 2}},
		{"PUT", "/consumers/" + name + "/plugins/" + name, plugin(3), 200, written{true, "put", true, 3}},
	}
	switch n % 8 {
	case 0:
		return all
	case 1:
		return append(all,
			change{"DELETE", "/consumer_groups/" + crew + "/consumers/" + name, "", 204, written{true, "put", false, 3}},
			change{"DELETE", "/plugins/" + name, "", 204, written{true, "put", false, 0}})
	default:
		return append(all, change{"DELETE", "/consumers/" + name, "", 204, written{}})
	}
}

// run writes until the server does not respond, and calls acknowledged after each
// acknowledged change.
func (w *writer) run(client *http.Client, url string, acknowledged func()) {
	do := func(name string, c change) bool {
		if send(client, c.method, url+c.path, c.body) != c.status {
			w.doubtful, w.doubt = name, c.makes
			return false
		}
		w.written[name] = c.makes
		w.acknowledged++
		acknowledged()
		return true
	}
	for {
		for len(w.kept) > mostKept {
			oldest := w.kept[0]
			if w.written[oldest].exists && !do(oldest, change{"DELETE", "/consumers/" + oldest, "", 204, written{}}) {
				return
			}
			w.kept = w.kept[1:]
		}
		w.next++
		name := fmt.Sprintf("%s-%d", w.name, w.next)
		w.kept = append(w.kept, name)
		for _, c := range changes(name, w.next) {
			if !do(name, c) {
				return
			}
		}
	}
}

// require checks that a configuration has the acknowledged changes and no others. The
// change that got no response may be in it or not.
func (w *writer) require(t *testing.T, cfg *config.Config) {
	t.Helper()
	got := map[string]written{}
	for _, c := range cfg.Consumers {
		if strings.HasPrefix(c.Username, w.name+"-") {
			got[c.Username] = written{exists: true, tag: strings.Join(c.Tags, " "), member: slices.Contains(c.Groups, crew)}
		}
	}
	for i := range cfg.Plugins {
		p := &cfg.Plugins[i]
		if c, ours := got[p.Scope.Consumer]; ours {
			c.retries = p.Settings.Balancer.Retries
			got[p.Scope.Consumer] = c
		}
	}
	if got[w.doubtful] == w.doubt {
		w.written[w.doubtful] = w.doubt
	}
	w.doubtful, w.doubt = "", written{}
	for name, want := range w.written {
		require.Equal(t, want, got[name], name)
	}
	for name := range got {
		require.Contains(t, w.written, name)
	}
}

// send returns the status of a complete response, or 0.
func send(client *http.Client, method, url, body string) int {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	if _, err := io.ReadAll(answer.Body); err != nil {
		return 0
	}
	return answer.StatusCode
}
