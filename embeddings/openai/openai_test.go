package openai_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/embeddings"
	"semlb/embeddings/openai"
	"semlb/embeddings/remote"
	"semlb/wire"
)

// seen is one request as a server received it.
type seen struct {
	path, query string
	header      http.Header
	body        map[string]any
}

// record keeps requests and passes them to next. It is for servers with one caller at a
// time.
func record(t *testing.T, all *[]seen, next http.HandlerFunc) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		s := seen{path: r.URL.Path, query: r.URL.RawQuery, header: r.Header.Clone()}
		if err := json.Unmarshal(raw, &s.body); err != nil {
			panic(err)
		}
		*all = append(*all, s)
		next(w, r)
	}
}

// answer returns the same answer each time.
func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func newEmbedder(t *testing.T, options remote.Settings) *openai.Embedder {
	t.Helper()
	if options.Model == "" {
		options.Provider, options.Model = "openai", "text-embedding-3-small"
	}
	o, err := openai.New(options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.Close()) })
	return o
}

func b64(numbers ...float32) string {
	var raw []byte
	for _, x := range numbers {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func TestSendsOneRequestForABatchAndRestoresTheOrder(t *testing.T) {
	var all []seen
	url := serve(t, record(t, &all, answer(200, `{"object":"list","model":"m","usage":{"prompt_tokens":1,"total_tokens":1},"data":[
		{"object":"embedding","index":1,"embedding":[0,-2,0]},
		{"object":"embedding","index":0,"embedding":[3,0,4]}]}`)))
	o := newEmbedder(t, remote.Settings{
		URL: url, Provider: "openai", Model: "text-embedding-3-small", Dimensions: 3,
		Auth: remote.Auth{HeaderName: "Authorization", HeaderValue: wire.NewSecret("Bearer sk-test")},
	})

	vectors, err := o.Embed(t.Context(), []string{"first", " \n", "second"})
	require.NoError(t, err)
	require.Len(t, vectors, 3)
	require.InDeltaSlice(t, []float32{0.6, 0, 0.8}, vectors[0], 1e-6)
	require.Nil(t, vectors[1], "a blank text has no vector")
	require.InDeltaSlice(t, []float32{0, -1, 0}, vectors[2], 1e-6)

	require.Len(t, all, 1)
	require.Equal(t, "/v1/embeddings", all[0].path)
	require.Equal(t, []string{"Bearer sk-test"}, all[0].header["Authorization"])
	require.Equal(t, map[string]any{
		"model": "text-embedding-3-small", "input": []any{"first", "second"},
		"dimensions": 3.0, "encoding_format": "float",
	}, all[0].body)
	require.Equal(t, embeddings.Info{Model: "openai/text-embedding-3-small", Dimensions: 3, DistanceScale: 1}, o.Info())
}

func TestReadsVectorsInEitherEncoding(t *testing.T) {
	for name, embedding := range map[string]string{
		"numbers": `[3, -4e0]`,
		"base64":  `"` + b64(3, -4) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			var all []seen
			url := serve(t, record(t, &all, answer(200, `{"data":[{"embedding":`+embedding+`}]}`)))
			e := newEmbedder(t, remote.Settings{URL: url})
			vectors, err := e.Embed(t.Context(), []string{"text"})
			require.NoError(t, err)
			require.InDeltaSlice(t, []float32{0.6, -0.8}, vectors[0], 1e-6)
			require.Equal(t, "float", all[0].body["encoding_format"])
			require.NotContains(t, all[0].body, "dimensions")
		})
	}
}

func TestURLMayBeAHostABaseOrWhole(t *testing.T) {
	for _, tt := range []struct{ suffix, path, query string }{
		{"", "/v1/embeddings", ""},
		{"/", "/v1/embeddings", ""},
		{"/v1", "/v1/embeddings", ""},
		{"/compatible-mode/v1/", "/compatible-mode/v1/embeddings", ""},
		{"/openai/deployments/d/embeddings?api-version=2023-05-15", "/openai/deployments/d/embeddings", "api-version=2023-05-15"},
	} {
		t.Run(tt.suffix, func(t *testing.T) {
			var all []seen
			url := serve(t, record(t, &all, answer(200, `{"data":[{"embedding":[1]}]}`)))
			o := newEmbedder(t, remote.Settings{URL: url + tt.suffix})
			_, err := o.Embed(t.Context(), []string{"text"})
			require.NoError(t, err)
			require.Equal(t, tt.path, all[0].path)
			require.Equal(t, tt.query, all[0].query)
		})
	}
}

func TestSendsTheCredentialInItsPlace(t *testing.T) {
	var all []seen
	url := serve(t, record(t, &all, answer(200, `{"data":[{"embedding":[1]}]}`)))
	for _, auth := range []remote.Auth{
		{HeaderName: "api-key", HeaderValue: wire.NewSecret("k")},
		{ParamName: "key", ParamValue: wire.NewSecret("k&1"), ParamLocation: remote.ParamInQuery},
		{ParamName: "key", ParamValue: wire.NewSecret("k"), ParamLocation: remote.ParamInBody},
		{},
	} {
		_, err := newEmbedder(t, remote.Settings{URL: url, Auth: auth}).Embed(t.Context(), []string{"text"})
		require.NoError(t, err)
	}
	require.Equal(t, []string{"k"}, all[0].header["Api-Key"])
	require.NotContains(t, all[0].header, "Authorization")
	require.Equal(t, "key=k%261", all[1].query)
	require.NotContains(t, all[1].body, "key")
	require.Equal(t, "k", all[2].body["key"])
	require.Empty(t, all[2].query)
	require.NotContains(t, all[3].header, "Authorization")
}

