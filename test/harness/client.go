package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Protocol is the HTTP version a client speaks.
type Protocol string

// The protocols.
const (
	HTTP1 Protocol = "HTTP/1.1"
	HTTP2 Protocol = "HTTP/2" // without TLS, by prior knowledge
)

// Protocols are all of them.
func Protocols() []Protocol { return []Protocol{HTTP1, HTTP2} }

// ChatPath is where chat requests are sent.
const ChatPath = "/v1/chat/completions"

// NewClient makes a client of a protocol, with connections of its own that are
// closed when the test ends. It neither follows redirects nor asks for compressed
// answers.
func NewClient(t testing.TB, p Protocol) *http.Client {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(p == HTTP1)
	protocols.SetUnencryptedHTTP2(p == HTTP2)
	transport := &http.Transport{
		Protocols: protocols, DisableCompression: true, MaxIdleConnsPerHost: 64,
		ExpectContinueTimeout: 10 * time.Second,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Answer is a response that was read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	// Err is what ended the body before its end; nil if it is whole.
	Err  error
	Took time.Duration
}

// Post sends a JSON body to ChatPath and reads the answer. Headers are set as they
// are written, letter case included.
func (s *Semlb) Post(c *http.Client, body string, headers ...http.Header) Answer {
	s.t.Helper()
	return s.Do(c, s.Request(s.t.Context(), ChatPath, strings.NewReader(body), headers...))
}

// Request makes a POST request with a JSON body.
func (s *Semlb) Request(ctx context.Context, path string, body io.Reader, headers ...http.Header) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, body)
	require.NoError(s.t, err)
	r.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		for name, values := range h {
			r.Header[name] = values
		}
	}
	return r
}

// Do sends a request and reads the answer. A failure to get one is the test's, at
// once: it must be called by the test's own goroutine. See [Send] for others.
func (s *Semlb) Do(c *http.Client, r *http.Request) Answer {
	s.t.Helper()
	answer, err := Send(c, r)
	require.NoError(s.t, err)
	return answer
}

// Send sends a request and reads the answer. Its error is that there was none.
func Send(c *http.Client, r *http.Request) (Answer, error) {
	start := time.Now()
	response, err := c.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	var body bytes.Buffer
	_, err = body.ReadFrom(response.Body)
	return Answer{
		Status: response.StatusCode, Header: response.Header, Body: body.String(), Err: err, Took: time.Since(start),
	}, nil
}

// OpenAIError is the error of a body in the shape of the OpenAI API.
type OpenAIError struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Code    string `json:"code"`
}

// OpenAIError reads the answer's body as an error of the OpenAI API; the test fails
// if it is not one, with content type and all its members.
func (a Answer) OpenAIError(t testing.TB) OpenAIError {
	t.Helper()
	require.True(t, strings.HasPrefix(a.Header.Get("Content-Type"), "application/json"),
		"content type %q", a.Header.Get("Content-Type"))
	var body struct {
		Error *OpenAIError `json:"error"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.Body), &body), "body: %s", a.Body)
	require.NotNil(t, body.Error, "body: %s", a.Body)
	require.NotEmpty(t, body.Error.Message)
	require.NotEmpty(t, body.Error.Type)
	require.NotEmpty(t, body.Error.Code)
	return *body.Error
}

// Chat is the body of a chat request with one message, and further members in
// front of it, each as it is written, such as `"max_tokens":7`.
func Chat(prompt string, members ...string) string {
	text, err := json.Marshal(prompt)
	if err != nil { // strings always marshal
		panic(err)
	}
	members = append(members, `"messages":[{"role":"user","content":`+string(text)+`}]`)
	return "{" + strings.Join(members, ",") + "}"
}
