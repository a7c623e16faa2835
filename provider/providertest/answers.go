package providertest

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
)

// cuts yields a text whole, byte by byte, and in two pieces cut at every byte.
func cuts(text string, visit func(pieces []string)) {
	visit([]string{text})
	visit(strings.Split(text, ""))
	for i := 1; i < len(text); i++ {
		visit([]string{text[:i], text[i:]})
	}
}

// feed writes pieces, in a buffer that is overwritten after every call.
func feed(t testing.TB, pieces []string, write func(piece []byte)) {
	t.Helper()
	buffer := make([]byte, 0, 4096)
	for _, piece := range pieces {
		buffer = append(buffer[:0], piece...)
		write(buffer)
		clear(buffer)
	}
}

func checkMeters(t testing.TB, s *subject) {
	streams := 0
	for _, a := range s.Answers {
		if a.Streaming {
			streams++
		}
		cuts(a.Body, func(pieces []string) {
			require.Equal(t, a.Usage, s.metered(t, a.known(), pieces), "%s, in %d pieces, the first of %d bytes", a.Name, len(pieces), len(pieces[0]))
		})
	}
	require.Positive(t, streams, "an answer that streams is needed")
	require.Less(t, streams, len(s.Answers), "an answer that does not stream is needed")
}

func (s *subject) metered(t testing.TB, known provider.Answer, pieces []string) provider.Usage {
	t.Helper()
	m := s.targets[0].Meter(known)
	feed(t, pieces, func(piece []byte) {
		n, err := m.Write(piece)
		require.NoError(t, err)
		require.Equal(t, len(piece), n)
	})
	return m.Usage()
}

// checkMeterLimits writes what is not an answer, and more than a meter may keep.
func checkMeterLimits(t testing.TB, s *subject) {
	for _, streaming := range []bool{false, true} {
		known := provider.Answer{Streaming: streaming, PromptWords: PromptWords}
		for _, text := range []string{"", "\n", "<html>", "data: {", "\x00\xff\n\n", `{"usage":5,"choices":{},"model":[]}`, "data: [DONE]\n\n", "null"} {
			u := s.metered(t, known, []string{text})
			require.True(t, u.Estimated, "%q", text)
			require.Equal(t, known.EstimateUsage(0).PromptTokens, u.PromptTokens, "%q", text)
		}
		before := liveHeap()
		m := s.targets[0].Meter(known)
		piece := []byte(strings.Repeat("x", 1<<20))
		for range 64 {
			_, _ = m.Write(piece)
		}
		require.Less(t, liveHeap()-before, int64(24<<20), "an endless answer is not kept")
		require.True(t, m.Usage().Estimated)
	}
}

// liveHeap returns the bytes that are in use after a collection.
func liveHeap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// checkTranslators checks what clients get. Without a translator that is the
// provider's answer itself.
func checkTranslators(t testing.TB, s *subject) {
	for _, target := range s.targets {
		for _, streaming := range []bool{false, true} {
			require.Equal(t, s.translates(), target.Translator(provider.Answer{Streaming: streaming}) != nil, "streaming %v: a dialect translates all answers or none", streaming)
		}
	}
	for _, a := range s.Answers {
		if !s.translates() {
			require.Empty(t, a.Client, "%s: without a translator an answer passes untouched", a.Name)
			continue
		}
		cuts(a.Body, func(pieces []string) {
			require.Equal(t, a.Client, s.translated(t, a.known(), pieces), a.Name)
		})
	}
}

func (s *subject) translated(t testing.TB, known provider.Answer, pieces []string) string {
	t.Helper()
	tr := s.targets[0].Translator(known)
	set, remove := tr.Header(200, func(string) (string, bool) { return "", false })
	requireAnswerHeaders(t, set, remove)
	const before = "before:"
	out := []byte(before)
	feed(t, pieces, func(piece []byte) {
		var err error
		out, err = tr.Body(out, piece, false)
		require.NoError(t, err)
	})
	out, err := tr.Body(out, nil, true)
	require.NoError(t, err)
	rest, kept := strings.CutPrefix(string(out), before)
	require.True(t, kept, "Body appends to what it is given")
	return rest
}

func requireAnswerHeaders(t testing.TB, set []provider.Header, remove []string) {
	t.Helper()
	for _, h := range set {
		require.Equal(t, strings.ToLower(h.Name), h.Name)
		require.NotContains(t, remove, h.Name)
	}
	require.NotContains(t, remove, ":status")
}

func checkErrorBodies(t testing.TB, s *subject) {
	if !s.translates() {
		require.Empty(t, s.Errors, "without a translator an error passes untouched")
		return
	}
	require.NotEmpty(t, s.Errors)
	for _, e := range s.Errors {
		tr := s.targets[0].Translator(provider.Answer{})
		set, remove := tr.Header(e.Status, func(string) (string, bool) { return "", false })
		requireAnswerHeaders(t, set, remove)
		require.Equal(t, "before:"+e.Client, string(tr.Error([]byte("before:"), e.Status, []byte(e.Body))))
	}
	for _, body := range []string{"", "<html>", "{", "null", `{"error":"` + marked + `"}`} {
		out := s.targets[0].Translator(provider.Answer{}).Error(nil, 500, []byte(body))
		require.Contains(t, string(out), `{"error":{`, "whatever a provider writes, the client gets an error of OpenAI's form")
	}
}
