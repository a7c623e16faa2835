package providertest

import (
	"encoding/json"
	"strings"

	"semlb/provider"
	"semlb/wire"
)

// foreign is a small format of its own, so that the contract is tried on a dialect
// that translates:
//
//	request        {"engine":"m","ask":"hi"}
//	answer         {"said":"text","used":[3,4]}
//	stream         one answer a line; "used" is in the last one
//	error          {"fault":"text"}
type foreign struct{ broken string }

func newForeign(broken string) func(provider.Settings) (provider.Dialect, error) {
	return func(provider.Settings) (provider.Dialect, error) { return &foreign{broken}, nil }
}

func (*foreign) Site() provider.Site {
	return provider.Site{Host: "foreign.example", Path: "/ask", AuthHeader: "x-key"}
}

func (*foreign) Fields() []string { return nil }

func (*foreign) Body(req *provider.Request, model string, credentials []provider.Edit) ([]byte, error) {
	members := map[string]json.RawMessage{"engine": encode(model), "ask": encode(req.Prompt())}
	for _, c := range credentials {
		if c.Raw != nil {
			members[c.Name] = c.Raw
		}
	}
	return json.Marshal(members)
}

func (f *foreign) Translator(a provider.Answer) provider.Translator {
	if a.Streaming && f.broken == "translates whole answers only" {
		return nil
	}
	return &foreignTranslator{answer: a, broken: f.broken}
}

func (f *foreign) Meter(a provider.Answer) provider.Meter {
	return &foreignMeter{foreignTranslator{answer: a}}
}

// foreignTranslator makes OpenAI's answers and events of foreign ones.
type foreignTranslator struct {
	answer provider.Answer
	broken string
	whole  []byte
	lines  provider.Lines
	said   strings.Builder
	used   []int
}

func (*foreignTranslator) Header(int, func(string) (string, bool)) ([]provider.Header, []string) {
	return []provider.Header{{Name: "content-type", Value: wire.NewSecret("text/event-stream")}}, []string{"x-foreign"}
}

func (f *foreignTranslator) Body(dst, piece []byte, end bool) ([]byte, error) {
	switch f.broken {
	case "forgets what it is given":
		dst = nil
	case "reads every piece as one answer":
		f.read(piece)
		return append(dst, f.said.String()...), nil
	}
	if f.answer.Streaming {
		f.lines.Split(piece, func(line []byte) {
			f.read(line)
			dst = append(dst, `data: {"choices":[{"delta":{"content":`+string(encode(f.said.String()))+`}}]}`+"\n\n"...)
			f.said.Reset()
		})
		return dst, nil
	}
	f.whole = append(f.whole, piece...)
	if !end {
		return dst, nil
	}
	f.read(f.whole)
	return append(dst, `{"choices":[{"message":{"content":`+string(encode(f.said.String()))+`}}]}`...), nil
}

func (f *foreignTranslator) Error(dst []byte, _ int, body []byte) []byte {
	if f.broken == "passes errors on" {
		return append(dst, body...)
	}
	var e struct{ Fault string }
	_ = json.Unmarshal(body, &e) // without a text there is none to translate
	return append(dst, wire.ErrorBody(e.Fault, "server_error", "foreign")...)
}

func (f *foreignTranslator) read(text []byte) {
	var a struct {
		Said string
		Used []int
	}
	if json.Unmarshal(text, &a) == nil {
		f.said.WriteString(a.Said)
		f.used = append(f.used, a.Used...)
	}
}

// foreignMeter reads answers as the translator does.
type foreignMeter struct{ foreignTranslator }

func (m *foreignMeter) Write(p []byte) (int, error) {
	if m.answer.Streaming {
		m.lines.Split(p, m.read)
	} else if len(m.whole)+len(p) < 1<<20 {
		m.whole = append(m.whole, p...)
	}
	return len(p), nil
}

func (m *foreignMeter) Usage() provider.Usage {
	m.read(m.whole)
	if len(m.used) != 2 {
		return m.answer.EstimateUsage(m.said.Len())
	}
	return provider.Usage{PromptTokens: m.used[0], CompletionTokens: m.used[1], TotalTokens: m.used[0] + m.used[1]}
}

func encode(text string) []byte {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return raw
}
