package harness

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
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

// Protocols returns all protocols.
func Protocols() []Protocol { return []Protocol{HTTP1, HTTP2} }

// ChatPath is where chat requests are sent.
const ChatPath = "/v1/chat/completions"

// NewClient makes a client of a protocol. Its connections are closed when the test
// ends. It neither follows redirects nor requests compression.
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
	// Err is the error that cut the body short; nil if the body is complete.
	Err error
	// Took is the time from sending the request to the end of the body.
	Took time.Duration
}

// Send sends a request and reads the answer. It returns an error if there is no answer;
// a body that breaks off is in Answer.Err.
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

// Fetch sends a request over a separate connection, and reads the answer. It is for
// the status port, the Admin API and Envoy's admin interface. A body is JSON; "" is none.
func Fetch(ctx context.Context, method, url, body string) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	r.Close = true
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return Send(&http.Client{Timeout: fetchTimeout}, r)
}

const fetchTimeout = time.Minute

// Call is Fetch for the test's own goroutine; the test fails if there is no complete
// answer.
func Call(t testing.TB, method, url, body string) Answer {
	t.Helper()
	answer, err := Fetch(t.Context(), method, url, body)
	require.NoError(t, err)
	require.NoError(t, answer.Err)
	return answer
}

// Get is Call with GET.
func Get(t testing.TB, url string) Answer {
	t.Helper()
	return Call(t, http.MethodGet, url, "")
}

// StatusOf returns the status with which a URL is answered, 0 if it is not.
func StatusOf(url string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	answer, err := Fetch(ctx, http.MethodGet, url, "")
	if err != nil {
		return 0
	}
	return answer.Status
}

// ServedBy is the X-Kong-LLM-Model of an answer with a status where model was asked: ""
// on errors, which no model has answered.
func ServedBy(status int, model string) string {
	if status/100 != 2 {
		return ""
	}
	return model
}

// OpenAIError is the error object of the OpenAI API.
type OpenAIError struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Code    string `json:"code"`
}

// OpenAIError decodes the body as an error of the OpenAI API. The test fails if the
// content type is not JSON, or if a member is missing.
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

// Chat is the body of a chat request with one user message, after further members in
// JSON, such as `"max_tokens":7`.
func Chat(prompt string, members ...string) string {
	text, err := json.Marshal(prompt)
	if err != nil { // strings always marshal
		panic(err)
	}
	members = append(members, `"messages":[{"role":"user","content":`+string(text)+`}]`)
	return "{" + strings.Join(members, ",") + "}"
}

// Gzip compresses a body.
func Gzip(t testing.TB, body string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(body))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}
