// Package openai is the dialect of OpenAI and of the providers that copied its
// format. What is particular to one of them is its line in a table, see
// brands.go. Answers are in the clients' own format and pass untouched.
package openai

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"semlb/provider"
)

// Providers returns the names, as in model.provider, of those that speak OpenAI's
// format.
func Providers() []string { return slices.Sorted(maps.Keys(brands)) }

// New prepares the dialect for a target of one of [Providers].
func New(s provider.Settings) (provider.Dialect, error) {
	b, known := brands[s.Provider]
	if !known {
		return nil, fmt.Errorf("provider: %q is not supported", s.Provider)
	}
	if operations[s.RouteType] == "" {
		return nil, fmt.Errorf("route_type: %q is not supported by this provider", s.RouteType)
	}
	site, err := b.site(s)
	if err != nil {
		return nil, err
	}
	d := &dialect{
		site: site, model: s.Model, limits: b.limits, noTopK: b.noTopK,
		chat:         s.RouteType == string(provider.Chat),
		clientFirst:  s.OptionsPrecedence == provider.PrecedenceClient,
		alwaysStream: s.ResponseStreaming == provider.StreamingAlways,
	}
	if s.Provider == azure {
		d.deployment = s.Options.AzureDeploymentID
	}
	d.prepare(s.Options)
	return d, nil
}

// topK is the option that OpenAI's own API does not have.
const topK = "top_k"

// dialect is OpenAI's format for one target.
type dialect struct {
	site         provider.Site
	limits       limits
	deployment   string // of Azure, else empty
	noTopK       bool
	chat         bool // route type chat, not completions
	clientFirst  bool // the client's options win
	alwaysStream bool

	model     string          // as configured: empty, a name or a template
	modelJSON []byte          // model as JSON
	limitName tokenLimit      // the names of the limit for model
	options   []provider.Edit // temperature, top_p, top_k
	limit     []byte          // the configured max_tokens
}

func (d *dialect) prepare(o provider.Options) {
	d.modelJSON = quote(d.model)
	d.limitName = d.tokenLimit(d.model)
	for _, option := range []struct{ name, value string }{
		{"temperature", o.Temperature}, {"top_p", o.TopP}, {topK, o.TopK},
	} {
		if option.value != "" && (option.name != topK || !d.noTopK) {
			d.options = append(d.options, provider.Edit{Name: option.name, Raw: []byte(option.value)})
		}
	}
	if o.MaxTokens != "" {
		d.limit = []byte(o.MaxTokens)
	}
}

// Site returns the brand's site.
func (d *dialect) Site() provider.Site { return d.site }

// Translator returns nil: the answers are in OpenAI's format.
func (d *dialect) Translator(provider.Answer) provider.Translator { return nil }

// Meter returns a meter for a stream or for a whole answer.
func (d *dialect) Meter(a provider.Answer) provider.Meter {
	if a.Streaming {
		return &streamMeter{tally: tally{answer: a}}
	}
	return &wholeMeter{tally: tally{answer: a}}
}

// quote writes a string as JSON, with U+FFFD for what is not UTF-8.
func quote(s string) []byte {
	b, err := jsontext.AppendQuote(nil, s)
	_ = err // only reports invalid UTF-8, which is replaced by then
	return b
}
