package provider_test

import "semlb/provider"

// plain is a dialect that leaves bodies to the client. A provider called nowhere has
// no host of its own.
type plain struct {
	provider.Dialect
	site provider.Site
}

func newPlain(s provider.Settings) (provider.Dialect, error) {
	d := plain{site: provider.Site{Host: "plain.example", Path: "/chat", AuthHeader: "authorization"}}
	if s.Provider == "nowhere" {
		d.site.Host = ""
	}
	return d, nil
}

func (d plain) Site() provider.Site                          { return d.site }
func (plain) Fields() []string                               { return nil }
func (plain) Translator(provider.Answer) provider.Translator { return nil }
