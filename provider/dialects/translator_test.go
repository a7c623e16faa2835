package dialects

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
)

// dialect is one whose responses are translated if it has a translator.
type dialect struct {
	provider.Dialect
	translator provider.Translator
}

func (dialect) Site() provider.Site {
	return provider.Site{Host: "foreign.example", Path: "/ask", AuthHeader: "x-key"}
}
func (dialect) Fields() []string                                 { return nil }
func (d dialect) Translator(provider.Answer) provider.Translator { return d.translator }

func TestTargetsThatNeedATranslatorAreRefused(t *testing.T) {
	of := func(d dialect) func(provider.Settings) (provider.Dialect, error) {
		table := []format{{[]string{"foreign"}, func(provider.Settings) (provider.Dialect, error) { return d, nil }}}
		return func(s provider.Settings) (provider.Dialect, error) { return prepareOf(table, s) }
	}
	s := provider.Settings{ID: "t", Provider: "foreign", Model: "m", RouteType: "llm/v1/chat"}
	_, err := provider.New(s, of(dialect{}))
	require.NoError(t, err)

	_, err = provider.New(s, of(dialect{translator: struct{ provider.Translator }{}}))
	require.EqualError(t, err, `configure target "t": provider: "foreign" needs its responses translated, which is not supported`)
}
