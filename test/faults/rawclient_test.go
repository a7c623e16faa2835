package faults_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// fields are headers in their order, pseudo-headers among them, so that a request may have
// what no client library sends.
type fields [][2]string

// rawAnswer is what became of such a request. Without a status there was none: the stream
// was reset, or the connection closed.
type rawAnswer struct {
	Status int
	Header http.Header
	Body   string
	Reset  bool
}

// rawClients are clients that send what they are told to, by protocol.
func (w *world) rawClients() map[string]func(fields, string) rawAnswer {
	return map[string]func(fields, string) rawAnswer{
		"HTTP/1": w.raw1,
		"HTTP/2": func(head fields, body string) rawAnswer { return w.dialH2().do(head, body) },
	}
}

// get is the first value of a field; "" if it has none.
func (f fields) get(name string) string {
	for _, field := range f {
		if field[0] == name {
			return field[1]
		}
	}
	return ""
}

// raw1 sends a request over a connection of its own; its pseudo-headers become the request
// line and the host.
func (w *world) raw1(head fields, body string) rawAnswer {
	w.t.Helper()
	text := head.get(":method") + " " + head.get(":path") + " HTTP/1.1\r\n"
	for _, field := range head {
		switch {
		case field[0] == ":authority":
			text += "Host: " + field[1] + "\r\n"
		case !strings.HasPrefix(field[0], ":"):
			text += field[0] + ": " + field[1] + "\r\n"
		}
	}
	return w.rawText(text + "\r\n" + body)
}

// rawText sends bytes over a connection of its own.
func (w *world) rawText(text string) rawAnswer {
	w.t.Helper()
	conn := w.dial()
	defer conn.Close()
	_, err := io.WriteString(conn, text)
	require.NoError(w.t, err)
	method, _, _ := strings.Cut(text, " ")
	from := bufio.NewReader(conn)
	response, err := http.ReadResponse(from, &http.Request{Method: method})
	for err == nil && response.StatusCode == http.StatusContinue {
		response, err = http.ReadResponse(from, &http.Request{Method: method})
	}
	if err != nil {
		require.NotErrorIs(w.t, err, net.ErrClosed)
		return rawAnswer{}
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	require.NoError(w.t, err)
	return rawAnswer{Status: response.StatusCode, Header: response.Header, Body: string(all)}
}

func (w *world) dial() net.Conn {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.URL, "http://"))
	require.NoError(w.t, err)
	require.NoError(w.t, conn.SetDeadline(time.Now().Add(waitLimit)))
	return conn
}

// h2 is a connection over which requests are sent one after the other.
type h2 struct {
	t      *testing.T
	framer *http2.Framer
	next   uint32
	block  bytes.Buffer
	coder  *hpack.Encoder
}

func (w *world) dialH2() *h2 {
	w.t.Helper()
	conn := w.dial()
	w.t.Cleanup(func() { _ = conn.Close() })
	_, err := io.WriteString(conn, http2.ClientPreface)
	require.NoError(w.t, err)
	c := &h2{t: w.t, framer: http2.NewFramer(conn, conn), next: 1}
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.coder = hpack.NewEncoder(&c.block)
	require.NoError(w.t, c.framer.WriteSettings())
	return c
}

// do sends a request and waits for what becomes of it.
func (c *h2) do(head fields, body string) rawAnswer {
	c.t.Helper()
	stream := c.send(head, body)
	return c.await(stream)
}

func (c *h2) send(head fields, body string) uint32 {
	c.t.Helper()
	stream := c.next
	c.next += 2
	c.block.Reset()
	for _, field := range head {
		require.NoError(c.t, c.coder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}))
	}
	require.NoError(c.t, c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: c.block.Bytes(), EndHeaders: true, EndStream: body == "",
	}))
	if body != "" {
		require.NoError(c.t, c.framer.WriteData(stream, true, []byte(body)))
	}
	return stream
}

func (c *h2) await(stream uint32) rawAnswer {
	c.t.Helper()
	answer := rawAnswer{Header: http.Header{}}
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return rawAnswer{} // the connection is closed
		}
		if settings, is := frame.(*http2.SettingsFrame); is && !settings.IsAck() {
			require.NoError(c.t, c.framer.WriteSettingsAck())
		}
		if frame.Header().StreamID == stream && answer.add(frame) {
			return answer
		}
	}
}

// add takes in a frame of an answer, and reports whether it is the last.
func (a *rawAnswer) add(frame http2.Frame) (last bool) {
	switch f := frame.(type) {
	case *http2.MetaHeadersFrame:
		a.Status, _ = strconv.Atoi(f.PseudoValue("status"))
		for _, field := range f.RegularFields() {
			a.Header.Add(field.Name, field.Value)
		}
		return f.StreamEnded()
	case *http2.DataFrame:
		a.Body += string(f.Data())
		return f.StreamEnded()
	case *http2.RSTStreamFrame:
		a.Reset = a.Status == 0
		return true
	default:
		return false
	}
}
