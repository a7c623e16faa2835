package server

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"semlb/envoy"
)

// The reasons for which an answer could not be read to its end.
const (
	unreadEncoding = "encoding" // of a content encoding that is not known
	unreadInvalid  = "invalid"  // not what its content encoding says, or no text
	unreadLength   = "length"   // too long to be kept
)

// decoders are the content encodings that can be read (RFC 9110, section 8.4.1).
var decoders = map[string]func(io.Reader) (io.Reader, error){
	"gzip":    gunzip,
	"x-gzip":  gunzip,
	"deflate": inflate,
	"br":      func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
	"zstd":    unzstd,
}

// maxEncodings is how often an answer may be encoded.
const maxEncodings = 3

// maxPlain bounds a decoded answer: what is longer is cut.
const maxPlain = 8 * maxPayload

func gunzip(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }

// inflate reads zlib's format, as the encoding is defined, and deflate alone, which some
// servers send by that name.
func inflate(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	const deflateMethod, multipleOf = 8, 31
	head, err := buffered.Peek(2)
	if err == nil && head[0]&0xf == deflateMethod && (int(head[0])<<8|int(head[1]))%multipleOf == 0 {
		return zlib.NewReader(buffered)
	}
	return flate.NewReader(buffered), nil
}

// unzstd decodes in the goroutine of the caller, with the window that every decoder has to
// support (RFC 8878, section 3.1.1.1.2).
func unzstd(r io.Reader) (io.Reader, error) {
	const window = 8 << 20
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(window))
}

// encodingsOf are the content encodings of an answer, in the order in which they were
// applied.
func encodingsOf(answer *exchange) []string {
	all := answer.headerList("content-encoding")
	for i := range all {
		all[i] = strings.ToLower(all[i])
	}
	return slices.DeleteFunc(all, func(encoding string) bool { return encoding == "identity" })
}

var errUnknownEncoding = errors.New("decode answer: unknown content encoding")

// decode undoes encodings. What was decoded before an error is returned with it.
func decode(encodings []string, encoded io.Reader) ([]byte, error) {
	if len(encodings) > maxEncodings {
		return nil, errUnknownEncoding
	}
	for _, name := range slices.Backward(encodings) {
		decoder := decoders[name]
		if decoder == nil {
			return nil, errUnknownEncoding
		}
		var err error
		if encoded, err = decoder(encoded); err != nil {
			return nil, err
		}
	}
	var plain bytes.Buffer
	_, err := io.Copy(&plain, io.LimitReader(encoded, maxPlain))
	return plain.Bytes(), err
}

// acceptable is the Accept-Encoding with which a client's request goes on: gzip if the
// client takes it, because that is what the plugin accepts, and no other one.
func (x *exchange) acceptable() []envoy.Header {
	if _, sent := x.lookup("accept-encoding"); !sent {
		return nil
	}
	value := "identity"
	if takesGzip(x.headerList("accept-encoding")) {
		value = "gzip, identity"
	}
	return []envoy.Header{{Name: "accept-encoding", Value: value}}
}

// takesGzip reports whether the members of Accept-Encoding permit gzip: by its name, else
// by "*".
func takesGzip(members []string) bool {
	others := false
	for _, member := range members {
		coding, parameters, _ := strings.Cut(member, ";")
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return permitted(parameters)
		case "*":
			others = permitted(parameters)
		}
	}
	return others
}

// permitted reports whether a weight such as "q=0.5" is not zero. None is 1.
func permitted(weight string) bool {
	_, q, weighted := strings.Cut(weight, "=")
	quality, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
	return !weighted || err != nil || quality > 0
}
