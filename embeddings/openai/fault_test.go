package openai_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/embeddings"
	"semlb/embeddings/remote"
	"semlb/wire"
)

// secretPrompt and secretKey must not occur in an error.
const (
	secretPrompt = "my account number is 12345"
	secretKey    = "sk-proj-abcdef"
)

// embedFails requests one vector of three dimensions from url and returns the error.
func embedFails(t *testing.T, url string) *embeddings.Error {
	t.Helper()
	o := newEmbedder(t, remote.Settings{URL: url, Dimensions: 3, Timeout: 4 * time.Second, Auth: remote.Auth{
		HeaderName: "Authorization", HeaderValue: wire.NewSecret("Bearer " + secretKey),
		ParamName: "key", ParamValue: wire.NewSecret(secretKey), ParamLocation: remote.ParamInQuery,
	}})
	vectors, err := o.Embed(t.Context(), []string{secretPrompt})
	require.Nil(t, vectors)
	var e *embeddings.Error
	require.ErrorAs(t, err, &e)
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, e)} {
		require.NotContains(t, text, secretKey)
		require.NotContains(t, text, "account")
	}
	return e
}

func TestRefusesUnusableAnswers(t *testing.T) {
	vector := func(embedding string) string { return `{"data":[{"index":0,"embedding":` + embedding + `}]}` }
	for _, tt := range []struct{ name, body, want string }{
		{"too few", `{"data":[]}`, "got 0 vectors, want 1"},
		{"no data", `{"error":{"message":"` + secretPrompt + `"}}`, "got 0 vectors, want 1"},
		{"too many", `{"data":[{"index":0,"embedding":[1,0,0]},{"index":1,"embedding":[1,0,0]}]}`, "got 2 vectors, want 1"},
		{"index out of range", `{"data":[{"index":1,"embedding":[1,0,0]}]}`, "index 1"},
		{"too narrow", vector(`[1,0]`), "got 2 dimensions, want 3"},
		{"too wide", vector(`"` + b64(1, 0, 0, 0) + `"`), "got 4 dimensions, want 3"},
		{"empty", vector(`[]`), "is empty"},
		{"absent", `{"data":[{"index":0}]}`, "is empty"},
		{"zero", vector(`[0,0,0]`), "no direction"},
		{"base64 zero", vector(`"` + b64(0, 0, 0) + `"`), "no direction"},
		{"null number", vector(`[1,null,0]`), "not an array of finite numbers"},
		{"null vector", vector(`null`), "not an array of finite numbers"},
		{"NaN", vector(`[1,NaN,0]`), "not strict JSON"},
		{"base64 NaN", vector(`"AADAfwAAgD8AAAAA"`), "is not finite"},
		{"base64 infinity", vector(`"AACAfwAAgD8AAAAA"`), "is not finite"},
		{"infinity", vector(`[1e39,0,0]`), "not an array of finite numbers"},
		{"odd base64", vector(`"AAAA"`), "not an array of finite numbers"},
		{"no base64", vector(`"` + secretPrompt + `"`), "not an array of finite numbers"},
		{"nested", vector(`[[1,0,0]]`), "not an array of finite numbers"},
		{"strings", vector(`["1","0","0"]`), "not an array of finite numbers"},
		{"no JSON", secretPrompt, "not strict JSON"},
		{"wrong type", `{"data":"` + secretPrompt + `"}`, "not an embeddings response"},
		{"broken off", `{"data":[{"index":0,"embedding":[1,0`, "broken off"},
		{"two answers", vector(`[1,0,0]`) + vector(`[0,1,0]`), "not strict JSON"},
		{"ambiguous", `{"data":[{"index":0,"embedding":[1,0,0],"embedding":[0,1,0]}]}`, "not strict JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := embedFails(t, serve(t, answer(200, tt.body)))
			require.Equal(t, embeddings.KindInvalid, e.Kind)
			require.ErrorContains(t, e, tt.want)
		})
	}
}

func TestRefusesTheSameIndexTwice(t *testing.T) {
	url := serve(t, answer(200, `{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}`))
	_, err := newEmbedder(t, remote.Settings{URL: url}).Embed(t.Context(), []string{"a", "b"})
	require.ErrorContains(t, err, "index 0 twice")
}