func TestUnknownWidthIsThatOfTheFirstAnswer(t *testing.T) {
	bodies := []string{`{"data":[{"embedding":[1,1]}]}`, `{"data":[{"embedding":[1,1,1]}]}`}
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(200, bodies[0])(w, r)
		bodies = bodies[1:]
	}))
	o := newEmbedder(t, remote.Settings{URL: url})
	require.Zero(t, o.Info().Dimensions)
	_, err := o.Embed(t.Context(), []string{"text"})
	require.NoError(t, err)
	require.Equal(t, 2, o.Info().Dimensions)
	_, err = o.Embed(t.Context(), []string{"text"})
	require.ErrorContains(t, err, "got 3 dimensions, want 2")
}

// fixedWidth is an endpoint whose model has three dimensions and refuses, with a status,
// requests for any width.
func fixedWidth(t *testing.T, status int, all *[]seen) string {
	t.Helper()
	return serve(t, record(t, all, func(w http.ResponseWriter, r *http.Request) {
		if _, sized := (*all)[len(*all)-1].body["dimensions"]; sized {
			answer(status, `{"error":{"message":"This model does not support specifying dimensions.","code":"invalid_value"}}`)(w, r)
			return
		}
		answer(200, `{"data":[{"embedding":[0,1,0]}]}`)(w, r)
	}))
}

func TestOmitsTheWidthForModelsThatRefuseOne(t *testing.T) {
	for _, status := range []int{400, 422} {
		var all []seen
		o := newEmbedder(t, remote.Settings{URL: fixedWidth(t, status, &all), Model: "text-embedding-ada-002", Dimensions: 3})
		for range 2 {
			vectors, err := o.Embed(t.Context(), []string{"text"})
			require.NoError(t, err)
			require.Len(t, vectors[0], 3)
		}
		require.Len(t, all, 3, "one request with a width, then only without")
	}
}

func TestInsistsOnAWidthUntilAnotherIsAdopted(t *testing.T) {
	var all []seen
	o := newEmbedder(t, remote.Settings{URL: fixedWidth(t, 400, &all), Dimensions: 1024})
	for range 2 {
		_, err := o.Embed(t.Context(), []string{"text"})
		var width *embeddings.WidthError
		require.ErrorAs(t, err, &width)
		require.Equal(t, embeddings.WidthError{Got: 3, Want: 1024}, *width)
		require.Equal(t, 1024, o.Info().Dimensions)
	}
	o.Adopt(3)
	_, err := o.Embed(t.Context(), []string{"text"})
	require.NoError(t, err)
	require.Equal(t, 3, o.Info().Dimensions)
}

func TestKeepsRequestingAWidthAfterOtherRefusals(t *testing.T) {
	var all []seen
	url := serve(t, record(t, &all, answer(400, `{"error":{"code":"invalid_input"}}`)))
	o := newEmbedder(t, remote.Settings{URL: url, Dimensions: 3})
	for range 2 {
		_, err := o.Embed(t.Context(), []string{"text"})
		require.ErrorContains(t, err, "400 invalid_input")
	}
	require.Len(t, all, 4, "the width was not the reason, so the next call requests one again")
}

func TestKeepsAWidthThatWasAccepted(t *testing.T) {
	var all []seen
	bodies := []http.HandlerFunc{answer(200, `{"data":[{"embedding":[0,1,0]}]}`), answer(400, `{}`), answer(400, `{}`)}
	url := serve(t, record(t, &all, func(w http.ResponseWriter, r *http.Request) { bodies[len(all)-1](w, r) }))
	o := newEmbedder(t, remote.Settings{URL: url, Dimensions: 3})
	_, err := o.Embed(t.Context(), []string{"text"})
	require.NoError(t, err)
	_, err = o.Embed(t.Context(), []string{"a text that is too long"})
	require.ErrorContains(t, err, "400")
	require.Len(t, all, 2)
}

func TestNewRefusesBadOptions(t *testing.T) {
	const secret = "sk-secret"
	for name, options := range map[string]remote.Settings{
		"file":           {URL: "file:///etc/passwd?" + secret},
		"no scheme":      {URL: "api.openai.com"},
		"no host":        {URL: "https:///v1/embeddings"},
		"unparsable":     {URL: "http://host/%zz?key=" + secret},
		"user":           {URL: "http://user:" + secret + "@host"},
		"fragment":       {URL: "http://host/#" + secret},
		"dimensions":     {URL: "http://host", Dimensions: -1},
		"header name":    {URL: "http://host", Auth: remote.Auth{HeaderName: "a b", HeaderValue: wire.NewSecret(secret)}},
		"no header name": {URL: "http://host", Auth: remote.Auth{HeaderValue: wire.NewSecret(secret)}},
		"header value":   {URL: "http://host", Auth: remote.Auth{HeaderName: "a", HeaderValue: wire.NewSecret(secret + "\r\nb: c")}},
		"param location": {URL: "http://host", Auth: remote.Auth{ParamName: "a", ParamValue: wire.NewSecret(secret)}},
		"param is a field": {URL: "http://host", Auth: remote.Auth{
			ParamName: "input", ParamValue: wire.NewSecret(secret), ParamLocation: remote.ParamInBody,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			options.Model = "m"
			_, err := openai.New(options)
			require.Error(t, err)
			require.NotContains(t, err.Error(), secret)
		})
	}
	_, err := openai.New(remote.Settings{URL: "http://host"})
	require.ErrorContains(t, err, "name is empty")
}
