package server

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"semlb/envoy"
)

// encoders make what the decoders read.
var encoders = map[string]func(io.Writer) io.WriteCloser{
	"gzip":    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"x-gzip":  func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	"br":      func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) },
	"zstd": func(w io.Writer) io.WriteCloser {
		e, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic(err) // of a wrong option
		}
		return e
	},
}

func encoded(t *testing.T, text string, encodings ...string) *bytes.Buffer {
	t.Helper()
	data := []byte(text)
	for _, name := range encodings {
		var b bytes.Buffer
		w := encoders[name](&b)
		_, err := w.Write(data)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		data = b.Bytes()
	}
	return bytes.NewBuffer(data)
}

func TestEveryEncodingIsDecodedWithinBounds(t *testing.T) {
	require.Len(t, encoders, len(decoders))
	text := strings.Repeat("some text, and more ", 1000)
	for name := range decoders {
		plain, err := decode([]string{name}, encoded(t, text, name))
		require.NoError(t, err, name)
		require.Equal(t, text, string(plain), name)

		cut := encoded(t, text, name)
		cut.Truncate(cut.Len() - 3)
		plain, err = decode([]string{name}, cut)
		require.Error(t, err, name)
		require.True(t, strings.HasPrefix(text, string(plain)), name)

		bomb := encoded(t, strings.Repeat("0", maxPlain+1), name)
		require.Less(t, bomb.Len(), maxPlain/100, name)
		plain, err = decode([]string{name}, bomb)
		require.NoError(t, err, name)
		require.Len(t, plain, maxPlain, name)

		_, err = decode([]string{name}, strings.NewReader("\x07 this is no data of any encoding"))
		require.Error(t, err, name)
	}
}

func TestEncodingsAreUndoneFromTheLastOn(t *testing.T) {
	plain, err := decode([]string{"zstd", "br", "gzip"}, encoded(t, "text", "zstd", "br", "gzip"))
	require.NoError(t, err)
	require.Equal(t, "text", string(plain))
	var raw bytes.Buffer
	w, err := flate.NewWriter(&raw, flate.BestSpeed)
	require.NoError(t, err)
	_, err = w.Write([]byte("text"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	plain, err = decode([]string{"deflate"}, &raw)
	require.NoError(t, err, "deflate without zlib's header")
	require.Equal(t, "text", string(plain))
	for _, unknown := range [][]string{{"compress"}, {"gzip", "x"}, {"br", "br", "br", "br"}} {
		_, err = decode(unknown, encoded(t, "text", "gzip"))
		require.ErrorIs(t, err, errUnknownEncoding)
	}
}

func TestProvidersAreAskedForWhatCanBeRead(t *testing.T) {
	for accepted, want := range map[string]string{
		"br": "identity", "br, gzip": "gzip, identity", "gzip, deflate, br, zstd": "gzip, identity", "*": "gzip, identity",
		"GZIP;q=0.5": "gzip, identity", "gzip; q=0": "identity", "gzip;q=0.000, br": "identity", "identity": "identity", "": "identity",
		"gzip;q=0, *": "identity", "*;q=0, gzip": "gzip, identity", "*;q=0": "identity", "gzip;q=x": "gzip, identity", "x-gzip": "gzip, identity", "gzipped": "identity",
	} {
		x := &exchange{headers: []*corev3.HeaderValue{{Key: "accept-encoding", Value: accepted}}}
		require.Equal(t, []envoy.Header{{Name: "accept-encoding", Value: want}}, x.acceptable(), "%q", accepted)
	}
	require.Empty(t, new(exchange).acceptable(), "providers do not compress for clients that name no encoding")
}

func TestWhatIsNoTextIsFound(t *testing.T) {
	text := strings.Repeat("some text, and more ", 20)
	for name, encoder := range encoders {
		var b bytes.Buffer
		w := encoder(&b)
		_, err := io.WriteString(w, text)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		require.False(t, isText(b.Bytes()), name)
	}
	for _, s := range []string{"", "é"[:1], text, "{\r\n\t\"a\": \"多\"}", "data: caf\xe9\n\n", "多くの言葉"[:13]} {
		require.True(t, isText([]byte(s)), "%q", s)
	}
	require.False(t, isText([]byte("a\x00b")))
	require.False(t, isText([]byte(strings.Repeat("\xff\xfe", 20))))
}
