package providertest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/provider/openai"
	"semlb/wire"
)

func foreignDialect(broken string) Dialect {
	return Dialect{
		Prepare: newForeign(broken),
		Targets: []provider.Settings{
			{ID: "header", Provider: "foreign", Model: "m", Auth: provider.Auth{HeaderValue: wire.NewSecret("secret-header")}},
			{ID: "body", Provider: "foreign", Model: "n", Auth: provider.Auth{ParamName: "api_key", ParamValue: wire.NewSecret("secret-body"), ParamLocation: "body"}},
		},
		Answers: []Answer{
			{
				Name: "whole", Body: `{"said":"hé","used":[3,4]}`, Client: `{"choices":[{"message":{"content":"hé"}}]}`,
				Usage: provider.Usage{PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7},
			},
			{
				Name: "stream", Streaming: true, Body: "{\"said\":\"a\"}\n{\"said\":\"b\",\"used\":[1,2]}\n",
				Client: "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\n\n",
				Usage:  provider.Usage{PromptTokens: 1, CompletionTokens: 2, TotalTokens: 3},
			},
		},
		Errors: []Error{{Status: 529, Body: `{"fault":"busy"}`, Client: `{"error":{"message":"busy","type":"server_error","param":null,"code":"foreign"}}`}},
	}
}

func TestAForeignFormatCanKeepTheContract(t *testing.T) {
	Run(t, foreignDialect(""))
}

func TestABrokenForeignFormatFails(t *testing.T) {
	for broken, clause := range map[string]string{
		"translates whole answers only":   "a translator does not depend on how an answer is cut",
		"forgets what it is given":        "a translator does not depend on how an answer is cut",
		"reads every piece as one answer": "a translator does not depend on how an answer is cut",
		"passes errors on":                "errors are translated",
	} {
		require.Contains(t, failures(t, foreignDialect(broken)), clause, broken)
	}
}

// twisted is OpenAI's dialect with one fault.
type twisted struct {
	provider.Dialect
	body   func(next provider.Dialect, req *provider.Request, model string, credentials []provider.Edit) ([]byte, error)
	fields []string
	meter  provider.Meter
}

func (d twisted) Body(req *provider.Request, model string, credentials []provider.Edit) ([]byte, error) {
	if d.body == nil {
		return d.Dialect.Body(req, model, credentials)
	}
	return d.body(d.Dialect, req, model, credentials)
}

func (d twisted) Fields() []string {
	if d.fields == nil {
		return d.Dialect.Fields()
	}
	return d.fields
}

func (d twisted) Meter(a provider.Answer) provider.Meter {
	if d.meter == nil {
		return d.Dialect.Meter(a)
	}
	return d.meter
}

func openAI(d twisted) Dialect {
	return Dialect{
		Prepare: func(s provider.Settings) (provider.Dialect, error) {
			var err error
			d.Dialect, err = openai.New(s)
			return d, err
		},
		Targets: []provider.Settings{
			{ID: "a", Provider: "openai", Model: "a", Auth: provider.Auth{ParamName: "api_key", ParamValue: wire.NewSecret("secret-a"), ParamLocation: "body"}},
			{ID: "b", Provider: "openai", Auth: provider.Auth{HeaderValue: wire.NewSecret("secret-b")}},
		},
		Answers: []Answer{
			{Name: "whole", Body: `{"usage":{"prompt_tokens":1,"completion_tokens":2}}`, Usage: provider.Usage{PromptTokens: 1, CompletionTokens: 2, TotalTokens: 3}},
			{Name: "stream", Streaming: true, Body: "data: {}\n\n", Usage: provider.Answer{Streaming: true, PromptWords: PromptWords}.EstimateUsage(0)},
		},
	}
}

// hoarder is a meter that keeps everything.
type hoarder struct{ bytes.Buffer }

func (*hoarder) Usage() provider.Usage {
	return provider.Answer{PromptWords: PromptWords}.EstimateUsage(0)
}

// hasty is a meter that reads every piece as an answer.
type hasty struct{ usage provider.Usage }

func (h *hasty) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("usage")) {
		h.usage = provider.Usage{PromptTokens: 1, CompletionTokens: 2, TotalTokens: 3}
	}
	return len(p), nil
}

func (h *hasty) Usage() provider.Usage { return h.usage }

func TestABrokenDialectFails(t *testing.T) {
	for _, tt := range []struct {
		d      twisted
		clause string
	}{
		{twisted{}, "requests are those of the golden file"}, // the file is the foreign dialect's
		{twisted{body: dropsCredentials}, "no credential reaches another target"},
		{twisted{body: removesUser}, "requests differ from the client's in their fields only"},
		{twisted{body: quotesPrompt}, "errors are the client's and hold nothing of the request"},
		{twisted{body: changesInput}, "the client's body is not changed"},
		{twisted{body: writesNoJSON}, "requests are well formed"},
		{twisted{fields: []string{}}, "a later attempt sends what a first one would"},
		{twisted{meter: &hoarder{}}, "a meter is bounded and takes anything"},
		{twisted{meter: &hasty{}}, "a meter does not depend on how an answer is cut"},
	} {
		require.Contains(t, failures(t, openAI(tt.d)), tt.clause)
	}
}

func dropsCredentials(next provider.Dialect, r *provider.Request, model string, _ []provider.Edit) ([]byte, error) {
	return next.Body(r, model, nil)
}

func removesUser(next provider.Dialect, r *provider.Request, model string, c []provider.Edit) ([]byte, error) {
	return next.Body(r, model, append(c[:len(c):len(c)], provider.Edit{Name: "user"}))
}

func quotesPrompt(_ provider.Dialect, r *provider.Request, _ string, _ []provider.Edit) ([]byte, error) {
	return nil, errors.New("cannot send " + r.Prompt())
}

func changesInput(next provider.Dialect, r *provider.Request, model string, c []provider.Edit) ([]byte, error) {
	own, err := r.Edit() // the client's body itself, not a copy
	if err == nil {
		copy(own, bytes.ToUpper(own))
	}
	return next.Body(r, model, c)
}

func writesNoJSON(provider.Dialect, *provider.Request, string, []provider.Edit) ([]byte, error) {
	return []byte("{"), nil
}

// failures runs the contract and returns the names of the clauses that fail.
func failures(t *testing.T, d Dialect) []string {
	t.Helper()
	t.Setenv("UPDATE_GOLDEN", "")
	var failed []string
	for _, c := range checks {
		if !passes(t, c, d) {
			failed = append(failed, c.name)
		}
	}
	return failed
}

// recorder is a test that only notes its failure.
type recorder struct {
	testing.TB
	failed bool
}

type failedNow struct{}

func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) FailNow()              { panic(failedNow{}) }

func passes(t *testing.T, c check, d Dialect) bool {
	t.Helper()
	r := &recorder{TB: t}
	func() {
		defer func() {
			if value := recover(); value != nil {
				require.IsType(t, failedNow{}, value)
			}
		}()
		c.check(r, newSubject(r, d))
	}()
	return !r.failed
}
