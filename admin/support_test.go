package admin

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
)

// served is an API behind a real HTTP server.
type served struct {
	t     testing.TB
	api   *API
	url   string
	state string
	// header is sent with every request.
	header http.Header
	log    *logged

	mu      sync.Mutex
	applied []*config.Config
	refuse  error
	refused error
}

// logged keeps the text of a log.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Check implements [Live].
func (s *served) Check(*config.Config) error { return s.refuse }

// Apply implements [Live].
func (s *served) Apply(_ context.Context, c *config.Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		return s.refuse
	}
	s.applied = append(s.applied, c)
	return nil
}

// Refused implements [Live].
func (s *served) Refused() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// refusing makes Apply and Check fail with an error; nil makes them succeed again.
func (s *served) refusing(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = err
}

// inForce is the configuration applied last.
func (s *served) inForce() *config.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NotEmpty(s.t, s.applied)
	return s.applied[len(s.applied)-1]
}

// variablesOf returns an environment of name and value pairs.
func variablesOf(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

// serve opens an API with a new state file, unless options say otherwise, and
// serves it until the test ends.
func serve(t testing.TB, o Options) *served {
	t.Helper()
	s := &served{t: t, header: http.Header{}, log: &logged{}}
	if o.State == "" && o.Config == nil {
		o.State = filepath.Join(t.TempDir(), "state.json")
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:8001"
	}
	if o.Load.Env == nil {
		o.Load.Env = variablesOf("OPENAI_API_KEY", "sk-from-the-environment")
	}
	o.Log = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	api, err := Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, api.Close()) })
	server := httptest.NewServer(api.Handler(s))
	t.Cleanup(server.Close)
	s.api, s.url, s.state = api, server.URL, o.State
	return s
}

// reply is the response to a request.
type reply struct {
	t      testing.TB
	status int
	header http.Header
	raw    string
}

// object returns the body.
func (r reply) object() object {
	v, err := parseJSON([]byte(r.raw))
	require.NoError(r.t, err, r.raw)
	o, ok := v.(object)
	require.True(r.t, ok, r.raw)
	return o
}

// data returns the elements of a page.
func (r reply) data() []object {
	list, ok := r.object()["data"].([]any)
	require.True(r.t, ok, r.raw)
	out := []object{}
	for _, v := range list {
		o, ok := v.(object)
		require.True(r.t, ok)
		out = append(out, o)
	}
	return out
}

// is fails unless the reply has a status.
func (r reply) is(status int) reply {
	r.t.Helper()
	require.Equal(r.t, status, r.status, r.raw)
	return r
}

// call sends a request with a JSON body. An empty body is left out.
func (s *served) call(method, path, body string) reply {
	s.t.Helper()
	return s.send(method, path, "application/json", body)
}

func (s *served) send(method, path, media, body string) reply {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(s.t, err)
	for name, values := range s.header {
		r.Header[name] = values
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	if body != "" {
		r.Header.Set("Content-Type", media)
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	return reply{s.t, answer.StatusCode, answer.Header, string(raw)}
}

// with returns the same API with one more header on every request.
func (s *served) with(name, value string) *served {
	c := &served{t: s.t, api: s.api, url: s.url, state: s.state, header: s.header.Clone(), log: s.log}
	c.header.Set(name, value)
	return c
}

// aPlugin returns the body of a small plugin with extra fields.
func aPlugin(extra string) string {
	return `{"name": "ai-proxy-advanced", ` + extra + `"config": {"targets": [{
		"route_type": "llm/v1/chat", "weight": 7,
		"auth": {"header_name": "Authorization", "header_value": "Bearer sk-planted"},
		"model": {"provider": "openai", "name": "gpt-4o", "options": {"temperature": 1.0}}
	}]}}`
}
