package embeddings

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

// The forms in which an OpenAI-compatible endpoint can be asked to write
// vectors. Answers in either form are understood, whichever was asked for.
const (
	// EncodingFloat asks for arrays of numbers, which every server knows.
	EncodingFloat = "float"
	// EncodingBase64 asks for base64 of little-endian float32, a quarter of the size.
	EncodingBase64 = "base64"
)

const (
	defaultTimeout = 5 * time.Second
	// An answer may have answerBase bytes and answerPerText more for each text:
	// room for 8,192 numbers of 30 characters.
	answerBase    = 64 << 10
	answerPerText = 256 << 10
	// minNorm is the length below which a vector has no direction.
	minNorm = 1e-12
)

// OpenAIOptions says where an OpenAI-compatible embeddings endpoint is and how
// to ask it.
type OpenAIOptions struct {
	// URL is the endpoint: the plugin's embeddings.model.options.upstream_url. A
	// URL without a path has /v1/embeddings added, one whose path ends in /v1 has
	// /embeddings added, and any other is used as it is, with its query. The scheme
	// is http or https; user information and fragments are refused.
	URL string

	// Provider and Model make up [Info.Model]; Model is also sent.
	Provider, Model string

	// Dimensions is the width to ask for and to insist on, until [OpenAI.Adopt] says
	// otherwise. At 0 none is asked for, and the width of the first answer holds for
	// all that follow.
	Dimensions int

	// Encoding is [EncodingFloat] (default) or [EncodingBase64].
	Encoding string

	// Auth is the credential, if the endpoint wants one.
	Auth Auth

	// Timeout bounds one call from dialling to the last byte of the answer. The
	// default is 5 s. An earlier deadline of the caller holds as well.
	Timeout time.Duration

	// Transport sends the requests. The default one uses no proxy and refuses
	// link-local addresses and the metadata services of clouds, whatever name leads
	// to them.
	Transport http.RoundTripper
}

// OpenAI asks an OpenAI-compatible endpoint for embeddings. It follows no
// redirects, and everything it returns has been checked.
type OpenAI struct {
	options  OpenAIOptions
	endpoint endpoint
	client   *http.Client
	width    atomic.Int64
	// takesWidth is what the endpoint has shown of itself when asked for a width.
	takesWidth atomic.Int32
}

// NewOpenAI returns an embedder for the endpoint, without asking it anything.
func NewOpenAI(options OpenAIOptions) (*OpenAI, error) {
	if options.Model == "" {
		return nil, errors.New("embeddings model: name is empty")
	}
	if options.Dimensions < 0 {
		return nil, fmt.Errorf("embeddings dimensions: got %d, want 0 or more", options.Dimensions)
	}
	switch options.Encoding {
	case "":
		options.Encoding = EncodingFloat
	case EncodingFloat, EncodingBase64:
	default:
		return nil, fmt.Errorf("embeddings encoding: got %q, want %q or %q", options.Encoding, EncodingFloat, EncodingBase64)
	}
	where, err := newEndpoint(options.URL, options.Auth)
	if err != nil {
		return nil, err
	}
	if options.Timeout <= 0 {
		options.Timeout = defaultTimeout
	}
	if options.Transport == nil {
		options.Transport = newTransport()
	}
	o := &OpenAI{options: options, endpoint: where, client: &http.Client{
		Transport:     options.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	o.width.Store(int64(options.Dimensions))
	return o, nil
}

// Info names the model as provider/model.
func (o *OpenAI) Info() Info {
	name := o.options.Model
	if o.options.Provider != "" {
		name = o.options.Provider + "/" + name
	}
	return Info{Model: name, Dimensions: int(o.width.Load()), DistanceScale: 1}
}

// Close closes idle connections.
func (o *OpenAI) Close() error {
	o.client.CloseIdleConnections()
	return nil
}

// Embed asks for all texts in one request. Texts of nothing but white space,
// which servers refuse, are not sent and have a nil vector. Errors are [*Error]; one
// about vectors of another width than they should have wraps a [*WidthError].
func (o *OpenAI) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	asked := make([]string, 0, len(texts))
	for _, text := range texts {
		if strings.TrimSpace(text) != "" {
			asked = append(asked, text)
		}
	}
	vectors := make([][]float32, len(texts))
	if len(asked) == 0 {
		return vectors, nil
	}
	answers, err := o.ask(ctx, asked)
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

// call makes one request; at 0 dimensions no width is asked for.
func (o *OpenAI) call(ctx context.Context, texts []string, dimensions int) ([]openai.Embedding, error) {
	config := openai.DefaultConfig("")
	config.HTTPClient = &exchange{client: o.client, endpoint: o.endpoint, texts: texts}
	res, err := openai.NewClientWithConfig(config).CreateEmbeddings(ctx, openai.EmbeddingRequestStrings{
		Input:      texts,
		Model:      openai.EmbeddingModel(o.options.Model),
		Dimensions: dimensions,
		// The library reads what exchange makes of the answer, which is always
		// base64; what goes over the wire is said by the extra field.
		EncodingFormat: openai.EmbeddingEncodingFormatBase64,
		ExtraBody:      o.extraBody(),
	})
	if err != nil {
		return nil, o.failure(err)
	}
	return res.Data, nil
}

func (o *OpenAI) extraBody() map[string]any {
	extra := map[string]any{"encoding_format": o.options.Encoding}
	if auth := o.options.Auth; auth.ParamName != "" && auth.ParamLocation == ParamInBody {
		extra[auth.ParamName] = auth.ParamValue
	}
	return extra
}

// failure keeps errors of exchange and hides those of the library, which may
// quote the answer.
func (o *OpenAI) failure(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return invalid("answer cannot be read")
}

// check puts the vectors into the order of the texts and makes them unit vectors.
func (o *OpenAI) check(data []openai.Embedding, want int) ([][]float32, error) {
	if len(data) != want {
		return nil, invalid("got %d vectors, want %d", len(data), want)
	}
	vectors := make([][]float32, want)
	for _, d := range data {
		if d.Index < 0 || d.Index >= want || vectors[d.Index] != nil {
			return nil, invalid("got index %d twice or out of range, want 0 to %d once each", d.Index, want-1)
		}
		if err := normalize(d.Embedding); err != nil {
			return nil, invalid("vector %d: %w", d.Index, err)
		}
		vectors[d.Index] = d.Embedding
	}
	return vectors, o.checkWidth(vectors)
}

// normalize gives v unit length in place.
func normalize(v []float32) error {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	norm := math.Sqrt(sum)
	switch {
	case len(v) == 0:
		return errors.New("is empty")
	case math.IsNaN(norm) || math.IsInf(norm, 0):
		return errors.New("is not finite")
	case norm < minNorm:
		return errors.New("has no direction, all numbers are 0")
	}
	for i, x := range v {
		v[i] = float32(float64(x) / norm)
	}
	return nil
}
