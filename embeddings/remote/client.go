package remote

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"semlb/embeddings"
)

const (
	// An answer may have answerBase bytes, and answerPerText more for each text: room
	// for 8,192 numbers of 30 characters.
	answerBase    = 64 << 10
	answerPerText = 256 << 10
)

// Options say where an endpoint is and how to reach it.
type Options struct {
	// URL is the whole URL, as from [ParseURL].
	URL *url.URL
	// Auth is the credential, if the endpoint needs one.
	Auth Auth
	// RequestMembers are the members of the request's JSON, which a credential in the
	// body must not replace.
	RequestMembers []string
	// RootCAs are the authorities that the default transport trusts; the system's if nil.
	RootCAs *x509.CertPool
	// Transport sends the requests. The default uses no proxy and refuses link-local
	// addresses and the metadata services of clouds, whatever name resolves to them.
	Transport http.RoundTripper
}

// Client exchanges JSON with one endpoint. It follows no redirects, and what it returns
// of an answer has been read strictly: one JSON value, no duplicate names, valid UTF-8,
// finite numbers. It is safe for concurrent use.
type Client struct {
	auth Auth
	url  string
	// secrets are values that must not occur in an error.
	secrets []string
	http    *http.Client
}

// NewClient returns a client without connecting to the endpoint. Its errors name the
// setting and hold no credential.
func NewClient(o Options) (*Client, error) {
	if err := o.Auth.validate(o.RequestMembers); err != nil {
		return nil, err
	}
	u := *o.URL
	if o.Auth.ParamName != "" && o.Auth.ParamLocation == ParamInQuery {
		query := u.Query()
		query.Set(o.Auth.ParamName, o.Auth.ParamValue.Reveal())
		u.RawQuery = query.Encode()
	}
	if o.Transport == nil {
		o.Transport = newTransport(o.RootCAs)
	}
	return &Client{
		auth:    o.Auth,
		url:     u.String(),
		secrets: []string{o.Auth.HeaderValue.Reveal(), o.Auth.ParamValue.Reveal(), u.RawQuery},
		http: &http.Client{
			Transport:     o.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close closes idle connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// BodyParam returns the credential that requests carry in their JSON, by name, or nil. A
// request embeds it with the tag `json:",embed"`.
func (c *Client) BodyParam() map[string]string {
	if c.auth.ParamName == "" || c.auth.ParamLocation != ParamInBody {
		return nil
	}
	return map[string]string{c.auth.ParamName: c.auth.ParamValue.Reveal()}
}

// Post sends request as JSON, without its zero members, and reads the answer into
// answer, whose fields of type []float32 take vectors in either encoding: arrays of
// numbers, or base64 of little-endian float32. The texts are those of the request: they
// bound the size of the answer, and no error quotes them.
//
// Every error is an [*embeddings.Error]. One for a status other than 200 is of
// [embeddings.KindStatus].
func (c *Client) Post(ctx context.Context, texts []string, request, answer any) error {
	body, err := json.Marshal(request, json.OmitZeroStructFields(true), jsontext.AllowInvalidUTF8(true))
	if err != nil { // its text may quote the request
		return embeddings.Invalid("request cannot be written as JSON")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil { // its text quotes the URL
		return embeddings.Invalid("request cannot be made")
	}
	c.setHeaders(req.Header)
	res, err := c.http.Do(req)
	if err != nil {
		return transportError(ctx, err)
	}
	defer func() { _ = res.Body.Close() }() // everything needed has been read
	if res.StatusCode != http.StatusOK {
		return c.statusError(res, texts)
	}
	limited := http.MaxBytesReader(nil, res.Body, int64(answerBase+len(texts)*answerPerText))
	if err := json.UnmarshalRead(limited, answer, json.WithUnmarshalers(json.UnmarshalFromFunc(readVector))); err != nil {
		return answerError(ctx, err)
	}
	return nil
}

func (c *Client) setHeaders(h http.Header) {
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "application/json")
	h.Set("User-Agent", "semlb")
	if c.auth.HeaderName != "" {
		h.Set(c.auth.HeaderName, c.auth.HeaderValue.Reveal())
	}
}

var errNotVector = errors.New("an embedding is not an array of finite numbers or base64 of float32")
