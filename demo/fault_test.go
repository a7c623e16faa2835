package demo_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/demo"
)

const streamBody = `{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello there"}]}`

func TestStatusOnDemand(t *testing.T) {
	url := start(t, demo.Options{})
	client := newHTTP(t)
	for _, tt := range []struct {
		fail       string
		status     int
		retryAfter string
		kind, code any
	}{
		{"gpt-4o=429", 429, "", "requests", "rate_limit_exceeded"},
		{"gpt-4o=429:3", 429, "3", "requests", "rate_limit_exceeded"},
		{"*=503:10", 503, "10", "server_error", nil},
		{"gpt-4o=500", 500, "", "server_error", nil},
		{" other=500 , gpt-4o=401 ,", 401, "", "invalid_request_error", "invalid_api_key"},
		{"gpt-4o=404,*=500", 404, "", "invalid_request_error", "model_not_found"},
		{"*=400,gpt-4o=500", 400, "", "invalid_request_error", nil},
		{"gpt-4o=599", 599, "", "server_error", nil},
	} {
		t.Run(tt.fail, func(t *testing.T) {
			res, err := post(t, client, url+"/v1/chat/completions", streamBody, demo.FailHeader, tt.fail)
			require.NoError(t, err)
			require.Equal(t, tt.status, res.StatusCode)
			require.Equal(t, tt.retryAfter, res.Header.Get("Retry-After"))
			e := parse(t, read(t, res))["error"].(map[string]any)
			require.Equal(t, tt.kind, e["type"])
			require.Equal(t, tt.code, e["code"])
		})
	}
}

func TestOtherModelsDoNotFail(t *testing.T) {
	url := start(t, demo.Options{})
	for _, fail := range []string{"", "gpt-4o-mini=500", "gpt-4=reset,=500", "a=b=hang"} {
		res, err := post(t, newHTTP(t), url+"/v1/chat/completions", chatBody, demo.FailHeader, fail)
		require.NoError(t, err)
		require.Equal(t, 200, res.StatusCode)
		read(t, res)
	}
	res, err := post(t, newHTTP(t), url+"/v1/embeddings", `{"model":"a=b","input":"x"}`, demo.FailHeader, "x=400", demo.FailHeader, "a=b=503")
	require.NoError(t, err)
	require.Equal(t, 503, res.StatusCode)
	read(t, res)
}

func TestUnknownModeIsRefusedWithTheValidOnes(t *testing.T) {
	url := start(t, demo.Options{})
	for _, fail := range []string{
		"gpt-4o", "gpt-4o=", "gpt-4o=boom", "gpt-4o=200", "gpt-4o=399", "gpt-4o=600", "gpt-4o=500:3", "gpt-4o=429:",
		"gpt-4o=429:-1", "gpt-4o=429:soon", "gpt-4o=slow", "gpt-4o=slow:", "gpt-4o=slow:-1", "gpt-4o=slow:99999999", "other=boom",
		"gpt-4o=429 ,other=boom",
	} {
		t.Run(fail, func(t *testing.T) {
			res, err := post(t, newHTTP(t), url+"/v1/chat/completions", chatBody, demo.FailHeader, fail)
			require.NoError(t, err)
			require.Equal(t, 400, res.StatusCode)
			body := read(t, res)
			for _, mode := range []string{"400 to 599", "429:N", "reset", "close", "hang", "garbage", "sse-cut", "slow:MS"} {
				require.Contains(t, body, mode)
			}
		})
	}
}

func TestConnectionFaults(t *testing.T) {
	url := start(t, demo.Options{})
	for _, tt := range []struct {
		mode  string
		check func(error)
	}{
		{"reset", func(err error) { require.ErrorIs(t, err, syscall.ECONNRESET) }},
		{"close", func(err error) { require.ErrorIs(t, err, io.EOF) }},
		{"garbage", func(err error) { require.ErrorContains(t, err, "malformed HTTP") }},
	} {
		for _, path := range []string{"/v1/chat/completions", "/v1/embeddings"} {
			body := chatBody
			if path == "/v1/embeddings" {
				body = `{"model":"gpt-4o","input":"x"}`
			}
			res, err := post(t, newHTTP(t), url+path, body, demo.FailHeader, "*="+tt.mode)
			if err == nil {
				_ = res.Body.Close()
			}
			require.Error(t, err, tt.mode)
			tt.check(err)
		}
	}
}

