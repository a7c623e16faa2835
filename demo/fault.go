package demo

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// FailHeader is the request header that makes a demo server fail: a list of
// model=mode, separated by commas. The first entry applies whose model is that of the
// request, or "*". The modes:
//
//	400 to 599   that status; 429:N and 503:N with Retry-After: N (seconds)
//	reset        the connection is reset before any byte of the answer
//	close        the connection is closed in order before any byte
//	hang         no answer until the client disconnects or the server closes
//	garbage      bytes that are not HTTP
//	sse-cut      the answer, stream or not, is reset in the middle
//	slow:MS      the first byte is delayed by that many milliseconds
//
// On HTTP/2, where requests share a connection, reset, close and garbage reset the
// stream. Any other mode is refused with 400.
const FailHeader = "X-Demo-Fail"

const (
	validModes = "valid modes are a status from 400 to 599, 429:N and 503:N (N seconds of Retry-After), " +
		"reset, close, hang, garbage, sse-cut and slow:MS"
	maxSlow       = time.Hour
	maxRetryAfter = 24 * 60 * 60
)

// fault is what goes wrong with one answer; the zero value is nothing.
type fault struct {
	// happens replaces the answer.
	happens func(http.ResponseWriter, *http.Request) error
	// delay precedes the answer.
	delay time.Duration
	// cut resets the connection in the middle of the answer.
	cut bool
}

// faultFor checks all entries, including those for other models, so that the first
// request reveals a mistake.
func faultFor(headers []string, model string) (fault, error) {
	var chosen fault
	found := false
	for entry := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		// A model's name may contain an equals sign, a mode does not.
		at := strings.LastIndexByte(entry, '=')
		if at < 0 {
			return fault{}, badRequest(FailHeader, "%s: %q is not model=mode; %s", FailHeader, entry, validModes)
		}
		f, ok := parseMode(entry[at+1:])
		if !ok {
			return fault{}, badRequest(FailHeader, "%s: %q is no mode; %s", FailHeader, entry[at+1:], validModes)
		}
		if name := entry[:at]; !found && (name == model || name == "*") {
			chosen, found = f, true
		}
	}
	return chosen, nil
}

func parseMode(mode string) (fault, bool) {
	switch mode {
	case "reset":
		return fault{happens: reset}, true
	case "close":
		return fault{happens: closeInOrder}, true
	case "hang":
		return fault{happens: hang}, true
	case "garbage":
		return fault{happens: garbage}, true
	case "sse-cut":
		return fault{cut: true}, true
	}
	name, argument, has := strings.Cut(mode, ":")
	if name == "slow" {
		ms, err := strconv.ParseUint(argument, 10, 32)
		delay := time.Duration(ms) * time.Millisecond
		return fault{delay: delay}, err == nil && delay <= maxSlow
	}
	status, err := strconv.ParseUint(name, 10, 16)
	if err != nil || status < 400 || status > 599 {
		return fault{}, false
	}
	if !has {
		return fault{happens: fails(int(status), "")}, true
	}
	seconds, err := strconv.ParseUint(argument, 10, 32)
	ok := err == nil && seconds <= maxRetryAfter &&
		(status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable)
	return fault{happens: fails(int(status), argument)}, ok
}

func fails(status int, retryAfter string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, _ *http.Request) error {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		return failure(status)
	}
}

func hang(_ http.ResponseWriter, r *http.Request) error {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

func reset(w http.ResponseWriter, _ *http.Request) error {
	conn := takeOver(w)
	// With a linger of 0, Close discards unsent bytes and sends RST.
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	return closed(conn)
}

func closeInOrder(w http.ResponseWriter, _ *http.Request) error {
	return closed(takeOver(w))
}

func garbage(w http.ResponseWriter, _ *http.Request) error {
	conn := takeOver(w)
	_, _ = io.WriteString(conn, "\x00\x16\x03 this is not HTTP\r\n\r\n")
	return closed(conn)
}

// takeOver takes the connection from the HTTP server. HTTP/2 does not allow that, so
// there it resets the stream.
func takeOver(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return conn
}

// errTaken means that there is no connection left to write an error to.
var errTaken = errors.New("connection was taken over")

func closed(conn net.Conn) error {
	_ = conn.Close()
	return errTaken
}
