package faults_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// echo is a provider that shows a request with all its headers, as TRACE does.
func echo(x *harness.Exchange) {
	_ = x.Request.Header.Write(x.Writer) // to a client that may have gone
}

func TestFault36Methods(t *testing.T) {
	r := begin(t, "GET, HEAD, TRACE, CONNECT, PUT, unknown ones, post; with a body, with none, with one that never comes; headers that override the method")
	w := start(t, options{})
	w.survives(func() {
		for _, s := range w.stubs() {
			s.Do(echo)
		}
		n := 0
		before := w.answered("method_not_allowed")
		for name, send := range w.rawClients() {
			for _, method := range []string{
				"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "TRACK", "PROPFIND", "QUERY", "PRI", "PURGE", "post", "Post", "POSTS", "X",
			} {
				for _, body := range []string{"", chat(cooking)} {
					w.requireMethodRefused(send(request(method, harness.ChatPath, body), body), name+" "+method)
					n++
				}
			}
		}
		require.Greater(t, w.answered("method_not_allowed")-before, n/2, "most are refused by semlb, with a reason that is counted; Envoy refuses the others")
		w.requireNotAwaited()
		w.requireNothingSent()
		r.saw("%d × 405 with Allow, or 400 or 404 of Envoy, none sent to a provider, before a body", n)
	})
	w.survives(func() { r.saw("%d headers that override do not reach providers", w.override()) })
	w.requirePermitted()
	r.saw("GET and HEAD of /v1/models and preflights are served")
}

// request is the head of a request whose body may be none.
func request(method, path, body string) fields {
	head := fields{{":method", method}, {":scheme", "http"}, {":authority", "semlb.test"}, {":path", path}, {"content-type", "application/json"}}
	if method == http.MethodConnect {
		head = fields{{":method", method}, {":authority", "semlb.test:443"}}
	}
	if body != "" {
		head = append(head, [2]string{"content-length", strconv.Itoa(len(body))})
	}
	return head
}

// requireMethodRefused checks that semlb has refused a method, or Envoy has, as it does with
// what is no method of HTTP/1, and CONNECT.
func (w *world) requireMethodRefused(got rawAnswer, name string) {
	w.t.Helper()
	if got.Status == http.StatusMethodNotAllowed {
		require.Equal(w.t, "POST", got.Header.Get("Allow"), name)
	} else if !got.Reset {
		require.Contains(w.t, []int{http.StatusBadRequest, http.StatusNotFound, 0}, got.Status, name)
	}
	require.NotContains(w.t, got.Body, "key-of-", name)
}

// requireNotAwaited checks that the body of such a request is not waited for.
func (w *world) requireNotAwaited() {
	w.t.Helper()
	for _, how := range []string{"Content-Length: 1000000", "Transfer-Encoding: chunked", "Content-Length: 1000000\r\nExpect: 100-continue"} {
		got := w.rawText("PUT " + harness.ChatPath + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + how + "\r\n\r\n")
		require.Equal(w.t, http.StatusMethodNotAllowed, got.Status, how)
	}
}

// override sends the headers with which a client asks for another method, or for another
// path, and returns how many there are.
func (w *world) override() int {
	w.t.Helper()
	names := []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-Method", "X-Original-URL", "X-Rewrite-URL", "X-Original-URI"}
	sent := http.Header{}
	for _, name := range names {
		sent[name] = []string{"TRACE"}
		sent[strings.ReplaceAll(name, "-", "_")] = []string{"TRACE"}
	}
	for attempt, first := range []harness.Behaviour{harness.OK(), harness.Status(http.StatusTooManyRequests)} {
		w.reset()
		w.cook1.Do(first)
		require.Equal(w.t, http.StatusOK, w.post(chat(cooking), sent).Status)
		for _, got := range append(w.cook1.Requests(), w.cook2.Requests()...) {
			require.Equal(w.t, http.MethodPost, got.Method)
			for name := range sent {
				require.NotContains(w.t, got.Header, name, "attempt %d", attempt)
				require.NotContains(w.t, got.Header, http.CanonicalHeaderKey(name), "attempt %d", attempt)
			}
		}
	}
	return len(sent)
}

// requirePermitted checks the methods that are served beside POST.
func (w *world) requirePermitted() {
	w.t.Helper()
	w.reset()
	for name, send := range w.rawClients() {
		for method, status := range map[string]int{"GET": 200, "HEAD": 200, "PUT": 405, "TRACE": 405} {
			got := send(request(method, "/v1/models", ""), "")
			require.Equal(w.t, status, got.Status, fmt.Sprint(name, method))
			if status == http.StatusMethodNotAllowed {
				require.Equal(w.t, "POST, GET, HEAD", got.Header.Get("Allow"))
			}
		}
		preflight := append(request("OPTIONS", harness.ChatPath, ""), fields{{"origin", "https://a.test"}, {"access-control-request-method", "POST"}}...)
		require.Equal(w.t, http.StatusNoContent, send(preflight, "").Status, name)
	}
	w.requireNothingSent()
}
