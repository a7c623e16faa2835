package soak_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"semlb/test/traffic"
)

// request is a planned request in flight.
type request struct {
	traffic.Request
	// generation of the configuration that was surely in force when it was sent.
	generation int64
	started    time.Time
	tried      traffic.Tried // guarded by the soak's lock
}

// seed of all requests.
const seed = 0

func newRequest(id int) *request {
	r := &request{Request: traffic.New(seed, id), started: time.Now()}
	r.Prompt = fmt.Sprintf("%s %d", description(r.Lane), r.prompt())
	// Most bodies are small; one in fifty has up to 200 KB.
	r.Padding = r.Draw(3000, 4)
	if r.Draw(50, 5) == 0 {
		r.Padding = r.Draw(200_000, 6)
	}
	return r
}

// prompt is the number of the request's prompt. One in fifty is new, so that the
// embedder is called; the others repeat, so that the growth of the cache of vectors, up
// to 64 MiB, does not hide a leak.
func (r *request) prompt() int {
	if r.Draw(50, 10) == 0 {
		return r.ID
	}
	return r.ID % 500
}

func description(lane int) string { return fmt.Sprintf("lane %d is for questions like this one", lane) }

// malformed are requests that no target may see.
func malformed(r *traffic.Request) (body string, header http.Header, status int) {
	const messages = `"messages":[{"role":"user","content":"hello"}]`
	switch r.Draw(7, 8) {
	case 0:
		return `{` + messages, nil, 400
	case 1:
		return `[]`, nil, 400
	case 2:
		return `{"model":"x"}`, nil, 400
	case 3:
		return `{"model":"a","model":"b",` + messages + `}`, nil, 400
	case 4:
		return `{` + messages + `}`, http.Header{"Content-Type": {"text/plain"}}, 400
	case 5:
		return `{` + messages + `}`, http.Header{"Content-Encoding": {"gzip"}}, 415
	default:
		return `{` + messages + strings.Repeat(" ", bodyLimit+bodyStep*(bodySteps+8)) + `}`, nil, 413
	}
}