func TestErrorHoldsStatusAndHarmlessCodeOnly(t *testing.T) {
	for _, tt := range []struct {
		name, body, code string
		status           int
	}{
		{"key echoed", `{"error":{"message":"Incorrect API key provided: ` + secretKey + `","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`, "invalid_api_key", 401},
		{"prompt echoed", `{"error":{"message":"` + secretPrompt + `","type":"invalid_request_error","code":null}}`, "invalid_request_error", 400},
		{"prompt as code", `{"error":{"message":"","type":"","code":"account"}}`, "", 400},
		{"key as code", `{"error":{"message":"","type":"` + secretKey + `","code":"` + secretKey + `"}}`, "", 403},
		{"number as code", `{"error":{"message":"x","code":500}}`, "", 500},
		{"long code", `{"error":{"code":"` + strings.Repeat("a", 41) + `"}}`, "", 500},
		{"page", `<html>` + secretPrompt + `</html>`, "", 502},
		{"nothing", ``, "", 404},
		{"wrong success", `{"data":[{"index":0,"embedding":[1,0,0]}]}`, "", 202},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := embedFails(t, serve(t, answer(tt.status, tt.body)))
			require.Equal(t, embeddings.Error{Kind: embeddings.KindStatus, Status: tt.status, Code: tt.code}, *e)
			require.ErrorContains(t, e, fmt.Sprintf("status %d", tt.status))
		})
	}
}

func TestReadsRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		value    string
		min, max time.Duration
	}{
		{"3", 3 * time.Second, 3 * time.Second},
		{time.Now().Add(time.Minute).UTC().Format(http.TimeFormat), 50 * time.Second, time.Minute},
		{time.Now().Add(-time.Minute).UTC().Format(http.TimeFormat), 0, 0},
		{"2000000000", time.Hour, time.Hour},
		{"-1", 0, 0},
		{"soon", 0, 0},
	} {
		t.Run(tt.value, func(t *testing.T) {
			e := embedFails(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", tt.value)
				answer(429, `{"error":{"message":"slow down","code":"rate_limit_exceeded"}}`)(w, r)
			})))
			require.Equal(t, 429, e.Status)
			require.GreaterOrEqual(t, e.RetryAfter, tt.min)
			require.LessOrEqual(t, e.RetryAfter, tt.max)
		})
	}
}

func TestFollowsNoRedirect(t *testing.T) {
	called := false
	elsewhere := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	for _, status := range []int{301, 302, 303, 307, 308} {
		e := embedFails(t, serve(t, http.RedirectHandler(elsewhere+"/v1/embeddings", status)))
		require.Equal(t, embeddings.KindStatus, e.Kind)
		require.Equal(t, status, e.Status)
	}
	require.False(t, called)
}

func TestUsesNoProxyOfTheEnvironment(t *testing.T) {
	proxied := false
	proxy := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied = true }))
	t.Setenv("HTTP_PROXY", proxy)
	o := newEmbedder(t, remote.Settings{URL: "http://embedder.invalid", Timeout: time.Second})
	_, err := o.Embed(t.Context(), []string{"text"})
	require.Error(t, err)
	require.False(t, proxied)
}

func TestRefusesMetadataServices(t *testing.T) {
	for _, host := range []string{"169.254.169.254", "[fe80::1%25lo]", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "100.100.100.200"} {
		t.Run(host, func(t *testing.T) {
			e := embedFails(t, "http://"+host+":80")
			require.Equal(t, embeddings.KindUnavailable, e.Kind)
			require.ErrorContains(t, e, "metadata service")
		})
	}
}

// endless writes JSON without an end, as fast as the client reads.
func endless(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	piece := bytes.Repeat([]byte("1,"), 16<<10)
	_, _ = io.WriteString(w, `{"data":[{"index":0,"embedding":[`)
	for {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

func TestBoundsTheAnswer(t *testing.T) {
	e := embedFails(t, serve(t, http.HandlerFunc(endless)))
	require.Equal(t, embeddings.KindInvalid, e.Kind)
	require.ErrorContains(t, e, "larger than")

	e = embedFails(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(500)
		endless(w, r)
	})))
	require.Equal(t, embeddings.KindStatus, e.Kind)
}

func TestTimesOutOnASilentServer(t *testing.T) {
	for name, hang := range map[string]http.HandlerFunc{
		"before the head": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
		"in the body": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, `{"data":[`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, hang)
			start := time.Now()
			e := embedFails(t, url)
			require.Equal(t, embeddings.KindTimeout, e.Kind)
			require.ErrorIs(t, e, context.DeadlineExceeded)
			require.Less(t, time.Since(start), 20*time.Second)
		})
	}
}

func TestEndsWithItsCaller(t *testing.T) {
	gone := make(chan struct{})
	arrived := make(chan struct{})
	url := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
		close(gone)
	}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, err := newEmbedder(t, remote.Settings{URL: url}).Embed(ctx, []string{secretPrompt})
	var e *embeddings.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, embeddings.KindCanceled, e.Kind)
	<-gone
}

func TestErrorForAClosedPort(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	e := embedFails(t, "http://"+listener.Addr().String())
	require.Equal(t, embeddings.KindUnavailable, e.Kind)
	require.ErrorContains(t, e, "connection refused")
}

func TestErrorForAServerWithoutHTTP(t *testing.T) {
	e := embedFails(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, secretPrompt+"\r\n"+secretKey+"\r\n\r\n")
		_ = conn.Close()
	})))
	require.Equal(t, embeddings.KindUnavailable, e.Kind)
}