func TestCutComesInTheMiddle(t *testing.T) {
	url := start(t, demo.Options{Words: 40})
	for _, tt := range []struct{ name, path, body, begin, never string }{
		{"stream", "/v1/chat/completions", streamBody, `"role":"assistant"`, "[DONE]"},
		{"answer", "/v1/chat/completions", chatBody, `{"id":"chatcmpl-`, "finish_reason"},
		{"embeddings", "/v1/embeddings", `{"model":"gpt-4o","input":"x","dimensions":8}`, `{"data":[`, "usage"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := post(t, newHTTP(t), url+tt.path, tt.body, demo.FailHeader, "*=sse-cut")
			require.NoError(t, err)
			defer res.Body.Close()
			require.Equal(t, 200, res.StatusCode)
			body, err := io.ReadAll(res.Body)
			require.ErrorIs(t, err, syscall.ECONNRESET)
			require.Contains(t, string(body), tt.begin)
			require.NotContains(t, string(body), tt.never)
			if tt.name == "stream" {
				require.GreaterOrEqual(t, strings.Count(string(body), "data: "), 3)
			}
		})
	}
}

func TestSlowDelaysTheFirstByte(t *testing.T) {
	url := start(t, demo.Options{})
	begin := time.Now()
	res, err := post(t, newHTTP(t), url+"/v1/chat/completions", streamBody, demo.FailHeader, "gpt-4o=slow:150")
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(begin), 150*time.Millisecond)
	require.Equal(t, 200, res.StatusCode)
	require.Contains(t, read(t, res), "[DONE]")
}

func TestHangEndsWithItsClient(t *testing.T) {
	arrived := make(chan struct{}, 1)
	server, err := demo.Start(demo.AnyPort, demo.New(demo.Options{
		Observe: func(*http.Request, []byte) { arrived <- struct{}{} },
	}))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL()+"/v1/chat/completions", strings.NewReader(chatBody))
	require.NoError(t, err)
	req.Header.Set(demo.FailHeader, "gpt-4o=hang")
	go func() {
		<-arrived
		time.Sleep(50 * time.Millisecond)
		cancel()
	}()
	_, err = newHTTP(t).Do(req) //nolint:bodyclose // there is no answer
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, server.Close(t.Context()))
}

func TestCloseEndsWhatHangsAndStreams(t *testing.T) {
	for name, headers := range map[string][]string{
		"hang":   {demo.FailHeader, "*=hang"},
		"slow":   {demo.FailHeader, "*=slow:3600000"},
		"stream": nil,
	} {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan struct{}, 1)
			server, err := demo.Start(demo.AnyPort, demo.New(demo.Options{
				Gap: time.Hour, Observe: func(*http.Request, []byte) { arrived <- struct{}{} },
			}))
			require.NoError(t, err)
			client := newHTTP(t)
			ended := make(chan error, 1)
			go func() {
				//nolint:testifylint // only that the request can be built is required there
				res, err := post(t, client, server.URL()+"/v1/chat/completions", streamBody, headers...)
				if err == nil {
					_, err = io.ReadAll(res.Body)
					_ = res.Body.Close()
				}
				ended <- err
			}()
			<-arrived
			begin := time.Now()
			require.NoError(t, server.Close(t.Context()))
			require.Error(t, <-ended)
			require.Less(t, time.Since(begin), time.Minute)
		})
	}
}

// On HTTP/2 a handler can break its stream, but not the connection.
func TestFaultsOnHTTP2ResetTheStream(t *testing.T) {
	url := start(t, demo.Options{})
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	for _, mode := range []string{"reset", "close", "garbage", "sse-cut"} {
		res, err := post(t, client, url+"/v1/chat/completions", streamBody, demo.FailHeader, "*="+mode)
		if mode == "sse-cut" {
			require.NoError(t, err)
			_, err = io.ReadAll(res.Body)
			_ = res.Body.Close()
		}
		require.ErrorContains(t, err, "stream error", mode)
	}
	res, err := post(t, client, url+"/v1/chat/completions", streamBody)
	require.NoError(t, err)
	require.Equal(t, "HTTP/2.0", res.Proto)
	require.Contains(t, read(t, res), "[DONE]")
}

func TestStartReportsThatThePortIsTaken(t *testing.T) {
	url := start(t, demo.Options{})
	_, err := demo.Start(strings.TrimPrefix(url, "http://"), demo.New(demo.Options{}))
	require.ErrorContains(t, err, "listen for demo server")
	require.ErrorIs(t, err, syscall.EADDRINUSE, fmt.Sprint(err))
}
