package provider

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// The values of options_precedence, an extension of the plugin.
const (
	// PrecedenceConfig, which empty means as well, lets configured options win.
	PrecedenceConfig = "config"
	// PrecedenceClient lets an option that the client sent win.
	PrecedenceClient = "client"
)

// Settings configure a [Target]. They hold one target of the plugin, and what
// the target must know of its instance.
type Settings struct {
	ID        string // names the target in errors
	Provider  string // the plugin's model.provider
	Model     string // model.name, a template; empty means the request's own
	RouteType string // route_type
	Options   Options
	Auth      Auth

	// BaseURL, scheme://host[:port][/base], takes the place of scheme, host and
	// port of the provider and of upstream_url, so that nothing leaves for them;
	// base goes in front of the path.
	BaseURL string
	// OptionsPrecedence is PrecedenceConfig or PrecedenceClient.
	OptionsPrecedence string
	// ResponseStreaming is the instance's response_streaming.
	ResponseStreaming Streaming
	// Credentials are those of all targets of the instance, which this one must
	// not pass on. [CollectCredentials] makes them.
	Credentials Credentials
}

// Options are the plugin's model.options. Numbers are JSON text, such as "1.0",
// and reach the provider as they are written; empty means not configured.
type Options struct {
	MaxTokens, Temperature, TopP, TopK string

	// UpstreamURL replaces scheme, host and port, and the path if it has one that
	// is not "/". UpstreamPath (deprecated) replaces the path. Their paths may be
	// templates.
	UpstreamURL, UpstreamPath string

	// AzureInstance and AzureDeploymentID are required for azure without an
	// UpstreamURL. Empty AzureAPIVersion means 2023-05-15, or the client's own.
	AzureInstance, AzureDeploymentID, AzureAPIVersion string

	// DashscopeInternational is true by default in the plugin's schema.
	DashscopeInternational bool
	// MistralFormat is "openai", or empty for the same.
	MistralFormat string
}

// check finds the faults of settings that need no more than a look.
func (s Settings) check() error {
	var faults []error
	for _, o := range []struct{ name, value string }{
		{"temperature", s.Options.Temperature}, {"top_p", s.Options.TopP},
		{"top_k", s.Options.TopK}, {"max_tokens", s.Options.MaxTokens},
	} {
		if raw := jsontext.Value(o.value); o.value != "" && (!raw.IsValid() || raw.Kind() != '0') {
			faults = append(faults, fmt.Errorf("%s: got %q, want a number", o.name, o.value))
		}
	}
	if p := s.OptionsPrecedence; p != "" && p != PrecedenceConfig && p != PrecedenceClient {
		faults = append(faults, fmt.Errorf("options_precedence: got %q, want config or client", p))
	}
	switch s.ResponseStreaming {
	case "", StreamingAllow, StreamingDeny, StreamingAlways:
	default:
		faults = append(faults, fmt.Errorf("response_streaming: got %q, want allow, deny or always", s.ResponseStreaming))
	}
	return errors.Join(append(faults, s.Auth.check(s.Credentials.BodyParams))...)
}
