package seed_test

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

const (
	realLife    = "Specialist in real life topics"
	programming = "Specialist in programming problems"

	embeddingsPath = "/v1/embeddings"
	width          = 1024
)

// openAI is a stub of OpenAI for embeddings and chat. Its chat answers name the model
// of the request.
type openAI struct {
	*harness.Stub

	mu sync.Mutex
	// embeds and chats answer the two paths; a model in refuses takes precedence.
	embeds  harness.Behaviour
	chats   harness.Behaviour
	refuses map[string]harness.Behaviour
}

func newOpenAI(t *testing.T) *openAI {
	t.Helper()
	o := &openAI{Stub: harness.NewStub(t, "openai"), embeds: embed, chats: harness.OK(), refuses: map[string]harness.Behaviour{}}
	o.Do(o.answer)
	return o
}

func (o *openAI) answer(x *harness.Exchange) {
	o.behaviour(x)(x)
}

func (o *openAI) behaviour(x *harness.Exchange) harness.Behaviour {
	var request struct {
		Model string `json:"model"`
	}
	_ = json.Unmarshal(x.Body(), &request) // a body that is none has no model
	o.mu.Lock()
	defer o.mu.Unlock()
	if x.Request.URL.Path == embeddingsPath {
		return o.embeds
	}
	if b := o.refuses[request.Model]; b != nil {
		return b
	}
	return o.chats
}

// refuse has the chats of a model answered with a status from now on.
func (o *openAI) refuse(model string, status int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refuses[model] = harness.Status(status)
}

// embedsWith has embeddings answered by another behaviour from now on.
func (o *openAI) embedsWith(b harness.Behaviour) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.embeds = b
}

// embeddings are the requests for embeddings so far.
func (o *openAI) embeddings() []harness.Received {
	return o.with(func(r harness.Received) bool { return r.URI == embeddingsPath })
}

// chatRequests are all others.
func (o *openAI) chatRequests() []harness.Received {
	return o.with(func(r harness.Received) bool { return r.URI != embeddingsPath })
}

func (o *openAI) with(is func(harness.Received) bool) []harness.Received {
	var all []harness.Received
	for _, r := range o.Requests() {
		if is(r) {
			all = append(all, r)
		}
	}
	return all
}

// embedRequest is the body of a request for embeddings.
type embedRequest struct {
	Model      string   `json:"model"`
	Input      []string `json:"input"`
	Dimensions int      `json:"dimensions"`
}

func embedRequestOf(t *testing.T, r harness.Received) embedRequest {
	t.Helper()
	var e embedRequest
	require.NoError(t, json.Unmarshal(r.Body, &e), "body: %s", r.Body)
	return e
}

// embed answers with vectors that depend on nothing but the text.
func embed(x *harness.Exchange) { embedAs(x, width, width) }

// embedOneWidth is a model with a fixed width.
func embedOneWidth(x *harness.Exchange) { embedAs(x, 0, 2*width) }

// embedAs answers requests for one width with vectors of another.
func embedAs(x *harness.Exchange, asked, answered int) {
	var request embedRequest
	if err := json.Unmarshal(x.Body(), &request); err != nil || request.Dimensions != asked {
		x.Writer.WriteHeader(http.StatusBadRequest)
		return
	}
	type item struct {
		Object    string    `json:"object"`
		Index     int       `json:"index"`
		Embedding []float32 `json:"embedding"`
	}
	data := make([]item, len(request.Input))
	for i, text := range request.Input {
		data[i] = item{Object: "embedding", Index: i, Embedding: append(vector(text), make([]float32, answered-width)...)}
	}
	x.Writer.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(x.Writer).Encode(map[string]any{
		"object": "list", "model": request.Model, "data": data,
		"usage": map[string]int{"prompt_tokens": 1, "total_tokens": 1},
	})
}

// vector is along one axis for what is about programming, and along another for
// what is about real life. A text may contain its similarity to that axis, as in
// "programming similarity=0.31"; one about neither is at right angles to both.
func vector(text string) []float32 {
	const programmingAxis, lifeAxis, elsewhere = 0, 1, 2
	v := make([]float32, width)
	similarity := 1.0
	if _, told, ok := strings.Cut(text, "similarity="); ok {
		told, _, _ = strings.Cut(told, " ")
		similarity, _ = strconv.ParseFloat(told, 64) // 0 for a mistake, which routes nowhere
	}
	axis := programmingAxis
	switch {
	case strings.Contains(text, "programming"):
	case strings.Contains(text, "real life"):
		axis = lifeAxis
	default:
		similarity = 0
	}
	v[axis] = float32(similarity)
	v[elsewhere] = float32(math.Sqrt(1 - similarity*similarity))
	return v
}
