package soak_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/traffic"
)

// width is that of the embedder's vectors.
const width = 16

// embedder is an embeddings endpoint in OpenAI's format that can be stopped and
// restarted. The vector of a text is along the axis of the lane that it names.
type embedder struct {
	address string
	server  *http.Server
	done    chan struct{}
	idle    sync.Map // connections (net.Conn) without a request
}

func newEmbedder(t *testing.T) *embedder {
	t.Helper()
	e := new(embedder)
	require.NoError(t, e.start("127.0.0.1:0"))
	t.Cleanup(e.stop)
	return e
}

func (e *embedder) start(address string) error {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return err
	}
	e.address, e.done = l.Addr().String(), make(chan struct{})
	e.server = &http.Server{Handler: http.HandlerFunc(embed), ReadHeaderTimeout: time.Minute, ConnState: e.track}
	go func() {
		defer close(e.done)
		_ = e.server.Serve(l) // always http.ErrServerClosed, by stop
	}()
	return nil
}

func (e *embedder) track(c net.Conn, state http.ConnState) {
	if state == http.StateIdle {
		e.idle.Store(c, nil)
		return
	}
	e.idle.Delete(c)
}

// closeIdle closes the connections without a request. semlb keeps them for 90 s, as many
// as it once had at the same time, which is more the busier the machine is.
func (e *embedder) closeIdle() {
	for c := range e.idle.Range {
		_ = c.(net.Conn).Close()
	}
}

// stop closes all connections, those in use included.
func (e *embedder) stop() {
	_ = e.server.Close()
	<-e.done
}

// block is the plugin's embeddings block.
func (e *embedder) block() map[string]any {
	return map[string]any{
		"auth": map[string]any{"header_name": "Authorization", "header_value": "Bearer key-of-the-embedder"},
		"model": map[string]any{
			"provider": "openai", "name": "embedding-model",
			"options": map[string]any{"upstream_url": "http://" + e.address + "/v1/embeddings"},
		},
	}
}

func embed(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Input []string `json:"input"`
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	type item struct {
		Object    string    `json:"object"`
		Index     int       `json:"index"`
		Embedding []float32 `json:"embedding"`
	}
	items := make([]item, len(request.Input))
	for i, text := range request.Input {
		v := make([]float32, width)
		for lane := range traffic.Lanes() {
			if strings.Contains(text, fmt.Sprintf("lane %d", lane)) {
				v[lane] = 1
			}
		}
		v[width-1] = .01
		items[i] = item{"embedding", i, v}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"object": "list", "model": "embedding-model", "data": items})
}
