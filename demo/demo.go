// Package demo is a server of the OpenAI API without a model behind it. Its answers
// name the target and the attempt that served them, and it fails in the ways that a
// request header names. `semlb run --demo` and the tests use it.
package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxBody    = 8 << 20
	defaultGap = 20 * time.Millisecond
)

// Options describes one demo server.
type Options struct {
	// Name and About describe the target, for example "target 2" and
	// `weight 75, "Specialist in programming problems"`. Answers contain them.
	Name, About string

	// Models is what GET /v1/models lists. Requests may name any model.
	Models []string

	// Attempts counts the attempts of a request. Servers behind one gateway share
	// it. If it is nil, every attempt is the first.
	Attempts *Attempts

	// Words pads answers to at least so many words.
	Words int

	// Delay is the time before the first byte of an answer.
	Delay time.Duration

	// Gap is the time between two words of a stream: 20 ms by default, and none if
	// negative.
	Gap time.Duration

	// Observe, if set, is called with each POST request and its body before the
	// answer. Many goroutines call it at once.
	Observe func(r *http.Request, body []byte)
}

// server answers for one target.
type server struct {
	options Options
	started time.Time
}

// New returns the handler of a demo server: POST /v1/chat/completions,
// /v1/completions and /v1/embeddings, the first two on Azure's paths too, and GET
// /v1/models.
//
// A request header x-demo-fail makes it fail, see [FailHeader]. Answers have the
// headers x-demo-target and x-demo-attempt.
func New(options Options) http.Handler {
	if options.Name == "" {
		options.Name = "demo"
	}
	if options.Gap == 0 {
		options.Gap = defaultGap
	}
	s := &server{options: options, started: time.Now()}
	mux := http.NewServeMux()
	mux.Handle("POST /v1/chat/completions", s.post(true, s.chat))
	mux.Handle("POST /v1/completions", s.post(true, s.completion))
	mux.Handle("POST /openai/deployments/{deployment}/chat/completions", s.post(true, s.chat))
	mux.Handle("POST /openai/deployments/{deployment}/completions", s.post(true, s.completion))
	mux.Handle("POST /v1/embeddings", s.post(false, s.embed))
	mux.HandleFunc("GET /v1/models", s.models)
	mux.HandleFunc("/", notFound)
	return mux
}

// call is one request to answer.
type call struct {
	body    []byte
	model   string
	attempt int
	fault   fault
}

// post reads the request, fails if the fail header requires it, and else calls next for
// the answer. Attempts are counted if counted is set: embeddings have none.
func (s *server) post(counted bool, next func(http.ResponseWriter, *http.Request, call) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := s.read(w, r)
		if err == nil {
			c.attempt = 1
			if counted {
				c.attempt = s.options.Attempts.next(r.Header.Get("X-Request-Id"))
			}
			s.describe(w, r, c)
			err = s.answer(w, r, c, next)
		}
		var refused *apiError
		if errors.As(err, &refused) {
			refused.write(w)
		}
	})
}

func (s *server) read(w http.ResponseWriter, r *http.Request) (call, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return call{}, badRequest("", "request body is larger than %d bytes", large.Limit).as(http.StatusRequestEntityTooLarge)
	}
	if err != nil {
		// The client disconnected in the middle of its request.
		panic(http.ErrAbortHandler)
	}
	if s.options.Observe != nil {
		s.options.Observe(r, body)
	}
	var request struct {
		Model string `json:"model"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return call{}, badRequest("", "request body is not JSON of this endpoint")
	}
	if request.Model == "" {
		return call{}, badRequest("model", "you must provide a model parameter")
	}
	f, err := faultFor(r.Header.Values(FailHeader), request.Model)
	return call{body: body, model: request.Model, fault: f}, err
}

// answer calls next, or the fault instead, unless that only delays or cuts the
// answer.
func (s *server) answer(
	w http.ResponseWriter, r *http.Request, c call, next func(http.ResponseWriter, *http.Request, call) error,
) error {
	if !pause(r.Context(), s.options.Delay+c.fault.delay) {
		panic(http.ErrAbortHandler)
	}
	if c.fault.happens != nil {
		return c.fault.happens(w, r)
	}
	return next(w, r, c)
}

func (s *server) describe(w http.ResponseWriter, r *http.Request, c call) {
	w.Header().Set("X-Demo-Target", s.options.Name)
	w.Header().Set("X-Demo-Attempt", strconv.Itoa(c.attempt))
	if id := r.Header.Get("X-Request-Id"); id != "" {
		w.Header().Set("X-Request-Id", id)
	}
}

// text returns the target's answer to a prompt.
func (s *server) text(c call, prompt string) string {
	who := c.model
	if s.options.About != "" {
		who += ", " + s.options.About
	}
	text := fmt.Sprintf("Answer of %s (%s), attempt %d: you said %q.", s.options.Name, who, c.attempt, shorten(prompt))
	for n := len(strings.Fields(text)); n < s.options.Words; n++ {
		text += " word"
	}
	return text
}

// shorten cuts a long prompt, so that the answer stays readable.
func shorten(prompt string) string {
	const most = 200
	if runes := []rune(prompt); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return prompt
}

// pause waits for d and reports whether ctx has not ended.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func newID(prefix string) string { return prefix + rand.Text() }
