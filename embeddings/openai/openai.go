// Package openai embeds texts with an endpoint that speaks OpenAI's embeddings API:
// OpenAI itself, Azure, Mistral, vLLM, Ollama, Text Embeddings Inference and others.
//
// The types of requests and answers are go-openai's. Its client is not used: it takes a
// null in a vector for 0 and the last of two members of the same name, does not see what
// follows the first JSON value, needs to know before which encoding an answer has, and
// drops the Retry-After of an error.
package openai

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"semlb/embeddings"
	"semlb/embeddings/remote"
)

// Embedder requests embeddings from one endpoint.
type Embedder struct {
	settings remote.Settings
	client   *remote.Client
	width    remote.Width
	// acceptsWidth is whether the endpoint accepts requests for a width.
	acceptsWidth atomic.Int32
}

// The values of Embedder.acceptsWidth.
const (
	widthUntried int32 = iota
	widthAccepted
	widthRefused
)

var (
	_ embeddings.Embedder     = (*Embedder)(nil)
	_ embeddings.WidthAdopter = (*Embedder)(nil)
)

// New returns an embedder without connecting to the endpoint. A URL without a path has
// /v1/embeddings added, one whose path ends in /v1 has /embeddings added, and any other
// is used as it is, with its query. Errors name the setting and hold no credential.
func New(s remote.Settings) (*Embedder, error) {
	s, err := s.WithDefaults()
	if err != nil {
		return nil, err
	}
	u, err := remote.ParseURL(s.URL)
	if err != nil {
		return nil, err
	}
	client, err := remote.NewClient(remote.Options{
		URL:            withPath(u),
		Auth:           s.Auth,
		RequestMembers: []string{"input", "model", "encoding_format", "dimensions"},
		RootCAs:        s.RootCAs,
		Transport:      s.Transport,
	})
	if err != nil {
		return nil, err
	}
	e := &Embedder{settings: s, client: client}
	e.width.Set(s.Dimensions)
	return e, nil
}

func withPath(u *url.URL) *url.URL {
	switch path := strings.TrimRight(u.Path, "/"); {
	case path == "":
		u.Path, u.RawPath = "/v1/embeddings", ""
	case strings.HasSuffix(path, "/v1"):
		u = u.JoinPath("embeddings")
	}
	return u
}

// Info describes the model.
func (e *Embedder) Info() embeddings.Info {
	return embeddings.Info{Model: e.settings.Name(), Dimensions: e.width.Get(), DistanceScale: 1}
}

// Adopt insists on another width from now on; see [embeddings.WidthAdopter].
func (e *Embedder) Adopt(width int) { e.width.Set(width) }

// Close closes idle connections.
func (e *Embedder) Close() error { return e.client.Close() }

// Embed sends all texts in one request. Texts of only white space, which servers
// refuse, are not sent and have a nil vector. Errors are [*embeddings.Error]; one about
// vectors of another width than they should have wraps a [*embeddings.WidthError].
func (e *Embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	sent := make([]string, 0, len(texts))
	for _, text := range texts {
		if strings.TrimSpace(text) != "" {
			sent = append(sent, text)
		}
	}
	vectors := make([][]float32, len(texts))
	if len(sent) == 0 {
		return vectors, nil
	}
	answers, err := e.request(ctx, sent)
	if err != nil {
		return nil, err
	}
	for i, text := range texts {
		if strings.TrimSpace(text) != "" {
			vectors[i], answers = answers[0], answers[1:]
		}
	}
	return vectors, nil
}

// request requests vectors of the wanted width. Models with one width only may refuse
// that: they are then sent requests without a width, from now on.
func (e *Embedder) request(ctx context.Context, texts []string) ([][]float32, error) {
	ctx, cancel := context.WithTimeout(ctx, e.settings.Timeout)
	defer cancel()
	dimensions, accepts := e.settings.Dimensions, e.acceptsWidth.Load()
	if accepts == widthRefused {
		dimensions = 0
	}
	data, err := e.post(ctx, texts, dimensions)
	if dimensions > 0 && accepts == widthUntried {
		accepts = widthAccepted
		if isRefusal(err) {
			accepts = widthRefused
			data, err = e.post(ctx, texts, 0)
		}
		if err == nil { // else the width was not the reason
			e.acceptsWidth.Store(accepts)
		}
	}
	if err != nil {
		return nil, err
	}
	return e.vectors(data, len(texts))
}

// isRefusal reports whether an endpoint understood a request and refused it, for another
// reason than the length of a text.
func isRefusal(err error) bool {
	var e *embeddings.Error
	return errors.As(err, &e) && e.TooLong == nil && (e.Status == http.StatusBadRequest || e.Status == http.StatusUnprocessableEntity)
}
