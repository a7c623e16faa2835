package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// Behaviour answers one request, or fails in one way. A behaviour reads the whole body
// first, unless its comment states otherwise.
type Behaviour func(*Exchange)

// OK answers with a chat completion that contains the names of stub and model.
func OK() Behaviour {
	return func(x *Exchange) {
		var request struct {
			Model string `json:"model"`
		}
		_ = json.Unmarshal(x.Body(), &request) // a body that is not JSON has no model
		answer(x, http.StatusOK, completion(x.Stub(), request.Model), nil)
	}
}

func completion(stub, model string) string {
	text, err := json.Marshal(map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion", "model": model,
		"choices": []any{map[string]any{
			"index": 0, "finish_reason": "stop",
			"message": map[string]any{"role": "assistant", "content": "answered by " + stub},
		}},
	})
	if err != nil { // strings always marshal
		panic(err)
	}
	return string(text)
}

// Status answers with a status, [StatusBody] and headers.
func Status(code int, headers ...http.Header) Behaviour {
	return func(x *Exchange) {
		x.Body()
		answer(x, code, StatusBody(x.Stub(), code), headers)
	}
}

// Body answers with a status and a JSON body.
func Body(code int, body string) Behaviour {
	return func(x *Exchange) {
		x.Body()
		answer(x, code, body, nil)
	}
}

// StatusBody is an error of the OpenAI API with the names of stub and status.
func StatusBody(stub string, code int) string {
	return fmt.Sprintf(`{"error":{"message":"%s says %d","type":"stub_error","param":null,"code":"stub_%d"}}`, stub, code, code)
}

func answer(x *Exchange, code int, body string, headers []http.Header) {
	h := x.Writer.Header()
	h.Set("Content-Type", "application/json")
	for _, more := range headers {
		for name, values := range more {
			h[http.CanonicalHeaderKey(name)] = values
		}
	}
	x.Writer.WriteHeader(code)
	_, _ = io.WriteString(x.Writer, body)
}

// ResetEarly resets the connection without reading the body.
func ResetEarly() Behaviour { return reset }

// Reset resets the connection after reading the body.
func Reset() Behaviour {
	return func(x *Exchange) {
		x.Body()
		reset(x)
	}
}

// OnReused behaves like reused for a request on a connection that had one before, and
// like fresh for a connection's first.
func OnReused(reused, fresh Behaviour) Behaviour {
	return func(x *Exchange) {
		if x.Nth() > 1 {
			reused(x)
			return
		}
		fresh(x)
	}
}

// Close closes the connection without an answer after reading the body.
func Close() Behaviour { return Raw("") }

// Garbage answers with bytes that are not HTTP.
func Garbage() Behaviour { return Raw("\x00\x16\x03 this is not HTTP\r\n\r\n") }

// BadHeader answers with a malformed header line.
func BadHeader() Behaviour {
	return Raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nthis is no header\r\nContent-Length: 2\r\n\r\n{}")
}

