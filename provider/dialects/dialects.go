// Package dialects finds the dialect of a provider by the name it has in the
// plugin's configuration.
package dialects

import (
	"fmt"
	"slices"

	"semlb/provider"
	"semlb/provider/openai"
)

// format is a wire format and who speaks it.
type format struct {
	providers []string // their names, as in model.provider
	prepare   func(provider.Settings) (provider.Dialect, error)
}

// formats has a line for every wire format.
var formats = []format{
	{openai.Providers(), openai.New},
}

// Providers returns the names of all providers that have a dialect.
func Providers() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.providers...)
	}
	return names
}

// NewTarget prepares a target in the dialect of its provider, see [provider.New].
func NewTarget(s provider.Settings) (*provider.Target, error) {
	return provider.New(s, prepare)
}

func prepare(s provider.Settings) (provider.Dialect, error) { return prepareOf(formats, s) }

// prepareOf prepares the dialect of a target. It refuses one that translates responses:
// the response path does not run translators, so clients would get the provider's own
// format.
func prepareOf(formats []format, s provider.Settings) (provider.Dialect, error) {
	for _, f := range formats {
		if !slices.Contains(f.providers, s.Provider) {
			continue
		}
		d, err := f.prepare(s)
		if err == nil && d.Translator(provider.Answer{}) != nil {
			return nil, fmt.Errorf("provider: %q needs its responses translated, which is not supported", s.Provider)
		}
		return d, err
	}
	return nil, fmt.Errorf("provider: %q is not supported", s.Provider)
}