// Hang reads the body and never answers. It ends when the client closes the connection
// or stream.
func Hang() Behaviour {
	return func(x *Exchange) {
		x.Body()
		<-x.Request.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

// Slow reads the body and waits before it behaves like next.
func Slow(d time.Duration, next Behaviour) Behaviour {
	return func(x *Exchange) {
		x.Body()
		if !pause(x, d) {
			panic(http.ErrAbortHandler)
		}
		next(x)
	}
}

// SSE streams n events with a gap between them, and then [DONE].
func SSE(n int, gap time.Duration) Behaviour {
	return func(x *Exchange) {
		stream(x, n, gap)
		_, _ = io.WriteString(x.Writer, "data: [DONE]\n\n")
	}
}

// SSEInStep streams n events, and then [DONE]. It waits for a value from reported before
// each event but the first; the client sends one for each event that it has received. A
// proxy that buffers events therefore stops the stream.
func SSEInStep(n int, reported <-chan struct{}) Behaviour {
	return func(x *Exchange) {
		flush := beginStream(x)
		for i := range n {
			if i > 0 {
				select {
				case <-reported:
				case <-x.Request.Context().Done():
					panic(http.ErrAbortHandler)
				}
			}
			sendEvent(x, flush, i)
		}
		_, _ = io.WriteString(x.Writer, "data: [DONE]\n\n")
	}
}

// SSECut sends the response headers and n events, and then resets the connection.
func SSECut(n int) Behaviour {
	return func(x *Exchange) {
		stream(x, n, 0)
		pause(x, cutAfter)
		reset(x)
	}
}

// SSEStall streams n events and then nothing, until the client closes the connection or
// stream.
func SSEStall(n int) Behaviour {
	return func(x *Exchange) {
		stream(x, n, 0)
		<-x.Request.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

// Event is the n-th event of a stream, counted from 0, as its data field has it.
type Event struct {
	Stub string `json:"stub"`
	N    int    `json:"n"`
	Sent int64  `json:"sent"` // Unix nanoseconds
}

func stream(x *Exchange, n int, gap time.Duration) {
	flush := beginStream(x)
	for i := range n {
		if i > 0 && !pause(x, gap) {
			panic(http.ErrAbortHandler)
		}
		sendEvent(x, flush, i)
	}
}

// beginStream sends the response headers.
func beginStream(x *Exchange) *http.ResponseController {
	x.Body()
	x.Writer.Header().Set("Content-Type", "text/event-stream")
	x.Writer.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(x.Writer)
	if err := flush.Flush(); err != nil {
		panic(http.ErrAbortHandler)
	}
	return flush
}

func sendEvent(x *Exchange, flush *http.ResponseController, n int) {
	text, err := json.Marshal(Event{Stub: x.Stub(), N: n, Sent: time.Now().UnixNano()})
	if err != nil { // plain values always marshal
		panic(err)
	}
	if _, err := fmt.Fprintf(x.Writer, "data: %s\n\n", text); err != nil {
		panic(http.ErrAbortHandler)
	}
	if err := flush.Flush(); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// Sequence behaves like one of all for each request, in their order. The last one is used
// for all further requests.
func Sequence(all ...Behaviour) Behaviour {
	next := new(atomic.Int64)
	return func(x *Exchange) {
		i := int(next.Add(1)) - 1
		all[min(i, len(all)-1)](x)
	}
}

// pause waits. It returns false if the client closes the connection or stream meanwhile.
func pause(x *Exchange, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-x.Request.Context().Done():
		return false
	case <-timer.C:
		return true
	}
}

// reset resets the connection, or the stream on HTTP/2.
func reset(x *Exchange) {
	conn := takeOver(x)
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// Raw writes bytes instead of an HTTP response and closes the connection.
func Raw(text string) Behaviour {
	return func(x *Exchange) {
		x.Body()
		conn := takeOver(x)
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}

// RawOpen writes bytes instead of an HTTP response, and nothing more until the other side
// closes the connection.
func RawOpen(text string) Behaviour {
	return func(x *Exchange) {
		x.Body()
		conn := takeOver(x)
		_, _ = io.WriteString(conn, text)
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}
}

// takeOver takes the connection from the HTTP server. HTTP/2 does not support that; the
// stream is reset instead.
func takeOver(x *Exchange) net.Conn {
	conn, _, err := http.NewResponseController(x.Writer).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return conn
}

// CutHead closes the connection in the middle of the answer's head.
func CutHead() Behaviour { return Raw("HTTP/1.1 200 OK\r\nContent-Type: appl") }

// CutBody sends the head and half of a body, and then resets the connection.
func CutBody() Behaviour {
	return func(x *Exchange) {
		x.Body()
		const half = `{"id":"chatcmpl-1","object":`
		h := x.Writer.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(2*len(half)))
		_, _ = io.WriteString(x.Writer, half)
		if err := http.NewResponseController(x.Writer).Flush(); err != nil {
			panic(http.ErrAbortHandler)
		}
		pause(x, cutAfter)
		reset(x)
	}
}

// cutAfter is between the last byte and a reset, which discards what the kernel has not
// sent yet.
const cutAfter = 50 * time.Millisecond

// Pieces answers as [OK] does, in n pieces with a gap between them.
func Pieces(n int, gap time.Duration) Behaviour {
	return func(x *Exchange) {
		x.Body()
		text := completion(x.Stub(), "")
		x.Writer.Header().Set("Content-Type", "application/json")
		flush := http.NewResponseController(x.Writer)
		for piece := range slices.Chunk([]byte(text), len(text)/n+1) {
			_, _ = x.Writer.Write(piece)
			if flush.Flush() != nil || !pause(x, gap) {
				panic(http.ErrAbortHandler)
			}
		}
	}
}
